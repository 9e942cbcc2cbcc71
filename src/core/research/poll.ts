import { Failure } from '../failures.ts';
import type { Job } from '../ports.ts';
import { isPlaceless, lateLine, messagesOf, showCard } from './card.ts';
import { pollRate, waitForSlot } from './limits.ts';
import type { ResearchApi, ResearchRecord, UpstreamState } from './ports.ts';
import { postBelow } from './post-below.ts';
import {
  endResearch,
  enqueueStep,
  failResearch,
  failureFields,
  type ResearchDeps,
  type ResearchStep,
} from './step.ts';
import { alert } from './submit.ts';
import {
  heededMs,
  isCardDue,
  isEditable,
  isFresh,
  keptUntil,
  LATE_PAUSE_MS,
  MOST_EMPTY_LOOKS,
  type PollPace,
  pollPauseMs,
  refusedPollPauseMs,
} from './timing.ts';

type LookStep = Extract<ResearchStep, { step: 'look' }>;

/** A running job, as upstream knows it. */
interface Handed {
  readonly record: ResearchRecord;
  readonly api: ResearchApi;
  readonly upstream: string;
  readonly submittedAt: number;
}

/** One look at a job: ends it, or shows how it stands and puts the next look into the queue. */
export async function pollResearch(deps: ResearchDeps, job: Job<LookStep>): Promise<void> {
  const record = await deps.researches.find(job.data.research);
  if (!record || record.state !== 'running' || !record.api || !record.upstream) return;
  const { api, upstream } = record;
  const handed: Handed = { record, api, upstream, submittedAt: record.submittedAt ?? record.begunAt };
  const waitMs = await waitForSlot(deps, pollRate(deps, api), job.data.slotAt, job.signal);
  if (waitMs > 0) return enqueueStep(deps.jobs, { ...job.data, slotAt: deps.now() + waitMs }, waitMs);
  let state: UpstreamState;
  try {
    state = await deps.model.poll(api, upstream, job.signal);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return refused(deps, job, handed, error);
  }
  deps.log.debug({ research: record.name, look: job.data.look, state: state.state }, 'looked at research');
  await judge(deps, job, handed, state);
}

async function judge(
  deps: ResearchDeps,
  job: Job<LookStep>,
  handed: Handed,
  state: UpstreamState,
): Promise<void> {
  const { record, submittedAt } = handed;
  switch (state.state) {
    case 'done':
      return endResearch(deps, record, { outcome: 'done', report: state.report });
    case 'failed':
      return failResearch(deps, record, 'failed', state.remedy);
    case 'cancelled':
      return failResearch(deps, record, 'cancelled');
    case 'empty': {
      const empty = job.data.empty + 1;
      return empty > MOST_EMPTY_LOOKS
        ? failResearch(deps, record, 'empty')
        : goOn(deps, job, handed, { empty });
    }
    case 'missing':
      return isFresh(submittedAt, deps.now())
        ? goOn(deps, job, handed, {})
        : failResearch(deps, record, 'missing');
    case 'queued':
    case 'running':
      return goOn(deps, job, handed, { phase: state.state });
  }
}

/** A look that told nothing: the job is kept, the next look comes late. */
async function refused(
  deps: ResearchDeps,
  job: Job<LookStep>,
  handed: Handed,
  failure: Failure,
): Promise<void> {
  if (failure.kind === 'stopped') throw failure;
  const { record, submittedAt } = handed;
  deps.log.warn({ research: record.name, ...failureFields(failure) }, 'research cannot be looked at');
  if (failure.kind === 'not-authorised') {
    await alert(deps, record, failure);
    if (deps.now() - submittedAt > deps.settings.deadlineMs)
      return failResearch(deps, record, 'not-authorised');
  }
  const isLong = failure.kind === 'not-authorised' || failure.kind === 'rate-limited';
  await goOn(deps, job, handed, { atLeastMs: heededMs(failure.retryAfterMs), isLong });
}

interface Onward {
  readonly phase?: 'queued' | 'running';
  readonly empty?: number;
  readonly atLeastMs?: number;
  /** The longest pause instead of the usual one. */
  readonly isLong?: boolean;
}

/** The next look goes into the queue before anything is shown: what goes wrong there cannot end the looking. */
async function goOn(deps: ResearchDeps, job: Job<LookStep>, handed: Handed, onward: Onward): Promise<void> {
  const { record, api, submittedAt } = handed;
  const { look, empty, research } = job.data;
  const now = deps.now();
  if (now >= keptUntil(submittedAt)) return failResearch(deps, record, 'expired');
  const isLate = now - submittedAt > deps.settings.deadlineMs;
  const pace: PollPace = {
    firstMs: deps.settings.firstPollMs,
    running: await deps.researches.countRunning(api),
    perMinute: deps.settings.pollsPerMinute[api],
  };
  const usualMs = onward.isLong
    ? refusedPollPauseMs(pace, deps.random())
    : pollPauseMs(look + 1, pace, deps.random());
  const pauseMs = Math.max(isLate ? LATE_PAUSE_MS : usualMs, onward.atLeastMs ?? 0);
  const next = {
    step: 'look',
    research,
    look: look + 1,
    empty: onward.empty ?? empty,
    slotAt: null,
  } as const;
  await enqueueStep(deps.jobs, next, pauseMs);
  if (onward.phase && onward.phase !== record.phase)
    await deps.researches.note(record.id, { phase: onward.phase });
  await show(deps, { ...record, phase: onward.phase ?? record.phase }, record, isLate, job.signal);
}

/** Shows how it stands, where and when that is due. Progress that cannot be shown is no loss. */
async function show(
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
      else await postBelow(deps, late, 'late', { notices: [lateLine(late)] }, signal);
      // Either can be said twice without harm; a note without it would be a silence.
      await deps.researches.note(record.id, { isLateTold: true });
      return;
    }
    const isDue =
      record.phase !== before.phase ||
      isCardDue({ postedAt, shownAt: record.cardShownAt ?? 0 }, editableMs, now);
    if (canEdit && isDue) await showCard(deps, record, { urgency: 'progress', isRepeat: true });
  } catch (error) {
    if (isPlaceless(error)) await deps.researches.note(record.id, { isCardGone: true });
    deps.log.debug({ research: record.name, err: error }, 'research progress not shown');
  }
}
