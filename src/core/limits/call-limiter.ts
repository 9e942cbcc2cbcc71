import { sleep } from '../concurrency.ts';
import type { Urgency } from '../ports.ts';

export interface RateLimit {
  /** Calls per window. */
  readonly limit: number;
  readonly windowMs: number;
  /**
   * The platform counts a call when it arrives, somewhere between sending and response. With `settle` called for every
   * response the window begins there, and no network delay can break the limit. Otherwise the window is longer by a margin.
   */
  readonly isSettled?: boolean;
  /** So many calls of the window are for `final` and `first` alone, so that progress never delays them. None when left out. */
  readonly urgentOnly?: number;
  /** With more calls than this in the window, progress is spread evenly over what is left for it. Never when left out. */
  readonly evenFrom?: number;
}

/**
 * Highest first: `final`; `first`, the first words of an answer, and what no later write repeats; `progress`; `later`, for
 * improvements of a text that can already be read, which has no endless wait.
 */
export type Priority = Urgency | 'first' | 'later';

/** How much later than expected a call may arrive when responses are not reported. */
const MARGIN_MS = 300;
/** Rounding of clocks and timers. */
const SETTLED_MARGIN_MS = 5;
/** A call that was never settled expires: every call has a shorter time-out. */
const MAX_CALL_MS = 20_000;
/** `later` overtakes `progress` after this wait. */
const MAX_LATER_MS = 10_000;
/** An owner who has had more of a limit than this lets others go first. */
const FAIR_SHARE = 0.2;
/** In so many windows: a call is free again a window after its response, which is later than a window after it was taken. */
const FAIR_WINDOWS = 2;
/** The queue is checked at least this often. */
const MAX_CHECK_INTERVAL_MS = 1_000;

/** A caller that waits for a call. */
interface Waiting {
  readonly since: number;
  readonly owner: string;
  readonly grant: () => void;
}

function isSpread(priority: Priority): boolean {
  return priority === 'progress' || priority === 'later';
}

/**
 * A rate limit of a platform, checked before a call of ours is sent: a sliding window of calls, part of which is reserved for the final
 * writes of answers already begun. A 429 is a fault of ours; `blockFor` takes it into account.
 */
export class CallLimiter {
  readonly #limit: RateLimit;
  readonly #windowMs: number;
  readonly #now: () => number;
  /** When each call of the window began to count. */
  readonly #calls: number[] = [];
  /** When each call was taken that is not settled yet. */
  readonly #open: number[] = [];
  readonly #waiting: Record<Priority, Waiting[]> = { final: [], first: [], progress: [], later: [] };
  /** Whose calls were taken within about a window. */
  #taken: { readonly owner: string; readonly at: number }[] = [];
  /** When the last evenly spread call was due. */
  #evenAt = Number.NEGATIVE_INFINITY;
  /** The average time from taking a call to settling it. */
  #callMs = 0;
  #reserved = 0;
  #blockedUntil = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** @param now a monotonic clock in milliseconds. */
  constructor(limit: RateLimit, now: () => number = () => performance.now()) {
    this.#limit = limit;
    this.#windowMs = limit.windowMs + (limit.isSettled ? SETTLED_MARGIN_MS : MARGIN_MS);
    this.#now = now;
  }

  /** Reserves one call for later. False when none is free: then what needs the call must not start. */
  reserve(): boolean {
    if (this.free() === 0) return false;
    this.#reserved++;
    return true;
  }

  /** Returns a reserved call unused. */
  release(): void {
    if (this.#reserved > 0) this.#reserved--;
    this.#serve();
  }

  /** Takes a call now if one is free and nobody waits for it. `final` uses a reserved call first, and does not need one. */
  tryAcquire(priority: Priority, owner = ''): boolean {
    const order = this.#order();
    const before = order.slice(0, order.indexOf(priority) + 1);
    return before.every((one) => this.#waiting[one].length === 0) && this.#takeIfFree(priority, owner);
  }

  /**
   * Waits for a call and takes it, by priority, then by `since` (now when left out, on the clock of the limiter). An answer that
   * needs several calls gives the same `since` for each: it is complete before a later one begins. `final` and `first` of an
   * `owner` who has had more than a fifth of the limit lately wait for those of others and of nobody in particular. False after
   * an abort.
   */
  acquire(priority: Priority, signal?: AbortSignal, since = this.#now(), owner = ''): Promise<boolean> {
    if (signal?.aborted) return Promise.resolve(false);
    if (this.tryAcquire(priority, owner)) return Promise.resolve(true);
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
      const waiting = this.#waiting[priority];
      waiting.splice(waiting.findLastIndex((other) => other.since <= since) + 1, 0, { since, owner, grant });
      this.#serve();
    });
  }

