/**
 * The candidate that a misspelt word most likely stands for; null when none is near: more than one letter in four would have to
 * be added, left out, changed, or swapped with its neighbour (optimal string alignment distance).
 */
export function nearest<T extends string>(word: string, candidates: readonly T[]): T | null {
  let best: { readonly candidate: T; readonly distance: number } | null = null;
  for (const candidate of candidates) {
    const distance = distanceOf(word, candidate);
    const most = Math.floor(Math.max(word.length, candidate.length) / 4);
    if (distance <= most && distance < (best?.distance ?? Infinity)) best = { candidate, distance };
  }
  return best?.candidate ?? null;
}

function distanceOf(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, change);
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwapped) cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    [before, last] = [last, row];
  }
  return last[b.length] ?? 0;
}
