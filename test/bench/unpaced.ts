/**
 * Stands in for `src/core/limits/rate-limiter.ts` when the service is measured with its budgets lifted: it knows the documented limits of
 * the platforms and keeps them by itself, so that a stand-in without limits alone would show nothing of its own capacity.
 */
import type { RateLimiter } from '../../src/core/limits/rate-limiter.ts';

export * from '../../src/core/limits/rate-limiter.ts';

/** A budget that is never used up. Takes the place of the one of the same name. */
export function createRateLimiter(): RateLimiter {
  return {
    reserve: () => true,
    release() {},
    tryAcquire: () => true,
    acquire: () => Promise.resolve(true),
    settle() {},
    cancel() {},
    blockFor() {},
    load: () => 0,
    free: () => Number.POSITIVE_INFINITY,
  };
}

/** The shortest pause there is, however many answers are growing. Takes the place of the one of the same name. */
export function gapMs(_limit: object, _active: number, _load: number, minMs: number): number {
  return minMs;
}
