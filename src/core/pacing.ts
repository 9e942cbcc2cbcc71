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

/** Creates a budget over the wall-independent clock (`performance.now`). */
export function createBudget(
  { limit, windowMs }: BudgetLimit,
  now: () => number = () => performance.now(),
): Budget {
  const calls: number[] = [];
  const waiting: Record<Urgency, (() => void)[]> = { final: [], progress: [] };
  let reserved = 0;
  let blockedUntil = 0;
  let timer: ReturnType<typeof setTimeout> | null = null;

  const used = (): number => {
    const oldest = now() - windowMs - MARGIN_MS;
    while (calls.length > 0 && (calls[0] ?? 0) <= oldest) calls.shift();
    return calls.length;
  };
  const isFree = (urgency: Urgency): boolean => {
    if (now() < blockedUntil) return false;
    return urgency === 'final' ? used() < limit : used() + reserved < limit;
  };
  const tryTake = (urgency: Urgency): boolean => {
    if (!isFree(urgency)) return false;
    if (urgency === 'final' && reserved > 0) reserved--;
    calls.push(now());
    return true;
  };
  const serve = (): void => {
    timer = null;
    for (const urgency of ['final', 'progress'] as const) {
      while (waiting[urgency].length > 0 && tryTake(urgency)) waiting[urgency].shift()?.();
    }
    if (waiting.final.length + waiting.progress.length > 0) timer ??= setTimeout(serve, nextChangeMs());
  };
  const nextChangeMs = (): number => {
    const windowFrees = used() > 0 ? (calls[0] ?? 0) + windowMs + MARGIN_MS - now() : 0;
    return Math.max(20, blockedUntil - now(), windowFrees > 0 ? Math.min(windowFrees, 1000) : 0);
  };

  return {
    reserve() {
      if (used() + reserved >= limit || now() < blockedUntil) return false;
      reserved++;
      return true;
    },
    release() {
      if (reserved > 0) reserved--;
      if (timer) {
        clearTimeout(timer);
        serve();
      }
    },
    tryTake(urgency) {
      return waiting[urgency].length === 0 && tryTake(urgency);
    },
    take(urgency, signal) {
      if (signal?.aborted || (waiting[urgency].length === 0 && tryTake(urgency))) return Promise.resolve();
      return new Promise((resolve) => {
        const granted = (): void => {
          signal?.removeEventListener('abort', aborted);
          resolve();
        };
        const aborted = (): void => {
          waiting[urgency] = waiting[urgency].filter((entry) => entry !== granted);
          resolve();
        };
        signal?.addEventListener('abort', aborted, { once: true });
        waiting[urgency].push(granted);
        timer ??= setTimeout(serve, nextChangeMs());
      });
    },
    blockFor(ms) {
      blockedUntil = Math.max(blockedUntil, now() + ms);
    },
    load() {
      return Math.min(1, (used() + reserved) / limit);
    },
  };
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
