/**
 * Stands in for `src/core/limits/call-limiter.ts` when the service is measured with its budgets lifted: it knows the documented limits of
 * the platforms and keeps them by itself, so that a stand-in without limits alone would show nothing of its own capacity.
 */
import type { CallLimiter as Limited } from '../../src/core/limits/call-limiter.ts';

export * from '../../src/core/limits/call-limiter.ts';

/** A budget that is never used up. Takes the place of the one of the same name. */
export class CallLimiter implements Pick<Limited, keyof Limited> {
  reserve = () => true;
  release = () => {};
  tryAcquire = () => true;
  acquire = () => Promise.resolve(true);
  settle = () => {};
  cancel = () => {};
  blockFor = () => {};
  load = () => 0;
  free = () => Number.POSITIVE_INFINITY;
}

/**
 * All answers together are written a hundred times a second, and each at least every two seconds: the minimal loop edits once a
 * second. Takes the place of the one of the same name.
 */
export function gapMs(_limit: object, active: number, _load: number, minMs: number): number {
  return Math.max(minMs, Math.min(2_000, active * 10));
}
