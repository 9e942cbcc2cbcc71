import type { AnsweringDeps } from '../answering/deps.ts';
import { formatElapsed } from '../answering/messages.ts';
import type { Failure } from '../failures.ts';
import { idFrom } from '../ids.ts';
import type { Jobs, NextJob } from '../ports.ts';
import { type AnswerOptions, ownerOf, type PlatformName, type Question } from '../types.ts';
import type {
  Ending,
  Researches,
  ResearchFault,
  ResearchLimits,
  ResearchModel,
  ResearchPlatform,
  ResearchRecord,
} from './ports.ts';

/** The queue of all research steps. Its key is the research job's id, so that the steps of one job run in order. */
export const RESEARCH_QUEUE = 'research';

/**
 * What the queue `research` carries. Every step is idempotent. A step that has to wait enqueues itself again with a delay, as
 * try or poll n+1, under an id made from that number.
 */
export type ResearchStep =
  /** Creates the record, posts the card, submits the job. `failingSince`: since when its submission has been failing. */
  | (Slotted & {
      readonly step: 'submit';
      readonly question: Question;
      readonly tries: number;
      readonly failingSince?: number;
    })
  /** One poll upstream. `empty`: polls that found no report. */
  | (Slotted & {
      readonly step: 'poll';
      readonly research: string;
      readonly poll: number;
      readonly empty: number;
    })
  /** Finishes the card and notifies the asker. */
  | { readonly step: 'deliver'; readonly research: string; readonly tries: number }
  /** The question was deleted. */
  | { readonly step: 'withdraw'; readonly research: string; readonly tries: number };

/** A step that makes a request under a rate limit. */
interface Slotted {
  /** Its reservation, if it has one. */
  readonly slot?: string;
  /** The time that it waits for. */
  readonly slotAt?: number;
  /** Since when it has been letting others go first. */
  readonly asideSince?: number;
}

export type SubmitStep = Extract<ResearchStep, { step: 'submit' }>;
export type PollStep = Extract<ResearchStep, { step: 'poll' }>;

interface ResearchSettings {
  readonly defaults: AnswerOptions;
  /** How much of the thread goes to the model, in characters. */
  readonly contextChars: number;
  readonly limits: ResearchLimits;
  /** After this time people are told that it takes longer, and polls become rare. */
  readonly deadlineMs: number;
  /** From the submission to the first poll. */
  readonly firstPollMs: number;
}

export interface ResearchDeps extends Omit<AnsweringDeps, 'model' | 'platforms' | 'settings' | 'stops'> {
  readonly model: ResearchModel;
  readonly researches: Researches;
  readonly platforms: ReadonlyMap<PlatformName, ResearchPlatform>;
  readonly settings: ResearchSettings;
  /** Milliseconds since the epoch; it may differ from the database's clock by seconds. */
  readonly now: () => number;
  /** 0 to 1. */
  readonly random: () => number;
}

/** The platform of a question. @throws when it is not configured */
export function platformOf({ platforms }: ResearchDeps, { platform: name }: Question): ResearchPlatform {
  const platform = platforms.get(name);
  if (!platform) throw new Error(`the platform ${name} is not configured`);
  return platform;
}

/** The id of the research job that a step belongs to. */
export function researchOf(step: ResearchStep): string {
  return step.step === 'submit' ? step.question.id : step.research;
}

/** A step as the queue takes it; equal steps have the same id. */
export function nextStep(step: ResearchStep, delayMs = 0): NextJob {
  const options = {
    id: stepId(step),
    key: researchOf(step),
    ...(delayMs > 0 && { delayMs }),
    // What has begun goes on at once; only beginnings can come in any number.
    ...(step.step === 'submit' && { owner: ownerOf(step.question) }),
  };
  return { queue: RESEARCH_QUEUE, data: step, options };
}

function stepId(step: ResearchStep): string {
  const number = step.step === 'poll' ? step.poll : step.tries;
  const slotAt = 'slotAt' in step ? step.slotAt : null;
  // The first try has the question's own id, so that duplicate deliveries of the question are dropped.
  if (step.step === 'submit' && number === 0 && !slotAt) return step.question.id;
  return idFrom(step.step, researchOf(step), String(number), String(slotAt ?? ''));
}

/** Enqueues a step. */
export async function enqueueStep(jobs: Jobs, step: ResearchStep, delayMs = 0): Promise<void> {
  const { queue, data, options } = nextStep(step, delayMs);
  await jobs.enqueue(queue, data, options);
}

/** Whether the job has not ended yet. */
export function isLive({ state }: ResearchRecord): boolean {
  return state === 'begun' || state === 'submitting' || state === 'running';
}

/** `done`, `stopped` or why it failed, for logs and metrics. */
export function outcomeOf({ state, ending }: ResearchRecord): string {
  return ending?.outcome === 'failed' ? ending.fault : state;
}

/** The log fields of a failure. */
export function toLogFields(failure: Failure): object {
  return { kind: failure.kind, status: failure.status, code: failure.code, err: failure };
}

/**
 * Ends a job: stores its outcome and enqueues its delivery in one transaction. False when it has already ended: a report that
 * comes after a stop is not delivered.
 */
export async function endResearch(
  { researches, log }: Pick<ResearchDeps, 'researches' | 'log'>,
  id: string,
  ending: Ending,
): Promise<boolean> {
  const record = await researches.end(id, ending, [nextStep({ step: 'deliver', research: id, tries: 0 })]);
  if (!record) return false;
  const { name, question, begunAt, endedAt } = record;
  const took = formatElapsed((endedAt ?? begunAt) - begunAt);
  const fields = { research: name, platform: question.platform, outcome: outcomeOf(record), took };
  log[ending.outcome === 'failed' ? 'warn' : 'info'](fields, 'research ended');
  return true;
}

/** Ends a job without a report. */
export async function failResearch(
  deps: ResearchDeps,
  { id }: ResearchRecord,
  fault: ResearchFault,
  remedy?: string | null,
): Promise<void> {
  await endResearch(deps, id, { outcome: 'failed', fault, remedy: remedy ?? null });
}
