import { sleep } from './concurrency.ts';
import { Failure } from './failures.ts';

export interface RetryPolicy {
  /** How often in all, the first try included. A try that the other side asks to repeat later is not counted. */
  readonly attempts: number;
  /** The wait after try n is `baseMs * 2^(n-1)`, at most `capMs`, and up to a quarter longer. */
  readonly baseMs: number;
  readonly capMs: number;
  /**
   * A wait that the other side asks for and that is longer than this is not waited for: the failure goes up at once. So it does
   * when all of them together are longer than `attempts` times as much.
   */
  readonly longestWaitMs: number;
  readonly signal?: AbortSignal;
  /** Asked after every failure; false ends the tries, whatever the failure is. */
  readonly canRetry?: (failure: Failure) => boolean;
  /** Told before every wait. */
  readonly onWait?: (failure: Failure, waitMs: number) => void;
  /** Waits in place of a timer. */
  readonly wait?: (failure: Failure, waitMs: number) => Promise<void>;
}

/** True for failures that another try may cure. */
export function isRetryable(failure: Failure): boolean {
  return failure.kind === 'rate-limited' || failure.kind === 'unreachable';
}

/** A shorter Retry-After is no reason to try for longer: it would have calls repeated without a pause. */
const LEAST_ASKED_MS = 1_000;

/**
 * Retries one call: exponential back-off with jitter; a Retry-After is honoured to the end, never cut short.
 * @throws the last error once it is not retryable, tries are used up, or the signal is aborted.
 */
export async function retry<T>(policy: RetryPolicy, run: (attempt: number) => Promise<T>): Promise<T> {
  let counted = 0;
  let askedMs = 0;
  for (let attempt = 1; ; attempt++) {
    try {
      return await run(attempt);
    } catch (error) {
      if (!(error instanceof Failure) || !isRetryable(error)) throw error;
      if (policy.canRetry && !policy.canRetry(error)) throw error;
      const { retryAfterMs = 0 } = error;
      const isAsked = retryAfterMs >= LEAST_ASKED_MS;
      if (isAsked) askedMs += retryAfterMs;
      else counted++;
      const { attempts, longestWaitMs } = policy;
      if (counted >= attempts || retryAfterMs > longestWaitMs || askedMs > attempts * longestWaitMs)
        throw error;
      const waitMs = isAsked ? retryAfterMs : Math.max(retryAfterMs, backOffMs(policy, counted));
      policy.onWait?.(error, waitMs);
      await (policy.wait ? policy.wait(error, waitMs) : sleep(waitMs, policy.signal));
      if (policy.signal?.aborted) throw error;
    }
  }
}

function backOffMs({ baseMs, capMs }: RetryPolicy, n: number): number {
  return Math.min(capMs, baseMs * 2 ** (n - 1)) * (1 + Math.random() / 4);
}
