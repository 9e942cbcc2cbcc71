import { describeForAdmins, needsAdmin } from '../answering/messages.ts';
import { sleep } from '../concurrency.ts';
import { Failure } from '../failures.ts';
import { researchName, shortId } from '../ids.ts';
import { enqueueReply } from '../notifications.ts';
import type { Job } from '../ports.ts';
import { isRetryable } from '../retry.ts';
import { hasNoPlace, showCard } from './card.ts';
import { refusalText, submissionRate, waitForSlot } from './limits.ts';
import type { ResearchApi, ResearchFault, ResearchRecord } from './ports.ts';
import { researchRequest } from './prompt.ts';
import {
  enqueueStep,
  failResearch,
  nextStep,
  questionInThread,
  type ResearchDeps,
  type ResearchStep,
  toLogFields,
} from './step.ts';
import { pollPauseMs, retryPauseMs } from './timing.ts';

type SubmitStep = Extract<ResearchStep, { step: 'submit' }>;

/** A submission that fails for this long is given up. Waiting for a slot does not count. */
const MAX_FAILING_MS = 30 * 60_000;

/**
 * Creates a job's record (which checks the limits), posts its card, submits it. It is idempotent: the record tells whether an
 * earlier run may have submitted the job.
 */
export async function submitResearch(deps: ResearchDeps, job: Job<SubmitStep>): Promise<void> {
  const { question } = job.data;
  const created = await deps.researches.create(question, researchName(question.id), deps.settings.limits);
  if (created.type === 'refused') {
    deps.log.info({ question: shortId(question.id), by: created.by }, 'research refused: too many under way');
    await enqueueReply(deps.jobs, question, 'refused', refusalText(created, question, deps.now()));
    return;
  }
  let { record } = created;
  if (record.state !== 'begun' && record.state !== 'submitting') return;
  if (record.card === null && !record.isCardGone) {
    const isRepeat = created.type === 'known' || job.attempt > 1;
    const shown = await postCard(deps, job, record, isRepeat);
    if (!shown) return;
    record = shown;
  }
  await submitOnce(deps, job, record);
}

/** Resolves with null when the card cannot be posted: the job has failed, or the step runs again later. */
async function postCard(
  deps: ResearchDeps,
  job: Job<SubmitStep>,
  record: ResearchRecord,
  isRepeat: boolean,
): Promise<ResearchRecord | null> {
  try {
    return await showCard(deps, record, { urgency: 'final', isRepeat });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    deps.log.warn({ research: record.name, ...toLogFields(error) }, 'the card cannot be posted');
    if (hasNoPlace(error)) {
      await deps.researches.note(record.id, { isCardGone: true });
      await failResearch(deps, record, 'no-place', error.remedy ?? null);
    } else await retryOrFail(deps, job, record, error, 'no-place');
    return null;
  }
}

/** A submission in progress. */
interface Submission {
  readonly api: ResearchApi;
  /** Whether an earlier try may have submitted the job: then even a refused try does not prove that none is running. */
  readonly isInDoubt: boolean;
}

async function submitOnce(deps: ResearchDeps, job: Job<SubmitStep>, record: ResearchRecord): Promise<void> {
  const { model, researches } = deps;
  const isInDoubt = record.state === 'submitting';
  const api = (isInDoubt && record.api) || model.api();
  // The process ended between the call and the record of its outcome.
  if (isInDoubt && !model.isRepeatable(api)) return failResearch(deps, record, 'unknown');
  const waitMs = await waitForSlot(deps, submissionRate(deps, api), job.data.slotAt ?? null, job.signal);
  if (waitMs > 0) return enqueueStep(deps.jobs, { ...job.data, slotAt: deps.now() + waitMs }, waitMs);
  const question = questionInThread(record);
  const request = await researchRequest(deps, question, job.signal);
  if (!isInDoubt && !(await researches.submitting(record.id, api))) return;
  const effort = question.research?.effort ?? 'medium';
  const submission: Submission = { api, isInDoubt };
  try {
    const submitted = await model.submit({ api, request, effort, key: record.id, signal: job.signal });
    if (submitted === 'retired') return await handleRetiredApi(deps, job, record, submission);
    await recordSubmission(deps, job, record, api, submitted);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    deps.log.warn({ research: record.name, api, ...toLogFields(error) }, 'research not handed in');
    await handleSubmitFailure(deps, job, record, submission, error);
  }
}

