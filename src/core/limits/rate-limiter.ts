import { sleep } from '../concurrency.ts';
import type { Urgency } from '../ports.ts';

export interface RateLimit {
  /** Calls per window. */
  readonly limit: number;
  readonly windowMs: number;
  /**
   * A call counts on the platform's side when it arrives there, which is some time between leaving and being answered. With
   * `settle` called for every answer, the window begins there and no delay on the way can break the limit. Without, the window
   * is longer by a fixed margin.
   */
  readonly isSettled?: boolean;
  /** Beyond a quarter of the window progress is spread evenly: something for what is urgent becomes free at every moment. */
  readonly isEven?: boolean;
}

/** `later` is behind everything else: what makes something better that can be read already. It does not wait forever. */
export type Priority = Urgency | 'later';

/**
 * One platform budget, known before anything is sent: a sliding window of calls, with part of it set aside for the final
 * writes of answers already begun. A 429 is a fault of ours; `blockFor` is how it corrects the picture.
 */
export interface RateLimiter {
  /** Sets one call aside for later; false when nothing is free, so what needs it must not be started. */
  reserve(): boolean;
  /** Gives a reserved call back unused. */
  release(): void;
  /** Takes a call now if one is free and nobody waits for it. `final` spends a reserved call first, and may go ahead without one. */
  tryAcquire(priority: Priority): boolean;
  /** Waits for a call and takes it: by priority, then in order of arrival. False when an abort ended the wait without one. */
  acquire(priority: Priority, signal?: AbortSignal): Promise<boolean>;
  /** A call was answered, or will not be made: see `RateLimit.isSettled`. Does nothing for other budgets. */
  settle(): void;
  /** Nothing is free for this long, because the platform said so (Retry-After, reset headers). */
  blockFor(ms: number): void;
  /** The share of the window in use or set aside, 0 to 1. */
  load(): number;
  /** How many calls are neither in use nor set aside. */
  free(): number;
}

/** By how much later than others a slow call may arrive, where nobody says when it was answered. */
const MARGIN_MS = 300;
/** Clocks and timers count in milliseconds. */
const SETTLED_MARGIN_MS = 5;
/** A call that was never settled: longer than any call takes before it is given up. */
const LONGEST_CALL_MS = 20_000;
/** What can wait does not wait longer than this behind progress. */
const LONGEST_LATER_MS = 10_000;
/** A release frees calls at once; everything else is looked at again at least this often. */
const LONGEST_NAP_MS = 1_000;

/** Creates a budget; `now` is a clock that never jumps (milliseconds). */
export function createRateLimiter(
  limit: RateLimit,
  now: () => number = () => performance.now(),
): RateLimiter {
  return new SlidingWindow(limit, now);
}

/** Somebody waiting for a call. */
interface Waiting {
  readonly since: number;
  readonly grant: () => void;
}

