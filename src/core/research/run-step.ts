import type { Job } from '../ports.ts';
import type { Question } from '../types.ts';
import { deliverResearch, MAX_DELIVERY_MS } from './deliver.ts';
import { pollResearch } from './poll.ts';
import type { ResearchRecord } from './ports.ts';
import {
  endResearch,
  enqueueStep,
  failResearch,
  isLive,
  RESEARCH_QUEUE,
  type ResearchDeps,
  type ResearchStep,
  researchOf,
} from './step.ts';
import { submitResearch } from './submit.ts';
import { keptUntil } from './timing.ts';

/** Runs one step of a research job: submit → poll → … → deliver. */
export async function runResearchStep(deps: ResearchDeps, job: Job<ResearchStep>): Promise<void> {
  const { data } = job;
  switch (data.step) {
    case 'submit':
      return submitResearch(deps, { ...job, data });
    case 'poll':
      return pollResearch(deps, { ...job, data });
    case 'deliver':
      return deliverResearch(deps, { ...job, data });
    case 'withdraw':
      return withdrawResearch(deps, data);
  }
}

/** How often it is looked whether a report is delivered, before it is forgotten. */
const FORGET_AGAIN_MS = 60_000;

/** Ends the job of a deleted question, and forgets what it asked and what was found. */
async function withdrawResearch(
  deps: ResearchDeps,
  { research, tries }: Extract<ResearchStep, { step: 'withdraw' }>,
): Promise<void> {
  await endResearch(deps, research, { outcome: 'stopped', reason: 'deleted', by: null });
  const record = await deps.researches.find(research);
  // What is to be delivered is needed for that.
  if (record?.ending?.outcome === 'done' && !record.isDelivered)
    return enqueueStep(deps.jobs, { step: 'withdraw', research, tries: tries + 1 }, FORGET_AGAIN_MS);
  await deps.researches.forget(research);
  const submitted: ResearchStep = { step: 'withdraw', research, tries: 0 };
  await deps.jobs.replace(RESEARCH_QUEUE, research, submitted, 'any');
}

/** The delay before a dead step is enqueued again. */
const REVIVE_MS = 60_000;
/** A job whose submission died this often is given up. Polls and deliveries end by their age. */
const MAX_DEAD_SUBMISSIONS = 5;

/**
 * Handles a step whose queue job is dead, so that no research ends in silence: it is enqueued again as the next try or poll; a
 * submission only a few times, and then the asker is told.
 */
export async function reviveResearchStep(deps: ResearchDeps, step: ResearchStep): Promise<void> {
  const id = researchOf(step);
  const record = await deps.researches.find(id);
  deps.log.error({ research: record?.name ?? id, step: step.step }, 'a research step has failed for good');
  switch (step.step) {
    case 'submit':
      if (step.tries < MAX_DEAD_SUBMISSIONS) break;
      return giveUpSubmission(deps, step.question, record);
    case 'poll':
    case 'withdraw':
      if (!record || !isLive(record)) return;
      if (deps.now() > keptUntil(record)) return failResearch(deps, record, 'given-up');
      break;
    case 'deliver':
      if (!record || record.isDelivered) return;
      if (deps.now() - (record.endedAt ?? 0) > MAX_DELIVERY_MS) return giveUpDelivery(deps, record);
      break;
  }
  const next = step.step === 'poll' ? { ...step, poll: step.poll + 1 } : { ...step, tries: step.tries + 1 };
  await enqueueStep(deps.jobs, next, REVIVE_MS);
}

async function giveUpSubmission(
  deps: ResearchDeps,
  question: Question,
  record: ResearchRecord | null,
): Promise<void> {
  if (record) return isLive(record) ? failResearch(deps, record, 'given-up') : undefined;
  const text = 'I could not begin your research. Please ask again.';
  await deps.platforms.get(question.platform)?.replyPrivately(question, text);
}

/** Records a delivery that has failed for good; `/jobs` shows it. */
async function giveUpDelivery({ researches, metrics }: ResearchDeps, record: ResearchRecord): Promise<void> {
  await researches.noticed(record.id, record.notice === 'sending' ? 'unknown' : 'undeliverable', null, false);
  await researches.delivered(record.id);
  metrics.researchNoticed(record.question.platform, 'undeliverable');
}
