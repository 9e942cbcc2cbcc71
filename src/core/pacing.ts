import type { Urgency } from './ports.ts';
import { sleep } from './sleep.ts';

export interface BudgetLimit {
  /** Calls per window. */
  readonly limit: number;
  readonly windowMs: number;
}

/**
 * One platform budget, known before anything is sent: a sliding window of calls, with part of it set aside for the final
 * writes of answers already begun. A 429 is a fault of ours; `blockFor` is how it corrects the picture.
 */
export interface Budget {
  /** Sets one call aside for later; false when nothing is free, so what needs it must not be started. */
  reserve(): boolean;
  /** Gives a reserved call back unused. */
  release(): void;
  /** Takes a call now if one is free. `final` spends a reserved call first, and may go ahead without one. */
  tryTake(urgency: Urgency): boolean;
  /** Waits for a call and takes it: finals before progress, each in order of arrival. Returns without one after an abort. */
  take(urgency: Urgency, signal?: AbortSignal): Promise<void>;
  /** Nothing is free for this long, because the platform said so (Retry-After, reset headers). */
  blockFor(ms: number): void;
  /** The share of the window in use or set aside, 0 to 1. */
  load(): number;
}

/** A call counts on the platform's side when it arrives there: our window is longer by what a slow call may take. */
const MARGIN_MS = 300;
/** A release frees calls at once; everything else is looked at again at least this often. */
const LONGEST_NAP_MS = 1_000;

/** Creates a budget; `now` is a clock that never jumps (milliseconds). */
export function createBudget(limit: BudgetLimit, now: () => number = () => performance.now()): Budget {
  return new SlidingWindow(limit, now);
}

class SlidingWindow implements Budget {
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #now: () => number;
  readonly #calls: number[] = [];
  readonly #waiting: Record<Urgency, (() => void)[]> = { final: [], progress: [] };
  #reserved = 0;
  #blockedUntil = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor({ limit, windowMs }: BudgetLimit, now: () => number) {
    this.#limit = limit;
    this.#windowMs = windowMs + MARGIN_MS;
    this.#now = now;
  }

  reserve(): boolean {
    if (!this.#isFree('progress')) return false;
    this.#reserved++;
    return true;
  }

  release(): void {
    if (this.#reserved > 0) this.#reserved--;
    this.#serve();
  }

  tryTake(urgency: Urgency): boolean {
    return this.#waiting[urgency].length === 0 && this.#takeIfFree(urgency);
  }

  take(urgency: Urgency, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted || this.tryTake(urgency)) return Promise.resolve();
    return new Promise((resolve) => {
      const granted = (): void => {
        signal?.removeEventListener('abort', aborted);
        resolve();
      };
      const aborted = (): void => {
        this.#waiting[urgency] = this.#waiting[urgency].filter((entry) => entry !== granted);
        resolve();
      };
      signal?.addEventListener('abort', aborted, { once: true });
      this.#waiting[urgency].push(granted);
      this.#serve();
    });
  }

  blockFor(ms: number): void {
    this.#blockedUntil = Math.max(this.#blockedUntil, this.#now() + ms);
  }

  load(): number {
    return Math.min(1, (this.#used() + this.#reserved) / this.#limit);
  }

  #used(): number {
    const oldest = this.#now() - this.#windowMs;
    while (this.#calls.length > 0 && (this.#calls[0] ?? 0) <= oldest) this.#calls.shift();
    return this.#calls.length;
  }

  #isFree(urgency: Urgency): boolean {
    if (this.#now() < this.#blockedUntil) return false;
    return this.#used() + (urgency === 'final' ? 0 : this.#reserved) < this.#limit;
  }

  #takeIfFree(urgency: Urgency): boolean {
    if (!this.#isFree(urgency)) return false;
    if (urgency === 'final' && this.#reserved > 0) this.#reserved--;
    this.#calls.push(this.#now());
    return true;
  }

  #serve(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    for (const urgency of ['final', 'progress'] as const) {
      while (this.#waiting[urgency].length > 0 && this.#takeIfFree(urgency))
        this.#waiting[urgency].shift()?.();
    }
    if (this.#waiting.final.length + this.#waiting.progress.length === 0) return;
    const windowFreesIn = this.#used() > 0 ? (this.#calls[0] ?? 0) + this.#windowMs - this.#now() : Infinity;
    const waitMs = Math.max(this.#blockedUntil - this.#now(), Math.min(windowFreesIn, LONGEST_NAP_MS), 1);
    this.#timer = setTimeout(() => this.#serve(), waitMs);
  }
}

/**
 * The pause between two progress writes of one message when `active` messages share a budget: a lone answer is smooth,
 * many share what there is, and part of the window stays free for starts and ends.
 */
export function gapMs({ limit, windowMs }: BudgetLimit, active: number, load: number, minMs: number): number {
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
