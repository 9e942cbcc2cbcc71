import { sleep } from './concurrency.ts';
import { Failure } from './failures.ts';

export interface RetryPolicy {
  /** How often in all, the first try included. */
  readonly attempts: number;
  /** The back-off before try n+1 is a random part of `baseMs * 2^(n-1)`, at most `capMs`. */
  readonly baseMs: number;
  readonly capMs: number;
  /** A wait the other side asks for that is longer than this is not waited for: the failure goes up at once. */
  readonly longestWaitMs: number;
  readonly signal?: AbortSignal;
  /** Asked after every failure; false ends the tries, whatever the failure is. */
  readonly canRetry?: (failure: Failure) => boolean;
  /** Told before every wait. */
  readonly onWait?: (failure: Failure, waitMs: number) => void;
}

/** True for failures that another try may cure. */
export function isRetryable(failure: Failure): boolean {
  return failure.kind === 'rate-limited' || failure.kind === 'unreachable';
}

/**
 * Retries one call: exponential back-off with full jitter; a Retry-After is honoured to the end, never cut short.
 * @throws the last error once it is not retryable, tries are used up, or the signal is aborted.
 */
export async function retry<T>(policy: RetryPolicy, run: (attempt: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run(attempt);
    } catch (error) {
      if (!(error instanceof Failure) || !isRetryable(error) || attempt >= policy.attempts) throw error;
      if (policy.canRetry && !policy.canRetry(error)) throw error;
      const backoffMs = Math.random() * Math.min(policy.capMs, policy.baseMs * 2 ** (attempt - 1));
      const waitMs = Math.max(error.retryAfterMs ?? 0, backoffMs);
      if (waitMs > policy.longestWaitMs) throw error;
      policy.onWait?.(error, waitMs);
      await sleep(waitMs, policy.signal);
      if (policy.signal?.aborted) throw error;
    }
  }
}
