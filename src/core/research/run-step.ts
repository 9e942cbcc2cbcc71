import type { Job } from '../ports.ts';
import { stopResearch } from './cancel.ts';
import { deliverResearch, MAX_DELIVERY_MS } from './deliver.ts';
import { pollResearch } from './poll.ts';
import type { ResearchRecord } from './ports.ts';
import { enqueueStep, failResearch, isLive, type ResearchDeps, type ResearchStep } from './step.ts';
import { submitResearch } from './submit.ts';

/** Takes one step of a research job: begin → look → … → deliver. */
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

/** A step that failed in all its runs comes back after this. */
const REVIVE_MS = 60_000;
/** As long as upstream keeps a job. */
const MAX_REVIVED_MS = 7 * 24 * 3_600_000;
/** Begun and brought back so often, a job is given up; looks and deliveries have ends of their own. */
const MAX_BEGINNINGS = 5;

/**
 * The last word on a step whose job in the queue is dead: no research ends in silence. A look or a delivery goes on as the
 * next one; a beginning is tried again a few times, then explained.
 */
export async function reviveResearchStep(deps: ResearchDeps, step: ResearchStep): Promise<void> {
  const id = step.step === 'submit' ? step.question.id : step.research;
  const record = await deps.researches.find(id);
  deps.log.error({ research: record?.name ?? id, step: step.step }, 'a research step has failed for good');
  switch (step.step) {
    case 'submit': {
      const tries = step.tries + 1;
      if (tries <= MAX_BEGINNINGS) return enqueueStep(deps.jobs, { ...step, tries }, REVIVE_MS);
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

/** What is left of a delivery that fails whatever is tried: a state that `/jobs` shows. */
async function giveUpDelivery({ researches, metrics }: ResearchDeps, record: ResearchRecord): Promise<void> {
  await researches.noticed(record.id, record.notice === 'sending' ? 'unknown' : 'undeliverable', null, false);
  await researches.delivered(record.id);
  metrics.researchNoticed(record.question.platform, 'undeliverable');
}
