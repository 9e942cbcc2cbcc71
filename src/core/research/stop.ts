import { explainMayNot, mayStop } from '../answering/stop.ts';
import { sleep } from '../concurrency.ts';
import type { ButtonPress, Pressed } from '../ports.ts';
import type { Person } from '../types.ts';
import type { ResearchRecord } from './ports.ts';
import { endResearch, type ResearchDeps } from './step.ts';

type StopDeps = Pick<ResearchDeps, 'researches' | 'log' | 'isAdmin'>;

/** Handles Stop on a card; see `ResearchIntake.pressStop`. */
export async function pressStop(deps: StopDeps, press: ButtonPress): Promise<Pressed | undefined> {
  const record = await deps.researches.find(press.question);
  if (!record) return undefined;
  const { question } = record;
  const isAllowed = mayStop(deps, question, press.presser.id);
  const text = isAllowed ? await stopResearch(deps, record, press.presser) : explainMayNot(question);
  return text === null ? null : { type: 'text', text };
}

/** Stops a job for somebody who may. What is left, cancelling upstream and ending the card, follows. Tells why it cannot be. */
export async function stopResearch(
  deps: StopDeps,
  record: ResearchRecord,
  by: Person,
): Promise<string | null> {
  if (await endResearch(deps, record.id, { outcome: 'stopped', reason: 'stopped', by })) return null;
  const { name, state } = (await deps.researches.find(record.id)) ?? record;
  if (state === 'done') return `${name} has already finished.`;
  return state === 'failed' ? `${name} has already failed.` : `${name} has already been stopped.`;
}

const LOOK_EVERY_MS = 100;

/** Reads the record of a stopped job once it is known whether upstream cancelled it, or after `patienceMs` at the latest. */
export async function whenSettled(
  { researches }: StopDeps,
  id: string,
  patienceMs: number,
): Promise<ResearchRecord | null> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const record = await researches.find(id);
    if (record?.isCancelled !== null || performance.now() >= end) return record;
    await sleep(LOOK_EVERY_MS);
  }
}
