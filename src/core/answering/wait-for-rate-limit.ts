import { sleep } from '../concurrency.ts';
import { Failure } from '../failures.ts';
import type { ModelRateLimiter, RequestKind, RequestSlot } from '../model-rate-limiter.ts';

/** How often a wait is looked at again, in milliseconds. */
const LOOK_EVERY_MS = 3_000;
/** A shorter wait is not worth a word. */
const TOLD_FROM_MS = 2_000;
/** A request that is sent this late would come on top of later ones: it is reserved anew. */
const MISSED_MS = 5_000;

interface WaitOptions {
  /** Whoever waits on after a crash has the same. */
  readonly holder: string;
  readonly signal: AbortSignal;
  /** The latest time to send it, on the monotonic clock. */
  readonly until: number;
  readonly tell: (ahead: number) => void;
}

/**
 * Reserves a request to the model's API and waits until it may be sent. `tell` hears, every few seconds, how many are ahead.
 * Without the request the reservation is returned.
 * @throws {Failure} `stopped` when the signal is aborted; `rate-limited` when it could not be sent by then.
 */
export async function waitForRequest(
  limiter: ModelRateLimiter,
  kind: RequestKind,
  { holder, signal, until, tell }: WaitOptions,
): Promise<void> {
  if (signal.aborted) throw toStopped();
  let slot = await limiter.reserve(kind, holder);
  try {
    while (slot.waitMs > 0) {
      if (performance.now() + slot.waitMs > until) throw tooLong(slot);
      if (slot.waitMs >= TOLD_FROM_MS) tell(slot.ahead);
      await sleep(Math.min(Math.ceil(slot.waitMs), LOOK_EVERY_MS), signal);
      if (signal.aborted) throw toStopped();
      const found = await limiter.find(slot.id);
      const isMissed = !found || found.waitMs < -MISSED_MS;
      slot = isMissed ? await limiter.reserve(kind, holder) : found;
    }
  } catch (error) {
    // Whatever happens to it: the error says why nothing was sent.
    await limiter.release(slot.id).catch(() => undefined);
    throw error;
  }
}

function toStopped(): Failure {
  return new Failure('stopped', 'stopped before its request was sent');
}

function tooLong({ waitMs }: RequestSlot): Failure {
  return new Failure('rate-limited', 'the wait for the rate limit is too long', { retryAfterMs: waitMs });
}
