import { sleep } from '../concurrency.ts';
import { shortId } from '../ids.ts';
import type { Log } from '../ports.ts';
import type { Person } from '../types.ts';
import type { Ending, Researches, ResearchRecord } from './ports.ts';
import { nextStep } from './step.ts';

/**
 * Stops a job and enqueues what is left to do: cancelling it upstream and finishing its card. False when it has already ended.
 * A report that comes later is not delivered.
 */
export async function stopResearch(
  { researches, log }: { readonly researches: Researches; readonly log: Log },
  id: string,
  { reason, by }: { readonly reason: 'stopped' | 'deleted'; readonly by: Person | null },
): Promise<boolean> {
  const ending: Ending = { outcome: 'stopped', reason, by };
  const next = [nextStep({ step: 'deliver', research: id, tries: 0 })];
  const ended = await researches.end(id, ending, next);
  if (ended) log.info({ research: ended.name, question: shortId(id), reason }, 'research stopped');
  return ended !== null;
}

const LOOK_EVERY_MS = 100;

/** Reads the record of a stopped job once it is known whether upstream cancelled it, or after `patienceMs` at the latest. */
export async function whenSettled(
  researches: Researches,
  id: string,
  patienceMs: number,
): Promise<ResearchRecord | null> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const record = await researches.find(id);
    const isOpen = record?.state === 'stopped' && record.isCancelled === null;
    if (!isOpen || performance.now() >= end) return record;
    await sleep(LOOK_EVERY_MS);
  }
}

/** Tells why a job can no longer be stopped. */
export function alreadyEnded({ name, state }: ResearchRecord): string {
  if (state === 'done') return `${name} has already finished.`;
  return state === 'failed' ? `${name} has already failed.` : `${name} has already been stopped.`;
}
