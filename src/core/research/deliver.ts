import { orderKey } from '../answering/conversation.ts';
import { ANSWER_QUEUE } from '../answering/deps.ts';
import { createNames, NAMES_PATIENCE_MS } from '../answering/names.ts';
import { questionTurn } from '../answering/prompt.ts';
import { recallThread } from '../answering/recall.ts';
import { Failure } from '../failures.ts';
import { idFrom } from '../ids.ts';
import type { Job } from '../ports.ts';
import { isRetryable } from '../retry.ts';
import type { Turn } from '../types.ts';
import { ATTEMPT, hasNoPlace, postBelow, recordMessages, showCard } from './messages.ts';
import { composeNotification, notifyAsker } from './notification.ts';
import type { ResearchRecord } from './ports.ts';
import { enqueueStep, outcomeOf, type ResearchDeps, type ResearchStep, toLogFields } from './step.ts';
import { retryPauseMs } from './timing.ts';

type DeliverStep = Extract<ResearchStep, { step: 'deliver' }>;

/** A job of the queue `answer` that appends a report to its thread's history, in order, as each history has one writer. */
export interface RememberJob {
  /** The id of the research job. */
  readonly remember: string;
}

/** A delivery that the platform cannot take is given up after this time. */
export const MAX_DELIVERY_MS = 24 * 3_600_000;
/** The card's final edit is optional: the notification says the same. */
const MAX_CARD_TRIES = 6;

/**
 * Delivers an ended job: cancels a stopped one upstream, finishes the card, enqueues the report for the thread's history,
 * notifies the asker, posts the report below the card where files are not allowed. Each part is recorded or idempotent; a
 * part that the platform cannot take now is tried again later.
 */
export async function deliverResearch(
  deps: ResearchDeps,
  { data: step, signal }: Job<DeliverStep>,
): Promise<void> {
  const found = await deps.researches.find(step.research);
  if (!found?.ending || found.isDelivered) return;
  const mayWait = deps.now() - (found.endedAt ?? found.begunAt) < MAX_DELIVERY_MS;
  const waits: number[] = [];
  /** Runs one part; true when it is done, or has failed for good. */
  const attempt = async (what: string, run: () => Promise<void>, canWait = mayWait): Promise<boolean> => {
    try {
      await run();
      return true;
    } catch (error) {
      if (!(error instanceof Failure) || error.kind === 'stopped') throw error;
      deps.log.warn({ research: found.name, what, ...toLogFields(error) }, 'research not delivered yet');
      if (!isLasting(error) && canWait) {
        waits.push(error.retryAfterMs ?? 0);
        return false;
      }
      return true;
    }
  };

  const mayWaitForCard = mayWait && step.tries < MAX_CARD_TRIES;
  await attempt('cancel', () => cancelUpstream(deps, found, mayWaitForCard, signal), mayWaitForCard);
  let record = (await deps.researches.find(found.id)) ?? found;
  await attempt('card', async () => void (record = await endCard(deps, record)), mayWaitForCard);
  await enqueueRemember(deps, record);
  const isTold = await attempt(
    'notice',
    async () => void (record = await notifyAsker(deps, record, mayWait)),
  );
  if (isTold) await attempt('report', () => postReportBelow(deps, record, signal));
  if (waits.length > 0) {
    const tries = step.tries + 1;
    const pauseMs = retryPauseMs(tries, Math.max(...waits), deps.random());
    return enqueueStep(deps.jobs, { step: 'deliver', research: record.id, tries }, pauseMs);
  }
  await finishDelivery(deps, record);
}

/** Whether another try is useless. A refused token is not: an admin can replace it. */
function isLasting(failure: Failure): boolean {
  return !isRetryable(failure) && failure.kind !== 'too-slow' && failure.kind !== 'not-authorised';
}

/** Cancels a stopped job upstream and records whether that was possible. */
async function cancelUpstream(
  deps: ResearchDeps,
  { id, state, api, upstream, isCancelled }: ResearchRecord,
  mayWait: boolean,
  signal: AbortSignal,
): Promise<void> {
  if (state !== 'stopped' || isCancelled !== null) return;
  const { researches, model } = deps;
  // Without an API nothing was submitted or billed. With an API but no id the job may run and cannot be cancelled.
  if (api === null || upstream === null) return researches.note(id, { isCancelled: api === null });
  try {
    // Counted, but not waited for: until then it would go on being billed.
    if (api === 'agent') await deps.modelRateLimiter.reserve('agent');
    await researches.note(id, { isCancelled: await model.cancel(api, upstream, signal) });
  } catch (error) {
    if (error instanceof Failure && (isLasting(error) || !mayWait))
      await researches.note(id, { isCancelled: false });
    throw error;
  }
}

async function endCard(deps: ResearchDeps, record: ResearchRecord): Promise<ResearchRecord> {
  if (record.isCardGone) return record;
  try {
    return await showCard(deps, record, { urgency: 'final', isRepeat: true });
  } catch (error) {
    if (!hasNoPlace(error)) throw error;
    await deps.researches.note(record.id, { isCardGone: true });
    return { ...record, isCardGone: true };
  }
}

/** Enqueued before the notification, so that questions about the report find it in the history. */
async function enqueueRemember(
  { jobs }: ResearchDeps,
  { id, state, question }: ResearchRecord,
): Promise<void> {
  if (state !== 'done' || !question.thread) return;
  const job: RememberJob = { remember: id };
  await jobs.enqueue(ANSWER_QUEUE, job, { id: idFrom('remember', id), key: orderKey(question.thread) });
}

/** Appends a whole report to its thread's history; the prompt bounds how much of it goes to the model. */
export async function rememberReport(
  { researches, history, platforms }: ResearchDeps,
  { data, signal }: Job<RememberJob>,
): Promise<void> {
  const record = await researches.find(data.remember);
  if (record?.ending?.outcome !== 'done') return;
  const { question, ending, endedAt } = record;
  const platform = platforms.get(question.platform);
  if (!question.thread || !platform) return;
  const { said } = await recallThread({ history, platform }, question, undefined, signal);
  const { text } = ending.report;
  const reported: Turn = { role: 'assistant', author: null, text, at: endedAt ?? Date.now() };
  const names = createNames(platform, question.workspace);
  const asked = await names.complete([...said.turns, questionTurn(question)], NAMES_PATIENCE_MS);
  await history.append(question.thread, question, [...asked, reported], { isCut: said.isCut });
}

/** Posts the report in the thread where files are not allowed. */
async function postReportBelow(
  deps: ResearchDeps,
  record: ResearchRecord,
  signal: AbortSignal,
): Promise<void> {
  if (record.ending?.outcome !== 'done' || record.notice !== 'sent' || record.hasFile !== false) return;
  const { text, sources } = record.ending.report;
  await postBelow(deps, record, 'report', { text, sources }, signal);
}

async function finishDelivery(deps: ResearchDeps, record: ResearchRecord): Promise<void> {
  const { id, name, question, notice, begunAt } = record;
  const told = composeNotification(record, deps.hasAdmins(question.platform));
  await recordMessages(deps, record);
  if (told) await deps.answers.conclude(id, ATTEMPT, told.view);
  await deps.answers.delivered(id, ATTEMPT);
  await deps.researches.delivered(id);
  const outcome = outcomeOf(record);
  deps.metrics.researchEnded(question.platform, outcome, (record.endedAt ?? deps.now()) - begunAt);
  if (told) deps.metrics.researchNoticed(question.platform, notice);
  deps.log.info({ research: name, platform: question.platform, outcome, notice }, 'research delivered');
}