/** How often recording a submitted job is tried: without the record the job would be paid for and lost. */
const STORE_PATIENCE = { tries: 60, pauseMs: 1_000 };

async function recordSubmission(
  deps: ResearchDeps,
  { signal }: Job<SubmitStep>,
  { id, name, question }: ResearchRecord,
  api: ResearchApi,
  submitted: { readonly upstream: string; readonly notice?: string },
): Promise<void> {
  const { researches, metrics, log } = deps;
  const { upstream } = submitted;
  log.info({ research: name, platform: question.platform, api, upstream }, 'research begun');
  metrics.researchStarted(question.platform, api);
  const firstPoll = { step: 'poll', research: id, poll: 1, empty: 0, slotAt: null } as const;
  const pauseMs = pollPauseMs(1, deps.settings.firstPollMs, deps.random());
  for (let tries = 1; ; tries++) {
    try {
      await researches.submitted(id, submitted, [nextStep(firstPoll, pauseMs)]);
      return;
    } catch (error) {
      if (tries >= STORE_PATIENCE.tries || signal.aborted) throw error;
      log.warn(
        { research: name, upstream, err: error },
        'a begun research job cannot be recorded; trying again',
      );
      await sleep(STORE_PATIENCE.pauseMs, signal);
    }
  }
}

/** This API is retired for our key: nothing was submitted, and the next try uses the other one. */
async function handleRetiredApi(
  deps: ResearchDeps,
  job: Job<SubmitStep>,
  record: ResearchRecord,
  { isInDoubt }: Submission,
): Promise<void> {
  if (isInDoubt) return failResearch(deps, record, 'unknown');
  await deps.researches.unsubmitted(record.id);
  return retryOrFail(deps, job, record, new Failure('unreachable', 'this API is retired'), 'rejected');
}

/** Decides about a failed submission: try again, give up, or say that its outcome is unknown. */
async function handleSubmitFailure(
  deps: ResearchDeps,
  job: Job<SubmitStep>,
  record: ResearchRecord,
  { api, isInDoubt }: Submission,
  failure: Failure,
): Promise<void> {
  const canWait = isRetryable(failure) || failure.kind === 'too-slow';
  if (needsAdmin(failure)) await deps.alertAdmins(record.question, describeForAdmins(failure));
  if (isInDoubt || failure.ambiguous || failure.kind === 'stopped') {
    // The API returns the same job for the same idempotency key. Without such a key a repeat could be billed twice.
    const isWorthIt = canWait || failure.ambiguous || failure.kind === 'stopped';
    if (isWorthIt && deps.model.isRepeatable(api)) return retryOrFail(deps, job, record, failure, 'unknown');
    return failResearch(deps, record, 'unknown');
  }
  await deps.researches.unsubmitted(record.id);
  const fault = failure.kind === 'rate-limited' ? 'rate-limited' : 'unreachable';
  if (canWait) return retryOrFail(deps, job, record, failure, fault);
  const final = failure.kind === 'not-authorised' ? 'not-authorised' : 'rejected';
  return failResearch(deps, record, final, failure.remedy ?? null);
}

/** Enqueues the submission again, until it has been failing for too long. */
async function retryOrFail(
  deps: ResearchDeps,
  job: Job<SubmitStep>,
  record: ResearchRecord,
  failure: Failure,
  fault: ResearchFault,
): Promise<void> {
  const tries = job.data.tries + 1;
  const pauseMs = retryPauseMs(tries, failure.retryAfterMs, deps.random());
  const { failingSince = deps.now() } = job.data;
  if (deps.now() + pauseMs - failingSince >= MAX_FAILING_MS) return failResearch(deps, record, fault);
  return enqueueStep(deps.jobs, { step: 'submit', question: record.question, tries, failingSince }, pauseMs);
}
