import { sleep } from '../concurrency.ts';
import { Failure } from '../failures.ts';
import type { RequestKind } from './ports.ts';
import { enqueueStep, type PollStep, type ResearchDeps, type SubmitStep } from './step.ts';

/** A slot this near is waited for here; one that was missed by more is reserved anew, since later requests have moved up. */
const NEAR_MS = 1_000;
const MISSED_MS = 5_000;

/**
 * Keeps the requests of one kind within their rate, whatever a rush, a restart or an outage has piled up. True when the step
 * may make its request now: its slot has come, or a near one was waited for. Otherwise a slot is reserved and the step
 * enqueued again for that time.
 * @throws {Failure} `stopped` when the signal is aborted meanwhile
 */
export async function takeSlot(
  deps: ResearchDeps,
  kind: RequestKind,
  step: SubmitStep | PollStep,
  signal: AbortSignal,
): Promise<boolean> {
  if (step.slotAt && deps.now() - step.slotAt < MISSED_MS) return true;
  const { submissionsPerMinute, pollsPerMinute } = deps.settings;
  const perMinute = kind === 'chat-submit' ? submissionsPerMinute : pollsPerMinute[kind];
  const waitMs = await deps.researches.reserveSlot(kind, 60_000 / perMinute);
  if (waitMs > NEAR_MS) {
    await enqueueStep(deps.jobs, { ...step, slotAt: deps.now() + waitMs }, waitMs);
    return false;
  }
  await sleep(waitMs, signal);
  if (signal.aborted) throw new Failure('stopped', 'stopped before its slot');
  return true;
}
