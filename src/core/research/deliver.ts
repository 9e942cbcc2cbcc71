import { ANSWER_QUEUE } from '../answering/deps.ts';
import { Failure } from '../failures.ts';
import { idFrom } from '../ids.ts';
import type { Job } from '../ports.ts';
import { isRetryable } from '../retry.ts';
import { threadKey } from '../types.ts';
import { ATTEMPT, hasNoPlace, recordMessages, showCard } from './card.ts';
import { composeNotification } from './notification.ts';
import { notifyAsker } from './notify.ts';
import type { ResearchRecord } from './ports.ts';
import { postBelow } from './post-below.ts';
import type { RememberJob } from './remember.ts';
import { enqueueStep, questionInThread, type ResearchDeps, type ResearchStep, toLogFields } from './step.ts';
import { retryPauseMs } from './timing.ts';

type DeliverStep = Extract<ResearchStep, { step: 'deliver' }>;

/** A delivery that the platform cannot take is given up after this time. */
export const MAX_DELIVERY_MS = 24 * 3_600_000;
/** The card's final edit is optional: the notification says the same. */
const MAX_CARD_TRIES = 6;

/**
 * Delivers an ended job: cancels a stopped one upstream, finishes the card, enqueues the report for the thread's history,
 * notifies the asker, posts the report below the card where files are not allowed. Each part is recorded or idempotent; a
 * part that the platform cannot take now is tried again later.
 */
export async function deliverResearch(deps: ResearchDeps, job: Job<DeliverStep>): Promise<void> {
  const found = await deps.researches.find(job.data.research);
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

  const mayWaitForCard = mayWait && job.data.tries < MAX_CARD_TRIES;
  await attempt('cancel', () => cancelUpstream(deps, found, mayWaitForCard, job.signal), mayWaitForCard);
  let record = (await deps.researches.find(found.id)) ?? found;
  await attempt(
    'card',
    async () => {
      record = await endCard(deps, record);
    },
    mayWaitForCard,
  );
  await enqueueRemember(deps, record);
  const isTold = await attempt('notice', async () => {
    record = await notifyAsker(deps, record, mayWait);
  });
  if (isTold) await attempt('report', () => postReportBelow(deps, record, job.signal));
  if (waits.length > 0) {
    const tries = job.data.tries + 1;
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
async function enqueueRemember({ jobs }: ResearchDeps, record: ResearchRecord): Promise<void> {
  const { thread } = questionInThread(record);
  if (record.state !== 'done' || !thread) return;
  const job: RememberJob = { remember: record.id };
  await jobs.enqueue(ANSWER_QUEUE, job, { id: idFrom('remember', record.id), key: threadKey(thread) });
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
  const outcome = record.ending?.outcome === 'failed' ? record.ending.fault : record.state;
  deps.metrics.researchEnded(question.platform, outcome, (record.endedAt ?? deps.now()) - begunAt);
  if (told) deps.metrics.researchNoticed(question.platform, notice);
  deps.log.info({ research: name, platform: question.platform, outcome, notice }, 'research delivered');
}
