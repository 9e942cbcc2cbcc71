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
      await endResearch(deps, data.research, { outcome: 'stopped', reason: 'deleted', by: null });
  }
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
