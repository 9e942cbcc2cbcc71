import { describeForAdmins } from '../answering/messages.ts';
import { Failure } from '../failures.ts';
import type { RequestKind } from '../model-rate-limiter.ts';
import type { Job } from '../ports.ts';
import { formatLateNotice } from './card.ts';
import { hasNoPlace, postBelow, showCard } from './messages.ts';
import type { ResearchApi, ResearchRecord, UpstreamState } from './ports.ts';
import { heedRefusal, takeSlot } from './request-slots.ts';
import {
  endResearch,
  enqueueStep,
  failResearch,
  type PollStep,
  type ResearchDeps,
  toLogFields,
} from './step.ts';
import { capRetryAfterMs, keptUntil, LATE_PAUSE_MS, MAX_PAUSE_MS, pollPauseMs } from './timing.ts';

/** A job this new may not be known everywhere upstream. */
const FRESH_MS = 10 * 60_000;
/** A job that is complete but has no readable report is polled this often again. */
const MAX_EMPTY_POLLS = 5;

/** One poll of a running job. */
interface Poll {
  readonly deps: ResearchDeps;
  readonly step: PollStep;
  readonly record: ResearchRecord;
  /** Since the submission. */
  readonly ageMs: number;
  readonly signal: AbortSignal;
}

/** Polls a job once: ends it, or shows its progress and enqueues the next poll. */
export async function pollResearch(deps: ResearchDeps, { data: step, signal }: Job<PollStep>): Promise<void> {
  const record = await deps.researches.find(step.research);
  if (!record || record.state !== 'running' || !record.api || !record.upstream) return;
  const { api, upstream, submittedAt, begunAt } = record;
  if (!(await takeSlot(deps, pollKind(api), step, signal))) return;
  const poll: Poll = { deps, step, record, ageMs: deps.now() - (submittedAt ?? begunAt), signal };
  let state: UpstreamState;
  try {
    state = await deps.model.poll(api, upstream, signal);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return handlePollFailure(poll, error);
  }
  deps.log.debug({ research: record.name, poll: step.poll, state: state.state }, 'polled research');
  await applyUpstreamState(poll, state);
}

function pollKind(api: ResearchApi): RequestKind {
  return api === 'agent' ? 'agent' : 'chat-poll';
}

async function applyUpstreamState(poll: Poll, state: UpstreamState): Promise<void> {
  const { deps, step, record, ageMs } = poll;
  switch (state.state) {
    case 'done':
      await endResearch(deps, record.id, { outcome: 'done', report: state.report });
      return;
    case 'failed':
      return failResearch(deps, record, 'failed', state.remedy);
    case 'cancelled':
      return failResearch(deps, record, 'cancelled');
    case 'empty': {
      const empty = step.empty + 1;
      return empty > MAX_EMPTY_POLLS
        ? failResearch(deps, record, 'empty')
        : scheduleNextPoll(poll, { empty });
    }
    case 'missing':
      return ageMs < FRESH_MS ? scheduleNextPoll(poll) : failResearch(deps, record, 'missing');
    case 'queued':
    case 'running':
      return scheduleNextPoll(poll, { phase: state.state });
  }
}

/** A failed poll says nothing about the job: it is polled again later. */
async function handlePollFailure(poll: Poll, failure: Failure): Promise<void> {
  if (failure.kind === 'stopped') throw failure;
  const { deps, record, ageMs } = poll;
  deps.log.warn({ research: record.name, ...toLogFields(failure) }, 'research cannot be polled');
  if (failure.kind === 'not-authorised') {
    await deps.alertAdmins(record.question, describeForAdmins(failure));
    if (ageMs > deps.settings.deadlineMs) return failResearch(deps, record, 'not-authorised');
  }
  if (record.api) await heedRefusal(deps, pollKind(record.api), failure);
  const isRefused = failure.kind === 'not-authorised' || failure.kind === 'rate-limited';
  const atLeastMs = Math.max(isRefused ? MAX_PAUSE_MS : 0, capRetryAfterMs(failure.retryAfterMs));
  await scheduleNextPoll(poll, { atLeastMs });
}

interface NextPoll {
  readonly phase?: 'queued' | 'running';
  readonly empty?: number;
  readonly atLeastMs?: number;
}

/** Enqueues the next poll before progress is shown, so that a failure there cannot end the polling. */
async function scheduleNextPoll(poll: Poll, { phase, empty, atLeastMs = 0 }: NextPoll = {}): Promise<void> {
  const { deps, step, record, ageMs } = poll;
  const { deadlineMs, firstPollMs } = deps.settings;
  if (deps.now() >= keptUntil(record)) return failResearch(deps, record, 'expired');
  const isLate = ageMs > deadlineMs;
  const number = step.poll + 1;
  const usualMs = isLate ? LATE_PAUSE_MS : pollPauseMs(number, firstPollMs, deps.random());
  const next = { step: 'poll', research: record.id, poll: number, empty: empty ?? step.empty } as const;
  await enqueueStep(deps.jobs, next, Math.max(usualMs, atLeastMs));
  const isNews = phase !== undefined && phase !== record.phase;
  if (isNews) await deps.researches.note(record.id, { phase });
  await showProgress({ ...poll, record: isNews ? { ...record, phase } : record }, isLate);
}

/** Shows progress on the card until the deadline, which is told once. A failure is logged only: the next poll shows more. */
async function showProgress({ deps, record, signal }: Poll, isLate: boolean): Promise<void> {
  try {
    if (isLate) await postBelow(deps, record, 'late', { notices: [formatLateNotice(record)] }, signal);
    else if (record.card && !record.isCardGone)
      await showCard(deps, record, { urgency: 'progress', isRepeat: true });
  } catch (error) {
    if (hasNoPlace(error)) await deps.researches.note(record.id, { isCardGone: true });
    deps.log.debug({ research: record.name, err: error }, 'research progress not shown');
  }
}
