import type { History } from '../answering/history.ts';
import { formatElapsed } from '../answering/messages.ts';
import type { Failure } from '../failures.ts';
import { idFrom } from '../ids.ts';
import type { Answers, Jobs, Log, Metrics, NextJob, Platform, Threads } from '../ports.ts';
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

/** What the steps of a research job need and hand to each other. */

/** The queue of all research steps; its key is the job's id, so one job's steps never run side by side. */
export const RESEARCH_QUEUE = 'research';

/**
 * What the queue `research` carries. Every step can be run again at any point; what has to wait puts itself back with a
 * delay, as try or look n+1, under an id made from that number.
 */
export type ResearchStep =
  /** Writes the record, posts the card, hands the job in. */
  | {
      readonly step: 'submit';
      readonly question: Question;
      readonly tries: number;
      /** When its turn to be handed in comes, if it has one. */
      readonly slotAt?: number;
      /** Since when it cannot be begun. */
      readonly failingSince?: number;
    }
  /** One look upstream. `slotAt`: when its turn in the API's budget comes, if it has one; `empty`: looks that found no report. */
  | {
      readonly step: 'poll';
      readonly research: string;
      readonly poll: number;
      readonly empty: number;
      readonly slotAt: number | null;
    }
  /** Brings the card to its end and tells the asker. */
  | { readonly step: 'deliver'; readonly research: string; readonly tries: number }
  /** The question was deleted. */
  | { readonly step: 'withdraw'; readonly research: string; readonly tries: number };

interface ResearchSettings {
  readonly defaults: AnswerOptions;
  /** How much of the thread the model gets to see, in characters. */
  readonly contextChars: number;
  readonly limits: ResearchLimits;
  /** After so long people are told, and looks become rare. */
  readonly deadlineMs: number;
  /** From handing a job in to the first look at it. */
  readonly firstPollMs: number;
  /** Looks per minute at all jobs of one API; on the Agent API submissions count too. */
  readonly pollsPerMinute: Readonly<Record<'chat' | 'agent', number>>;
  /** Submissions per minute of asynchronous chat completions. */
  readonly submissionsPerMinute: number;
}

export interface ResearchDeps {
  readonly model: ResearchModel;
  readonly researches: Researches;
  readonly researchMessages: ReadonlyMap<PlatformName, ResearchMessages>;
  readonly platforms: ReadonlyMap<PlatformName, Platform>;
  readonly jobs: Jobs;
  readonly answers: Answers;
  readonly history: History;
  readonly threads: Threads;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly settings: ResearchSettings;
  /** Whether this person may act on other people's jobs. */
  readonly isAdmin: (platform: PlatformName, personId: string) => boolean;
  readonly hasAdmins: (platform: PlatformName) => boolean;
  readonly alertAdmins: (question: Question, text: string) => Promise<void>;
  /** Milliseconds since the epoch; the database's clock and this one are taken to agree within seconds. */
  readonly now: () => number;
  /** 0 to 1. */
  readonly random: () => number;
}

/** A step as a job of the queue; the same step is the same job. */
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
      // The first is known by the question's own id: that is how its twins are found.
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

/** Puts a step into the queue. */
export async function enqueueStep(jobs: Jobs, step: ResearchStep, delayMs = 0): Promise<void> {
  const { queue, data, options } = nextStep(step, delayMs);
  await jobs.enqueue(queue, data, options);
}

/** Nothing has ended it yet. */
export function isLive({ state }: ResearchRecord): boolean {
  return state === 'begun' || state === 'submitting' || state === 'running';
}

/** The question as its messages need it: in the thread that its card has opened. */
export function questionInThread({ question, thread }: ResearchRecord): Question {
  return thread ? { ...question, thread } : question;
}

/** The fields of a log line about a failure outside. */
export function toLogFields(failure: Failure): object {
  return { kind: failure.kind, status: failure.status, code: failure.code, err: failure };
}

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
