/** When a research job is polled, tried again and given up: pure functions of times in milliseconds. */
import type { ResearchRecord } from './ports.ts';

/** The longest usual pause between polls. */
export const MAX_PAUSE_MS = 60_000;
/** The pause after a job's deadline. */
export const LATE_PAUSE_MS = 3_600_000;
/** Perplexity keeps a job for seven days. */
const RETENTION_MS = 7 * 24 * 3_600_000;

/** The pause before poll `n` (from 1): `firstMs`, growing by half each time up to 60 s, plus up to a fifth. `random` is 0 to 1. */
export function pollPauseMs(n: number, firstMs: number, random: number): number {
  const backOffMs = Math.min(MAX_PAUSE_MS, firstMs * 1.5 ** Math.min(n - 1, 20));
  return Math.round(backOffMs * (1 + random / 5));
}

/** The back-off before try `n` (from 1) of a step: 2 s, doubled up to 5 min, with jitter; a Retry-After of up to an hour. */
export function retryPauseMs(n: number, retryAfterMs: number | undefined, random: number): number {
  const backOffMs = Math.min(5 * 60_000, 2_000 * 2 ** Math.min(n - 1, 20));
  return Math.round(Math.max(capRetryAfterMs(retryAfterMs), backOffMs * (0.5 + random / 2)));
}

/** Caps a Retry-After at an hour: a longer or nonsensical one would keep a job silent beyond its end. */
export function capRetryAfterMs(retryAfterMs: number | undefined): number {
  return Math.min(retryAfterMs ?? 0, LATE_PAUSE_MS);
}

/** Until when upstream keeps a job. */
export function keptUntil({ submittedAt, begunAt }: ResearchRecord): number {
  return (submittedAt ?? begunAt) + RETENTION_MS;
}

/** Fewer finished jobs than this say nothing about the usual time. */
const FEWEST_DURATIONS = 3;

/** Formats the usual time as `usually 3–8 min`, the middle half of earlier jobs; `a few minutes` while there are too few. */
export function usualTime(durations: readonly number[]): string {
  if (durations.length < FEWEST_DURATIONS) return 'a few minutes';
  const sorted = durations.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1) + 0.5)] ?? 0;
  const from = Math.max(1, Math.round(at(0.25) / 60_000));
  const to = Math.max(1, Math.round(at(0.75) / 60_000));
  return from === to ? `usually ${from} min` : `usually ${from}–${to} min`;
}
