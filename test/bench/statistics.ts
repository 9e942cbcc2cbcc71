/** The middle, the slow end and the worst of many values. */
export interface Spread {
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

/** Null when there are no values. */
export function spreadOf(values: readonly number[]): Spread | null {
  const sorted = values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  return { p50: at(sorted, 0.5), p95: at(sorted, 0.95), max: sorted.at(-1) ?? 0 };
}

/** The median, or null when there are no values. */
export function median(values: readonly number[]): number | null {
  return spreadOf(values)?.p50 ?? null;
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
}