class SlidingWindow implements RateLimiter {
  readonly #limit: RateLimit;
  readonly #windowMs: number;
  readonly #now: () => number;
  /** When each call of the window began to count. */
  readonly #calls: number[] = [];
  /** When each call was taken that is not settled yet. */
  readonly #open: number[] = [];
  readonly #waiting: Record<Priority, Waiting[]> = { final: [], progress: [], later: [] };
  /** When the last call that is not urgent should have gone. */
  #evenAt = Number.NEGATIVE_INFINITY;
  /** How long calls take from being taken to being settled, on average. */
  #callMs = 0;
  #reserved = 0;
  #blockedUntil = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(limit: RateLimit, now: () => number) {
    this.#limit = limit;
    this.#windowMs = limit.windowMs + (limit.isSettled ? SETTLED_MARGIN_MS : MARGIN_MS);
    this.#now = now;
  }

  reserve(): boolean {
    if (this.free() === 0) return false;
    this.#reserved++;
    return true;
  }

  release(): void {
    if (this.#reserved > 0) this.#reserved--;
    this.#serve();
  }

  tryAcquire(priority: Priority): boolean {
    const order = this.#order();
    const before = order.slice(0, order.indexOf(priority) + 1);
    return before.every((one) => this.#waiting[one].length === 0) && this.#takeIfFree(priority);
  }

  acquire(priority: Priority, signal?: AbortSignal): Promise<boolean> {
    if (signal?.aborted) return Promise.resolve(false);
    if (this.tryAcquire(priority)) return Promise.resolve(true);
    return new Promise((resolve) => {
      const grant = (): void => {
        signal?.removeEventListener('abort', aborted);
        resolve(true);
      };
      const aborted = (): void => {
        this.#waiting[priority] = this.#waiting[priority].filter((entry) => entry.grant !== grant);
        resolve(false);
      };
      signal?.addEventListener('abort', aborted, { once: true });
      this.#waiting[priority].push({ since: this.#now(), grant });
      this.#serve();
    });
  }

  settle(): void {
    if (!this.#limit.isSettled) return;
    const now = this.#now();
    const takenAt = this.#open.shift();
    if (takenAt !== undefined) this.#callMs += (now - takenAt - this.#callMs) / 20;
    this.#calls.push(now);
    this.#serve();
  }

  blockFor(ms: number): void {
    this.#blockedUntil = Math.max(this.#blockedUntil, this.#now() + ms);
  }

  load(): number {
    return Math.min(1, (this.#used() + this.#reserved) / this.#limit.limit);
  }

  free(): number {
    return this.#isBlocked() ? 0 : Math.max(0, this.#limit.limit - this.#used() - this.#reserved);
  }

  #isBlocked(): boolean {
    return this.#now() < this.#blockedUntil;
  }

  #used(): number {
    const now = this.#now();
    while (this.#calls.length > 0 && (this.#calls[0] ?? 0) <= now - this.#windowMs) this.#calls.shift();
    while (this.#open.length > 0 && (this.#open[0] ?? 0) <= now - LONGEST_CALL_MS) this.#open.shift();
    return this.#calls.length + this.#open.length;
  }

  /** How long after one call that is not urgent the next may go, so that the window is never quite full of them. */
  #spacingMs(): number {
    const { isEven, limit } = this.#limit;
    return isEven && this.#used() > limit / 4 ? (this.#windowMs + this.#callMs) / limit : 0;
  }

  #takeIfFree(priority: Priority): boolean {
    if (this.#isBlocked()) return false;
    const now = this.#now();
    const isUrgent = priority === 'final';
    const spacingMs = this.#spacingMs();
    const isFree = isUrgent
      ? this.#used() < this.#limit.limit
      : this.free() > 0 && now >= this.#evenAt + spacingMs;
    if (!isFree) return false;
    if (isUrgent && this.#reserved > 0) this.#reserved--;
    // A timer that came late does not make the next one late.
    if (!isUrgent) this.#evenAt = Math.max(this.#evenAt + spacingMs, now - spacingMs);
    (this.#limit.isSettled ? this.#open : this.#calls).push(now);
    return true;
  }

  #order(): readonly Priority[] {
    const waitedMs = this.#now() - (this.#waiting.later[0]?.since ?? Number.POSITIVE_INFINITY);
    return waitedMs < LONGEST_LATER_MS ? ['final', 'progress', 'later'] : ['final', 'later', 'progress'];
  }

  #serve(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    for (const priority of this.#order()) {
      while (this.#waiting[priority].length > 0 && this.#takeIfFree(priority))
        this.#waiting[priority].shift()?.grant();
    }
    const { final, progress, later } = this.#waiting;
    if (final.length + progress.length + later.length === 0) return;
    this.#timer = setTimeout(() => this.#serve(), this.#napMs());
  }

  #napMs(): number {
    const now = this.#now();
    const freesIn = this.#used() > 0 ? (this.#calls[0] ?? now) + this.#windowMs - now : LONGEST_NAP_MS;
    const evenIn = this.#evenAt + this.#spacingMs() - now;
    const napMs = Math.min(freesIn, LONGEST_NAP_MS, evenIn > 0 ? evenIn : LONGEST_NAP_MS);
    return Math.max(this.#blockedUntil - now, napMs, 1);
  }
}

/**
 * The pause between two progress writes of one message when `active` messages share a budget: a lone answer is smooth,
 * many share what there is, and part of the window stays free for starts and ends.
 */
export function gapMs({ limit, windowMs }: RateLimit, active: number, load: number, minMs: number): number {
  const share = load < 0.4 ? 0.3 : 1.1;
  return Math.max(minMs, (share * active * windowMs) / limit);
}

/** Waits until `gap` after the last write has passed; the gap is looked at again every time it could have narrowed. */
export async function waitGap(
  lastWriteAt: number,
  gap: () => number,
  signal: AbortSignal,
  now: () => number,
): Promise<void> {
  for (
    let left = lastWriteAt + gap() - now();
    left > 0 && !signal.aborted;
    left = lastWriteAt + gap() - now()
  ) {
    await sleep(Math.min(left, 500), signal);
  }
}
