import { elapsed } from '../explaining.ts';
import type { Ending, ResearchFault, ResearchRecord } from './ports.ts';
import { nextStep, type ResearchDeps } from './run.ts';

/** Ends a job: what it came to is stored and its delivery is put into the queue, both or neither. Without effect on an ended one. */
export async function endResearch(
  deps: ResearchDeps,
  { id, name, question, begunAt }: ResearchRecord,
  ending: Ending,
): Promise<void> {
  const next = [nextStep({ step: 'deliver', research: id, tries: 0 })];
  if (!(await deps.researches.end(id, ending, next))) return;
  const ms = deps.now() - begunAt;
  const outcome = ending.outcome === 'failed' ? ending.fault : ending.outcome;
  const log = { research: name, platform: question.platform, outcome, took: elapsed(ms) };
  deps.log[outcome === 'done' ? 'info' : 'warn'](log, 'research ended');
}

/** Ends a job without a report. */
export function failResearch(
  deps: ResearchDeps,
  record: ResearchRecord,
  fault: ResearchFault,
  remedy: string | null = null,
): Promise<void> {
  return endResearch(deps, record, { outcome: 'failed', fault, remedy });
}
