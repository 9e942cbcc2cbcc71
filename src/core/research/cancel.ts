import { sleep } from '../concurrency.ts';
import { shortId } from '../ids.ts';
import type { Log } from '../ports.ts';
import type { Person } from '../types.ts';
import type { Ending, Researches, ResearchRecord } from './ports.ts';
import { nextStep } from './step.ts';

/**
 * Ends a job by somebody's wish, with what is left to be done for it: cancelling upstream, the card. False when it has ended
 * already. A report that comes later is not delivered.
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

/** The record once it is known whether a stopped job was cancelled upstream, or as it is after `patienceMs`. */
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

/** Why a job cannot be stopped any more. */
export function alreadyEnded({ name, state }: ResearchRecord): string {
  if (state === 'done') return `${name} has already finished.`;
  return state === 'failed' ? `${name} has already failed.` : `${name} has already been stopped.`;
}

/** Whether a person may stop it. */
export function mayStop(record: ResearchRecord, person: Person, isAdmin: boolean): boolean {
  return isAdmin || record.question.asker.id === person.id;
}
