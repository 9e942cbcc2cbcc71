import { describeForAdmins } from '../answering/messages.ts';
import { Failure } from '../failures.ts';
import type { Job } from '../ports.ts';
import { formatLateNotice, hasNoPlace, showCard } from './card.ts';
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
import { capRetryAfterMs, keptUntil, LATE_PAUSE_MS, MAX_PAUSE_MS, pollPauseMs } from './timing.ts';

/** A job this new may not be known everywhere upstream. */
const FRESH_MS = 10 * 60_000;
/** A job that is complete but has no readable report is polled this often again. */
const MAX_EMPTY_POLLS = 5;

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
      return deps.now() - submittedAt < FRESH_MS
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
    await deps.alertAdmins(record.question, describeForAdmins(failure));
    if (deps.now() - submittedAt > deps.settings.deadlineMs)
      return failResearch(deps, record, 'not-authorised');
  }
  const isRefused = failure.kind === 'not-authorised' || failure.kind === 'rate-limited';
  const atLeastMs = Math.max(isRefused ? MAX_PAUSE_MS : 0, capRetryAfterMs(failure.retryAfterMs));
  await scheduleNextPoll(deps, job, running, { atLeastMs });
}

interface NextPoll {
  readonly phase?: 'queued' | 'running';
  readonly empty?: number;
  readonly atLeastMs?: number;
}

/** Enqueues the next poll before progress is shown, so that a failure there cannot end the polling. */
async function scheduleNextPoll(
  deps: ResearchDeps,
  { data, signal }: Job<PollStep>,
  { record, submittedAt }: RunningJob,
  { phase = record.phase ?? undefined, empty = data.empty, atLeastMs = 0 }: NextPoll,
): Promise<void> {
  const now = deps.now();
  if (now >= keptUntil(submittedAt)) return failResearch(deps, record, 'expired');
  const isLate = now - submittedAt > deps.settings.deadlineMs;
  const poll = data.poll + 1;
  const usualMs = isLate ? LATE_PAUSE_MS : pollPauseMs(poll, deps.settings.firstPollMs, deps.random());
  await enqueueStep(deps.jobs, { ...data, poll, empty, slotAt: null }, Math.max(usualMs, atLeastMs));
  if (phase && phase !== record.phase) await deps.researches.note(record.id, { phase });
  await showProgress(deps, { ...record, phase: phase ?? null }, isLate, signal);
}

/** Shows progress on the card until the deadline, which is told once. A failure is logged only: the next poll shows more. */
async function showProgress(
  deps: ResearchDeps,
  record: ResearchRecord,
  isLate: boolean,
  signal: AbortSignal,
): Promise<void> {
  try {
    if (isLate) await postBelow(deps, record, 'late', { notices: [formatLateNotice(record)] }, signal);
    else if (record.card && !record.isCardGone)
      await showCard(deps, record, { urgency: 'progress', isRepeat: true });
  } catch (error) {
    if (hasNoPlace(error)) await deps.researches.note(record.id, { isCardGone: true });
    deps.log.debug({ research: record.name, err: error }, 'research progress not shown');
  }
}
