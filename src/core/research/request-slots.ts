import { sleep } from '../concurrency.ts';
import { Failure } from '../failures.ts';
import type { RequestKind, RequestSlot } from '../model-rate-limiter.ts';
import { enqueueStep, type PollStep, type ResearchDeps, type SubmitStep } from './step.ts';
import { capRetryAfterMs } from './timing.ts';

/** A slot this near is waited for here; one that was missed by more is reserved anew, since later requests have moved up. */
const NEAR_MS = 1_000;
const MISSED_MS = 5_000;
/** A poll that would have to wait lets people's questions go first, and tries again after this; not for ever. */
const ASIDE_MS = 10_000;
const LONGEST_ASIDE_MS = 2 * 60_000;
/** A refusal that does not say for how long. */
const REFUSED_MS = 2_000;

/**
 * Keeps the requests of one kind within their rate, whatever a rush, a restart or an outage has piled up. True when the step
 * may make its request now: its slot has come, or a near one was waited for. Otherwise the step is enqueued again for later.
 * @throws {Failure} `stopped` when the signal is aborted meanwhile
 */
export async function takeSlot(
  deps: ResearchDeps,
  kind: RequestKind,
  step: SubmitStep | PollStep,
  signal: AbortSignal,
): Promise<boolean> {
  const slot = await findOrReserve(deps, kind, step);
  if (!slot || slot.waitMs > NEAR_MS) {
    // Woken a little early, since the queue is less exact than a timer.
    const waitMs = slot ? slot.waitMs - NEAR_MS / 2 : ASIDE_MS * (1 + deps.random() / 2);
    const slotAt = deps.now() + waitMs;
    const { asideSince = deps.now() } = step;
    await enqueueStep(deps.jobs, { ...step, slotAt, ...(slot ? { slot: slot.id } : { asideSince }) }, waitMs);
    return false;
  }
  await sleep(Math.ceil(slot.waitMs), signal);
  if (signal.aborted) throw new Failure('stopped', 'stopped before its slot');
  return true;
}

/** Null where a poll steps aside. */
async function findOrReserve(
  { modelRateLimiter, now }: ResearchDeps,
  kind: RequestKind,
  { step, slot, asideSince }: SubmitStep | PollStep,
): Promise<RequestSlot | null> {
  const found = slot === undefined ? null : await modelRateLimiter.find(slot);
  if (found && found.waitMs > -MISSED_MS) return found;
  const stepsAside = step === 'poll' && now() - (asideSince ?? now()) < LONGEST_ASIDE_MS;
  return stepsAside ? modelRateLimiter.tryReserve(kind, NEAR_MS) : modelRateLimiter.reserve(kind);
}

/** Has all requests of this kind wait when one was refused for the rate limit. */
export async function heedRefusal(
  { modelRateLimiter }: ResearchDeps,
  kind: RequestKind,
  { kind: failure, retryAfterMs }: Failure,
): Promise<void> {
  if (failure !== 'rate-limited') return;
  const waitMs = Math.max(capRetryAfterMs(retryAfterMs), REFUSED_MS);
  await modelRateLimiter.blockFor(kind, waitMs, retryAfterMs === undefined);
}
