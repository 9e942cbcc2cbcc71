/** When a research job is looked at, shown and given up: pure functions of times in milliseconds. */

/** Looks begin close together, for the short jobs, and end up this far apart. */
const MAX_PAUSE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** Upstream keeps a job for 7 days. */
const RETENTION_MS = 7 * 24 * HOUR_MS;
/** A job just handed in may not be known everywhere upstream. */
const FRESH_MS = 10 * 60_000;
/** A job that says it is complete gets so many more looks for its report. */
export const MAX_EMPTY_POLLS = 5;

const QUICK_EDITS_MS = 2 * 60_000;
const QUICK_EDIT_GAP_MS = 15_000;
const SLOW_EDIT_GAP_MS = 60_000;
/** Discord allows hardly any edit of a message older than an hour. */
const LAST_EDIT_MS = 50 * 60_000;

/** How the looks at the jobs of one API are paced. */
export interface PollPace {
  /** The pause before the first look. */
  readonly firstMs: number;
  /** How many jobs that API is working on, cluster-wide. */
  readonly running: number;
  /** Looks per minute, all jobs together. */
  readonly perMinute: number;
}

/**
 * The pause before look `n` (from 1): the first one's, then half as much again each time up to 60 s, or what the budget of all jobs leaves
 * to one if that is longer; up to a fifth more at random. `random` is 0 to 1.
 */
export function pollPauseMs(n: number, { firstMs, running, perMinute }: PollPace, random: number): number {
  const backOffMs = Math.min(MAX_PAUSE_MS, firstMs * 1.5 ** Math.min(n - 1, 20));
  const shareMs = (running * 60_000) / perMinute;
  return Math.round(Math.max(backOffMs, shareMs) * (1 + random / 5));
}

/** The pause after a job's deadline, and the longest there is: an hour. */
export const LATE_PAUSE_MS = HOUR_MS;

/** The pause after a look that was refused: the longest one. */
export function refusedPollPauseMs(pace: PollPace, random: number): number {
  return pollPauseMs(Number.MAX_SAFE_INTEGER, pace, random);
}

/** The pause before try `n` (from 1) of a step that the platform or Perplexity could not take: 2 s, doubled up to 5 min; a Retry-After up to an hour. */
export function retryPauseMs(n: number, retryAfterMs: number | undefined, random: number): number {
  const backOffMs = Math.min(5 * 60_000, 2_000 * 2 ** Math.min(n - 1, 20));
  return Math.round(Math.max(capRetryAfterMs(retryAfterMs), backOffMs * (0.5 + random / 2)));
}

/** What of a Retry-After is waited for: behind a longer one, or a nonsensical one, a job would be silent beyond its own end. */
export function capRetryAfterMs(retryAfterMs: number | undefined): number {
  return Math.min(retryAfterMs ?? 0, LATE_PAUSE_MS);
}

/** Whether an unknown id may only be too new. */
export function isFresh(submittedAt: number, now: number): boolean {
  return now - submittedAt < FRESH_MS;
}

/** Until when a job is looked for upstream. */
export function keptUntil(submittedAt: number): number {
  return submittedAt + RETENTION_MS;
}

/** Whether the card is to show progress now. `editableMs`: how long after its posting it may be edited. */
export function isCardDue(
  card: { readonly postedAt: number; readonly shownAt: number },
  editableMs: number,
  now: number,
): boolean {
  const age = now - card.postedAt;
  if (!isEditable(card.postedAt, editableMs, now)) return false;
  return now - card.shownAt >= (age <= QUICK_EDITS_MS ? QUICK_EDIT_GAP_MS : SLOW_EDIT_GAP_MS);
}

/** Whether a card that old is still edited before its end. */
export function isEditable(postedAt: number, editableMs: number, now: number): boolean {
  return now - postedAt < Math.min(LAST_EDIT_MS, editableMs);
}

/** With fewer finished jobs than this nothing is usual yet. */
const FEWEST_DURATIONS = 3;

/** `usually 3–8 min`: the middle half of what earlier jobs took; `a few minutes` while too few are known. */
export function usualTime(durations: readonly number[]): string {
  if (durations.length < FEWEST_DURATIONS) return 'a few minutes';
  const sorted = durations.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1) + 0.5)] ?? 0;
  const from = Math.max(1, Math.round(at(0.25) / 60_000));
  const to = Math.max(1, Math.round(at(0.75) / 60_000));
  return from === to ? `usually ${from} min` : `usually ${from}–${to} min`;
}
