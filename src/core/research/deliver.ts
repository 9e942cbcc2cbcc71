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

/** A platform that stays out of reach for so long is not waited for any longer. */
export const MAX_DELIVERY_MS = 24 * 3_600_000;
/** The card's end is nice to have; what it lacks then is in the notice. */
const MAX_CARD_TRIES = 6;

/**
 * Brings an ended job to its people: cancels a stopped one upstream, ends the card, has the thread remember the report, tells
 * the asker, writes the report below where files are not allowed. Each part is recorded or idempotent; what the platform
 * cannot take now is tried again later.
 */
export async function deliverResearch(deps: ResearchDeps, job: Job<DeliverStep>): Promise<void> {
  const found = await deps.researches.find(job.data.research);
  if (!found?.ending || found.isDelivered) return;
  const mayWait = deps.now() - (found.endedAt ?? found.begunAt) < MAX_DELIVERY_MS;
  const waits: number[] = [];
  /** Runs one part; true when it is done, or will never be. */
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

/** Another try will not cure it. A refused token is for an admin to cure, and then it will. */
function isLasting(failure: Failure): boolean {
  return !isRetryable(failure) && failure.kind !== 'too-slow' && failure.kind !== 'not-authorised';
}

/** Ends a stopped job upstream and records whether that could be. */
async function cancelUpstream(
  deps: ResearchDeps,
  { id, state, api, upstream, isCancelled }: ResearchRecord,
  mayWait: boolean,
  signal: AbortSignal,
): Promise<void> {
  if (state !== 'stopped' || isCancelled !== null) return;
  const { researches, model } = deps;
  // No API has it: nothing can be billed. Without its id there it may have been begun, and cannot be ended.
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

/** In the thread's own order, before anybody is told: a question about the report comes behind it. */
async function enqueueRemember({ jobs }: ResearchDeps, record: ResearchRecord): Promise<void> {
  const { thread } = questionInThread(record);
  if (record.state !== 'done' || !thread) return;
  const job: RememberJob = { remember: record.id };
  await jobs.enqueue(ANSWER_QUEUE, job, { id: idFrom('remember', record.id), key: threadKey(thread) });
}

/** Where files are not allowed, the report follows in the thread. */
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
  if (told) await deps.answers.conclude(id, ATTEMPT, told.view, questionInThread(record).thread);
  await deps.answers.delivered(id, ATTEMPT);
  await deps.researches.delivered(id);
  const outcome = record.ending?.outcome === 'failed' ? record.ending.fault : record.state;
  deps.metrics.researchEnded(question.platform, outcome, (record.endedAt ?? deps.now()) - begunAt);
  if (told) deps.metrics.researchNoticed(question.platform, notice);
  deps.log.info({ research: name, platform: question.platform, outcome, notice }, 'research delivered');
}
