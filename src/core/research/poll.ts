import { describeRefusedKey } from '../answering/messages.ts';
import { Failure } from '../failures.ts';
import type { Job } from '../ports.ts';
import { formatLateNotice, hasNoPlace, messagesOf, showCard } from './card.ts';
import { pollRate, waitForSlot } from './limits.ts';
import type { ResearchApi, ResearchRecord, UpstreamState } from './ports.ts';
import { postBelow } from './post-below.ts';
import {
  endResearch,
  enqueueStep,
  failResearch,
  type ResearchDeps,
  type ResearchStep,
  toLogFields,
} from './step.ts';
import {
  capRetryAfterMs,
  isCardDue,
  isEditable,
  isFresh,
  keptUntil,
  LATE_PAUSE_MS,
  MAX_EMPTY_POLLS,
  type PollPace,
  pollPauseMs,
  refusedPollPauseMs,
} from './timing.ts';

type PollStep = Extract<ResearchStep, { step: 'poll' }>;

/** A job that runs upstream. */
interface RunningJob {
  readonly record: ResearchRecord;
  readonly api: ResearchApi;
  readonly upstream: string;
  readonly submittedAt: number;
}

/** Polls a job once: ends it, or shows its progress and enqueues the next poll. */
export async function pollResearch(deps: ResearchDeps, job: Job<PollStep>): Promise<void> {
  const record = await deps.researches.find(job.data.research);
  if (!record || record.state !== 'running' || !record.api || !record.upstream) return;
  const { api, upstream } = record;
  const running: RunningJob = { record, api, upstream, submittedAt: record.submittedAt ?? record.begunAt };
  const waitMs = await waitForSlot(deps, pollRate(deps, api), job.data.slotAt, job.signal);
  if (waitMs > 0) return enqueueStep(deps.jobs, { ...job.data, slotAt: deps.now() + waitMs }, waitMs);
  let state: UpstreamState;
  try {
    state = await deps.model.poll(api, upstream, job.signal);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return handlePollFailure(deps, job, running, error);
  }
  deps.log.debug({ research: record.name, poll: job.data.poll, state: state.state }, 'polled research');
  await applyUpstreamState(deps, job, running, state);
}

async function applyUpstreamState(
  deps: ResearchDeps,
  job: Job<PollStep>,
  running: RunningJob,
  state: UpstreamState,
): Promise<void> {
  const { record, submittedAt } = running;
  switch (state.state) {
    case 'done':
      return endResearch(deps, record, { outcome: 'done', report: state.report });
    case 'failed':
      return failResearch(deps, record, 'failed', state.remedy);
    case 'cancelled':
      return failResearch(deps, record, 'cancelled');
    case 'empty': {
      const empty = job.data.empty + 1;
      return empty > MAX_EMPTY_POLLS
        ? failResearch(deps, record, 'empty')
        : scheduleNextPoll(deps, job, running, { empty });
    }
    case 'missing':
      return isFresh(submittedAt, deps.now())
        ? scheduleNextPoll(deps, job, running, {})
        : failResearch(deps, record, 'missing');
    case 'queued':
    case 'running':
      return scheduleNextPoll(deps, job, running, { phase: state.state });
  }
}

/** A failed poll says nothing about the job: it is polled again later. */
async function handlePollFailure(
  deps: ResearchDeps,
  job: Job<PollStep>,
  running: RunningJob,
  failure: Failure,
): Promise<void> {
  if (failure.kind === 'stopped') throw failure;
  const { record, submittedAt } = running;
  deps.log.warn({ research: record.name, ...toLogFields(failure) }, 'research cannot be polled');
  if (failure.kind === 'not-authorised') {
    await deps.alertAdmins(record.question, describeRefusedKey(failure));
    if (deps.now() - submittedAt > deps.settings.deadlineMs)
      return failResearch(deps, record, 'not-authorised');
  }
  const isLong = failure.kind === 'not-authorised' || failure.kind === 'rate-limited';
  await scheduleNextPoll(deps, job, running, { atLeastMs: capRetryAfterMs(failure.retryAfterMs), isLong });
}

interface NextPoll {
  readonly phase?: 'queued' | 'running';
  readonly empty?: number;
  readonly atLeastMs?: number;
  /** Whether the pause is the longest one instead of the usual one. */
  readonly isLong?: boolean;
}

/** Enqueues the next poll before progress is shown, so that a failure there cannot end the polling. */
async function scheduleNextPoll(
  deps: ResearchDeps,
  job: Job<PollStep>,
  running: RunningJob,
  nextPoll: NextPoll,
): Promise<void> {
  const { record, api, submittedAt } = running;
  const { poll, empty, research } = job.data;
  const now = deps.now();
  if (now >= keptUntil(submittedAt)) return failResearch(deps, record, 'expired');
  const isLate = now - submittedAt > deps.settings.deadlineMs;
  const pace: PollPace = {
    firstMs: deps.settings.firstPollMs,
    running: await deps.researches.countRunning(api),
    perMinute: deps.settings.pollsPerMinute[api],
  };
  const usualMs = nextPoll.isLong
    ? refusedPollPauseMs(pace, deps.random())
    : pollPauseMs(poll + 1, pace, deps.random());
  const pauseMs = Math.max(isLate ? LATE_PAUSE_MS : usualMs, nextPoll.atLeastMs ?? 0);
  const next = {
    step: 'poll',
    research,
    poll: poll + 1,
    empty: nextPoll.empty ?? empty,
    slotAt: null,
  } as const;
  await enqueueStep(deps.jobs, next, pauseMs);
  if (nextPoll.phase && nextPoll.phase !== record.phase)
    await deps.researches.note(record.id, { phase: nextPoll.phase });
  await showProgress(deps, { ...record, phase: nextPoll.phase ?? record.phase }, record, isLate, job.signal);
}

/** Shows progress when it is due; a failure is logged only. */
async function showProgress(
  deps: ResearchDeps,
  record: ResearchRecord,
  before: ResearchRecord,
  isLate: boolean,
  signal: AbortSignal,
): Promise<void> {
  const now = deps.now();
  const { editableMs } = messagesOf(deps, record);
  const postedAt = record.cardPostedAt ?? now;
  const canEdit = record.card !== null && !record.isCardGone && isEditable(postedAt, editableMs, now);
  try {
    if (isLate && !record.isLateTold) {
      const late: ResearchRecord = { ...record, isLateTold: true };
      if (canEdit) await showCard(deps, late, { urgency: 'final', isRepeat: true });
      else await postBelow(deps, late, 'late', { notices: [formatLateNotice(late)] }, signal);
      // Recorded after the write: written twice does no harm, recorded without a write would be silence.
      await deps.researches.note(record.id, { isLateTold: true });
      return;
    }
    const isDue =
      record.phase !== before.phase ||
      isCardDue({ postedAt, shownAt: record.cardShownAt ?? 0 }, editableMs, now);
    if (canEdit && isDue) await showCard(deps, record, { urgency: 'progress', isRepeat: true });
  } catch (error) {
    if (hasNoPlace(error)) await deps.researches.note(record.id, { isCardGone: true });
    deps.log.debug({ research: record.name, err: error }, 'research progress not shown');
  }
}
