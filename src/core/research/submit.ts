import { describeForAdmins, needsAdmin } from '../answering/messages.ts';
import { sleep } from '../concurrency.ts';
import { Failure } from '../failures.ts';
import { researchName, shortId } from '../ids.ts';
import type { RequestKind } from '../model-rate-limiter.ts';
import type { Job } from '../ports.ts';
import { enqueueRefusal } from '../private-messages.ts';
import { isRetryable } from '../retry.ts';
import { refusalText } from './commands.ts';
import { hasNoPlace, showCard } from './messages.ts';
import type { ResearchApi, ResearchFault, ResearchRecord } from './ports.ts';
import { researchRequest } from './prompt.ts';
import { heedRefusal, takeSlot } from './request-slots.ts';
import {
  enqueueStep,
  failResearch,
  nextStep,
  type ResearchDeps,
  type SubmitStep,
  toLogFields,
} from './step.ts';
import { pollPauseMs, retryPauseMs } from './timing.ts';

/** A submission that fails for this long is given up. Waiting for a slot does not count. */
const MAX_FAILING_MS = 30 * 60_000;

/** Whoever goes on asking for more research than may run is told once in so many milliseconds. */
const REFUSED_TOLD_MS = 60_000;

/** One try to submit a job. */
interface Submission {
  readonly deps: ResearchDeps;
  readonly step: SubmitStep;
  readonly record: ResearchRecord;
  readonly signal: AbortSignal;
}

/**
 * Creates a job's record (which checks the limits), posts its card, submits it. It is idempotent: the record tells whether an
 * earlier run may have submitted the job.
 */
export async function submitResearch(
  deps: ResearchDeps,
  { data: step, attempt, signal }: Job<SubmitStep>,
): Promise<void> {
  const { question } = step;
  const created = await deps.researches.create(question, researchName(question.id), deps.settings.limits);
  if (created.type === 'refused') {
    deps.log.info({ question: shortId(question.id), by: created.by }, 'research refused: too many under way');
    const text = refusalText(created, question, deps.now());
    await enqueueRefusal(deps.jobs, question, 'refused', text, REFUSED_TOLD_MS);
    return;
  }
  let { record } = created;
  if (record.state !== 'begun' && record.state !== 'submitting') return;
  if (record.card === null) {
    const isRepeat = created.type === 'known' || attempt > 1;
    try {
      record = await showCard(deps, record, { urgency: 'final', isRepeat });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      deps.log.warn({ research: record.name, ...toLogFields(error) }, 'the card cannot be posted');
      if (hasNoPlace(error)) return failResearch(deps, record, 'no-place', error.remedy);
      return retryOrFail({ deps, step, record, signal }, error, 'no-place');
    }
  }
  await submitOnce({ deps, step, record, signal });
}

async function submitOnce(submission: Submission): Promise<void> {
  const { deps, step, record, signal } = submission;
  const { model, researches } = deps;
  const { id, question } = record;
  // The process ended between the call and the record of its outcome, or the outcome is unknown.
  const isInDoubt = record.state === 'submitting';
  const api = (isInDoubt && record.api) || model.api();
  if (isInDoubt && !model.isRepeatable(api)) return failResearch(deps, record, 'unknown');
  if (!(await takeSlot(deps, submitKind(api), step, signal))) return;
  const request = await researchRequest(deps, question, signal);
  if (!isInDoubt && !(await researches.submitting(id, api))) return;
  const effort = question.research?.effort ?? 'medium';
  try {
    const submitted = await model.submit({ api, request, effort, key: id, signal });
    await recordSubmission(submission, api, submitted);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    deps.log.warn({ research: record.name, api, ...toLogFields(error) }, 'research not handed in');
    await handleSubmitFailure(submission, api, error);
  }
}

/** How often recording a submitted job is tried: without the record the job would be paid for and lost. */
const STORE_PATIENCE = { tries: 60, pauseMs: 1_000 };

async function recordSubmission(
  { deps, record, signal }: Submission,
  api: ResearchApi,
  submitted: { readonly upstream: string; readonly notice?: string },
): Promise<void> {
  const { id, name, question } = record;
  const { researches, metrics, log, settings } = deps;
  const { upstream } = submitted;
  log.info({ research: name, platform: question.platform, api, upstream }, 'research begun');
  metrics.researchStarted(question.platform, api);
  const firstPoll = { step: 'poll', research: id, poll: 1, empty: 0 } as const;
  const next = nextStep(firstPoll, pollPauseMs(1, settings.firstPollMs, deps.random()));
  for (let tries = 1; ; tries++) {
    try {
      await researches.submitted(id, submitted, [next]);
      return;
    } catch (error) {
      if (tries >= STORE_PATIENCE.tries || signal.aborted) throw error;
      log.warn({ research: name, upstream, err: error }, 'a begun research job cannot be recorded yet');
      await sleep(STORE_PATIENCE.pauseMs, signal);
    }
  }
}

function submitKind(api: ResearchApi): RequestKind {
  return api === 'agent' ? 'agent' : 'chat-submit';
}

/** Decides about a failed submission: try again, give up, or say that its outcome is unknown. */
async function handleSubmitFailure(
  submission: Submission,
  api: ResearchApi,
  failure: Failure,
): Promise<void> {
  const { deps, record } = submission;
  const { kind, ambiguous, remedy } = failure;
  const canWait = isRetryable(failure) || kind === 'too-slow';
  await heedRefusal(deps, submitKind(api), failure);
  if (needsAdmin(failure)) await deps.alertAdmins(record.question, describeForAdmins(failure));
  // After a try in doubt even a refused one does not prove that no job is running.
  if (record.state === 'submitting' || ambiguous || kind === 'stopped') {
    // The API returns the same job for the same idempotency key. Without such a key a repeat could be billed twice.
    const isWorthIt = canWait || ambiguous || kind === 'stopped';
    if (isWorthIt && deps.model.isRepeatable(api)) return retryOrFail(submission, failure, 'unknown');
    return failResearch(deps, record, 'unknown');
  }
  await deps.researches.unsubmitted(record.id);
  if (canWait)
    return retryOrFail(submission, failure, kind === 'rate-limited' ? 'rate-limited' : 'unreachable');
  return failResearch(deps, record, kind === 'not-authorised' ? kind : 'rejected', remedy);
}

/** Enqueues the submission again, until it has been failing for too long. */
async function retryOrFail(
  { deps, step, record }: Submission,
  failure: Failure,
  fault: ResearchFault,
): Promise<void> {
  const tries = step.tries + 1;
  const pauseMs = retryPauseMs(tries, failure.retryAfterMs, deps.random());
  const { failingSince = deps.now() } = step;
  if (deps.now() + pauseMs - failingSince >= MAX_FAILING_MS) return failResearch(deps, record, fault);
  return enqueueStep(deps.jobs, { step: 'submit', question: record.question, tries, failingSince }, pauseMs);
}
