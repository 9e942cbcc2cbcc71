import type { AnsweringDeps } from '../answering/deps.ts';
import { formatElapsed } from '../answering/messages.ts';
import type { Failure } from '../failures.ts';
import { idFrom } from '../ids.ts';
import type { Jobs, NextJob } from '../ports.ts';
import type { AnswerOptions, PlatformName, Question } from '../types.ts';
import type {
  Ending,
  Researches,
  ResearchFault,
  ResearchLimits,
  ResearchMessages,
  ResearchModel,
  ResearchRecord,
} from './ports.ts';

/** The queue of all research steps. Its key is the research job's id, so that the steps of one job run in order. */
export const RESEARCH_QUEUE = 'research';

/**
 * A job of the queue `research`. Every step is idempotent. A step that has to wait enqueues itself again with a delay, as try
 * or poll n+1, under an id made from that number.
 */
export type ResearchStep =
  /** Creates the record, posts the card, submits the job. */
  | {
      readonly step: 'submit';
      readonly question: Question;
      readonly tries: number;
      /** When its reserved slot for the submission comes. */
      readonly slotAt?: number;
      /** Since when its submission has been failing. */
      readonly failingSince?: number;
    }
  /** One poll upstream. `slotAt`: when its reserved slot comes, if it has one; `empty`: polls that found no report. */
  | {
      readonly step: 'poll';
      readonly research: string;
      readonly poll: number;
      readonly empty: number;
      readonly slotAt: number | null;
    }
  /** Finishes the card and notifies the asker. */
  | { readonly step: 'deliver'; readonly research: string; readonly tries: number }
  /** The question was deleted. */
  | { readonly step: 'withdraw'; readonly research: string; readonly tries: number };

interface ResearchSettings {
  readonly defaults: AnswerOptions;
  /** How much of the thread goes to the model, in characters. */
  readonly contextChars: number;
  readonly limits: ResearchLimits;
  /** After this time people are told that it takes longer, and polls become rare. */
  readonly deadlineMs: number;
  /** From the submission to the first poll. */
  readonly firstPollMs: number;
  /** Polls per minute over all jobs of one API; on the Agent API submissions count too. */
  readonly pollsPerMinute: Readonly<Record<'chat' | 'agent', number>>;
  /** Submissions per minute of asynchronous chat completions. */
  readonly submissionsPerMinute: number;
}

export interface ResearchDeps extends Omit<AnsweringDeps, 'model' | 'settings' | 'stops'> {
  readonly model: ResearchModel;
  readonly researches: Researches;
  readonly researchMessages: ReadonlyMap<PlatformName, ResearchMessages>;
  readonly settings: ResearchSettings;
  /** Milliseconds since the epoch; it may differ from the database's clock by seconds. */
  readonly now: () => number;
  /** 0 to 1. */
  readonly random: () => number;
}

/** A step as a job of the queue; equal steps have the same id. */
export function nextStep(step: ResearchStep, delayMs = 0): NextJob {
  const research = step.step === 'submit' ? step.question.id : step.research;
  return {
    queue: RESEARCH_QUEUE,
    data: step,
    options: { id: stepId(step), key: research, ...(delayMs > 0 && { delayMs }) },
  };
}

function stepId(step: ResearchStep): string {
  switch (step.step) {
    case 'submit':
      // The first try has the question's own id, so that duplicate deliveries of the question are dropped.
      return step.tries === 0 && step.slotAt === undefined
        ? step.question.id
        : idFrom('submit', step.question.id, String(step.tries), String(step.slotAt ?? ''));
    case 'poll':
      return idFrom('poll', step.research, String(step.poll), String(step.slotAt ?? ''));
    case 'deliver':
      return idFrom('deliver', step.research, String(step.tries));
    case 'withdraw':
      return idFrom('withdraw', step.research, String(step.tries));
  }
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

/** The question with the thread that its card has opened. */
export function questionInThread({ question, thread }: ResearchRecord): Question {
  return thread ? { ...question, thread } : question;
}

/** The log fields of a failure. */
export function toLogFields(failure: Failure): object {
  return { kind: failure.kind, status: failure.status, code: failure.code, err: failure };
}

/** Ends a job: stores its outcome and enqueues its delivery in one transaction. Does nothing to an ended job. */
export async function endResearch(
  deps: ResearchDeps,
  { id, name, question, begunAt }: ResearchRecord,
  ending: Ending,
): Promise<void> {
  const next = [nextStep({ step: 'deliver', research: id, tries: 0 })];
  if (!(await deps.researches.end(id, ending, next))) return;
  const ms = deps.now() - begunAt;
  const outcome = ending.outcome === 'failed' ? ending.fault : ending.outcome;
  const log = { research: name, platform: question.platform, outcome, took: formatElapsed(ms) };
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
