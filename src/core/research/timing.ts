/** When a research job is polled, shown and given up: pure functions of times in milliseconds. */

/** The longest usual pause between polls. */
const MAX_PAUSE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** Perplexity keeps a job for seven days. */
const RETENTION_MS = 7 * 24 * HOUR_MS;
/** A job this new may not be known everywhere upstream. */
const FRESH_MS = 10 * 60_000;
/** A job that is complete but has no readable report is polled this often again. */
export const MAX_EMPTY_POLLS = 5;

const QUICK_EDITS_MS = 2 * 60_000;
const QUICK_EDIT_GAP_MS = 15_000;
const SLOW_EDIT_GAP_MS = 60_000;
/** Discord allows few edits of messages older than an hour (error 30046). */
const LAST_EDIT_MS = 50 * 60_000;

/** The pace of the polls at one API. */
export interface PollPace {
  /** The pause before the first poll. */
  readonly firstMs: number;
  /** How many jobs run at that API, cluster-wide. */
  readonly running: number;
  /** Polls per minute over all jobs. */
  readonly perMinute: number;
}

/**
 * The pause before poll `n` (from 1): `firstMs`, growing by half each time up to 60 s, or the job's share of the rate limit if
 * that is longer; plus a jitter of up to a fifth. `random` is 0 to 1.
 */
export function pollPauseMs(n: number, { firstMs, running, perMinute }: PollPace, random: number): number {
  const backOffMs = Math.min(MAX_PAUSE_MS, firstMs * 1.5 ** Math.min(n - 1, 20));
  const shareMs = (running * 60_000) / perMinute;
  return Math.round(Math.max(backOffMs, shareMs) * (1 + random / 5));
}

/** The pause after a job's deadline. */
export const LATE_PAUSE_MS = HOUR_MS;

/** The pause after a refused poll: the longest one. */
export function refusedPollPauseMs(pace: PollPace, random: number): number {
  return pollPauseMs(Number.MAX_SAFE_INTEGER, pace, random);
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

/** Whether upstream may not know the job yet. */
export function isFresh(submittedAt: number, now: number): boolean {
  return now - submittedAt < FRESH_MS;
}

/** Until when upstream keeps a job. */
export function keptUntil(submittedAt: number): number {
  return submittedAt + RETENTION_MS;
}

/** Whether the card should show progress now. `editableMs`: how long after its posting it may be edited. */
export function isCardDue(
  card: { readonly postedAt: number; readonly shownAt: number },
  editableMs: number,
  now: number,
): boolean {
  const age = now - card.postedAt;
  if (!isEditable(card.postedAt, editableMs, now)) return false;
  return now - card.shownAt >= (age <= QUICK_EDITS_MS ? QUICK_EDIT_GAP_MS : SLOW_EDIT_GAP_MS);
}

/** Whether progress may still be shown on a card of that age. */
export function isEditable(postedAt: number, editableMs: number, now: number): boolean {
  return now - postedAt < Math.min(LAST_EDIT_MS, editableMs);
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