  /** Reports that a call has a response: see `RateLimit.isSettled`. Other rate limiters ignore it. */
  settle(): void {
    if (!this.#limit.isSettled) return;
    const now = this.#now();
    const takenAt = this.#open.shift();
    if (takenAt !== undefined) this.#callMs += (now - takenAt - this.#callMs) / 20;
    this.#calls.push(now);
    this.#serve();
  }

  /** Returns a call that was taken and will not be made. */
  cancel(): void {
    (this.#limit.isSettled ? this.#open : this.#calls).pop();
    this.#serve();
  }

  /** Blocks all calls for `ms`, as the platform asked (Retry-After, reset headers). */
  blockFor(ms: number): void {
    this.#blockedUntil = Math.max(this.#blockedUntil, this.#now() + ms);
  }

  /** The share of the limit that is used or reserved, 0 to 1. */
  load(): number {
    return Math.min(1, (this.#used() + this.#reserved) / this.#limit.limit);
  }

  /** How many calls are neither used nor reserved. */
  free(): number {
    return this.#isBlocked() ? 0 : Math.max(0, this.#limit.limit - this.#used() - this.#reserved);
  }

  #isBlocked(): boolean {
    return this.#now() < this.#blockedUntil;
  }

  #used(): number {
    const now = this.#now();
    while (this.#calls.length > 0 && (this.#calls[0] ?? 0) <= now - this.#windowMs) this.#calls.shift();
    while (this.#open.length > 0 && (this.#open[0] ?? 0) <= now - MAX_CALL_MS) this.#open.shift();
    return this.#calls.length + this.#open.length;
  }

  /** The pause between two calls that are not final, so that they never fill the window. */
  #spacingMs(): number {
    const { evenFrom = Number.POSITIVE_INFINITY, limit, urgentOnly = 0 } = this.#limit;
    const shared = Math.max(1, limit - urgentOnly - this.#reserved);
    return this.#used() > evenFrom ? (this.#windowMs + this.#callMs) / shared : 0;
  }

  #takeIfFree(priority: Priority, owner: string): boolean {
    if (this.#isBlocked()) return false;
    const now = this.#now();
    const spacingMs = this.#spacingMs();
    if (!this.#isFree(priority, now, spacingMs)) return false;
    if (priority === 'final' && this.#reserved > 0) this.#reserved--;
    // A late timer must not delay the calls behind it.
    if (isSpread(priority)) this.#evenAt = Math.max(this.#evenAt + spacingMs, now - spacingMs);
    (this.#limit.isSettled ? this.#open : this.#calls).push(now);
    this.#taken = [
      ...this.#taken.filter(({ at }) => at > now - FAIR_WINDOWS * this.#windowMs),
      { owner, at: now },
    ];
    return true;
  }

  #isFree(priority: Priority, now: number, spacingMs: number): boolean {
    if (priority === 'final') return this.#used() < this.#limit.limit;
    if (!isSpread(priority)) return this.free() > 0;
    return this.free() > (this.#limit.urgentOnly ?? 0) && now >= this.#evenAt + spacingMs;
  }

  #order(): readonly Priority[] {
    const waitedMs = this.#now() - (this.#waiting.later[0]?.since ?? Number.POSITIVE_INFINITY);
    return waitedMs < MAX_LATER_MS
      ? ['final', 'first', 'progress', 'later']
      : ['final', 'first', 'later', 'progress'];
  }

  #serve(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    for (const priority of this.#order()) {
      while (this.#grantNext(priority));
    }
    if (Object.values(this.#waiting).every((waiting) => waiting.length === 0)) return;
    this.#timer = setTimeout(() => this.#serve(), this.#checkInMs());
  }

  /** Grants one waiting call of this priority, or one that is to go before it. False when there is none, or it is not free. */
  #grantNext(priority: Priority): boolean {
    const [head] = this.#waiting[priority];
    if (!head) return false;
    for (const from of priority === 'final' ? (['final', 'first'] as const) : [priority]) {
      const next = isSpread(from) ? head : this.#waiting[from].find(({ owner }) => this.#isFair(owner));
      if (next && this.#grant(from, next)) return true;
    }
    return this.#grant(priority, head);
  }

  #grant(priority: Priority, entry: Waiting): boolean {
    if (!this.#takeIfFree(priority, entry.owner)) return false;
    this.#waiting[priority] = this.#waiting[priority].filter((other) => other !== entry);
    entry.grant();
    return true;
  }

  #isFair(owner: string): boolean {
    if (owner === '') return true;
    const from = this.#now() - FAIR_WINDOWS * this.#windowMs;
    const taken = this.#taken.filter((call) => call.owner === owner && call.at > from);
    return taken.length < FAIR_SHARE * this.#limit.limit;
  }

  #checkInMs(): number {
    const now = this.#now();
    const freesIn = this.#used() > 0 ? (this.#calls[0] ?? now) + this.#windowMs - now : MAX_CHECK_INTERVAL_MS;
    const evenIn = this.#evenAt + this.#spacingMs() - now;
    const checkInMs = Math.min(freesIn, MAX_CHECK_INTERVAL_MS, evenIn > 0 ? evenIn : MAX_CHECK_INTERVAL_MS);
    return Math.max(this.#blockedUntil - now, checkInMs, 1);
  }
}

/**
 * The pause between two progress writes of one message when `active` messages share a rate limit: one answer alone is
 * updated often, many share the limit, and part of the window stays free for first and final writes.
 */
export function gapMs({ limit, windowMs }: RateLimit, active: number, load: number, minMs: number): number {
  const share = load < 0.4 ? 0.3 : 1.1;
  return Math.max(minMs, (share * active * windowMs) / limit);
}

/** Waits until `gap()` milliseconds have passed since the last write. The gap is read again every half second, as it may shrink. */
export async function waitGap(lastWriteAt: number, gap: () => number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const leftMs = lastWriteAt + gap() - performance.now();
    if (leftMs <= 0) return;
    await sleep(Math.min(leftMs, 500), signal);
  }
}
