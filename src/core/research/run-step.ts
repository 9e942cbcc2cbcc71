import type { Job } from '../ports.ts';
import { stopResearch } from './cancel.ts';
import { deliverResearch, MAX_DELIVERY_MS } from './deliver.ts';
import { pollResearch } from './poll.ts';
import type { ResearchRecord } from './ports.ts';
import { enqueueStep, failResearch, isLive, type ResearchDeps, type ResearchStep } from './step.ts';
import { submitResearch } from './submit.ts';

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
      await stopResearch(deps, data.research, { reason: 'deleted', by: null });
  }
}

/** The delay before a dead step is enqueued again. */
const REVIVE_MS = 60_000;
/** Perplexity keeps a job for seven days. */
const MAX_REVIVED_MS = 7 * 24 * 3_600_000;
/** A job whose submission died this often is given up. Polls and deliveries end by their age. */
const MAX_DEAD_SUBMISSIONS = 5;

/**
 * Handles a step whose queue job is dead, so that no research ends in silence: a poll or a delivery is enqueued again as the
 * next one; a submission a few times, and then the asker is told.
 */
export async function reviveResearchStep(deps: ResearchDeps, step: ResearchStep): Promise<void> {
  const id = step.step === 'submit' ? step.question.id : step.research;
  const record = await deps.researches.find(id);
  deps.log.error({ research: record?.name ?? id, step: step.step }, 'a research step has failed for good');
  switch (step.step) {
    case 'submit': {
      const tries = step.tries + 1;
      if (tries <= MAX_DEAD_SUBMISSIONS) return enqueueStep(deps.jobs, { ...step, tries }, REVIVE_MS);
      if (record && isLive(record)) return failResearch(deps, record, 'given-up');
      if (record) return;
      const text = 'I could not begin your research. Please ask again.';
      return deps.platforms.get(step.question.platform)?.replyPrivately(step.question, text);
    }
    case 'poll':
      if (!record || !isLive(record)) return;
      if (deps.now() - record.begunAt > MAX_REVIVED_MS) return failResearch(deps, record, 'given-up');
      return enqueueStep(deps.jobs, { ...step, poll: step.poll + 1, slotAt: null }, REVIVE_MS);
    case 'deliver':
      if (!record || record.isDelivered) return;
      if (deps.now() - (record.endedAt ?? 0) > MAX_DELIVERY_MS) return giveUpDelivery(deps, record);
      return enqueueStep(deps.jobs, { ...step, tries: step.tries + 1 }, REVIVE_MS);
    case 'withdraw':
      if (!record || !isLive(record)) return;
      return enqueueStep(deps.jobs, { ...step, tries: step.tries + 1 }, REVIVE_MS);
  }
}

/** Records a delivery that has failed for good; `/jobs` shows it. */
async function giveUpDelivery({ researches, metrics }: ResearchDeps, record: ResearchRecord): Promise<void> {
  await researches.noticed(record.id, record.notice === 'sending' ? 'unknown' : 'undeliverable', null, false);
  await researches.delivered(record.id);
  metrics.researchNoticed(record.question.platform, 'undeliverable');
}
