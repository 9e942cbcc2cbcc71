import { DEFAULT_WISH } from '../commands/options.ts';
import { idFrom } from '../ids.ts';
import type { AnswerRecord, ButtonPress, Jobs, ResearchIntake } from '../ports.ts';
import type { Question } from '../types.ts';
import { enqueueStep, nextStep, RESEARCH_QUEUE, type ResearchDeps } from './step.ts';
import { pressStop } from './stop.ts';

export type ResearchIntakeDeps = Pick<ResearchDeps, 'jobs' | 'researches' | 'log' | 'isAdmin'>;

/** Creates the part of the intake that concerns research. */
export function createResearchIntake(deps: ResearchIntakeDeps): ResearchIntake {
  return {
    accept: (question) => acceptResearch(deps.jobs, question),
    followUp: (press, record) => followUp(deps, press, record),
    pressStop: (press) => pressStop(deps, press),
    withdraw: (questionId) => withdrawResearch(deps, questionId),
  };
}

function acceptResearch(jobs: Jobs, question: Question): Promise<boolean> {
  const { queue, data, options } = nextStep({ step: 'submit', question, tries: 0 });
  return jobs.enqueue(queue, data, options);
}

/** Anybody may press it: the job then belongs to the presser and counts against their limits. */
async function followUp(
  deps: ResearchIntakeDeps,
  press: ButtonPress,
  record: AnswerRecord,
): Promise<Question | null> {
  const action = press.action === 'retry' ? 'retry' : 'research';
  const id = await findNextId(deps, action, press.question);
  return id === null ? null : toResearchQuestion(press, record, id);
}

/** Makes a research question out of one that was answered ("Dig deeper") or whose research failed ("Try again"). */
function toResearchQuestion(press: ButtonPress, { question, thread }: AnswerRecord, id: string): Question {
  const { profile: _answered, ...overrides } = question.overrides;
  return {
    ...question,
    id,
    thread: thread ?? question.thread,
    trigger: 'button',
    asker: press.presser,
    overrides,
    research: question.research ?? DEFAULT_WISH,
    delivery: { ...question.delivery, ...press.delivery },
    askedAt: Date.now(),
  };
}

/** One button starts no more jobs than this. */
const MAX_FROM_ONE = 20;

/**
 * Finds the id of the next job from one button: the same id for simultaneous presses, a new one after a refused or failed
 * job. Null while a job of the button exists.
 */
async function findNextId(
  { jobs, researches }: Pick<ResearchIntakeDeps, 'jobs' | 'researches'>,
  action: 'research' | 'retry',
  questionId: string,
): Promise<string | null> {
  for (let n = 1; n <= MAX_FROM_ONE; n++) {
    const id = idFrom(action, questionId, String(n));
    const record = await researches.find(id);
    if (record && record.state !== 'failed' && record.state !== 'stopped') return null;
    if (record) continue;
    if (!(await jobs.knows(RESEARCH_QUEUE, id))) return id;
    // A queued job without a record is about to be submitted, or was refused.
    if ((await jobs.depth(RESEARCH_QUEUE, id)) > 0) return null;
  }
  return null;
}

/** Enqueued, so that it runs after the job's current step. */
async function withdrawResearch({ jobs, researches }: ResearchIntakeDeps, questionId: string): Promise<void> {
  const isKnown =
    (await jobs.knows(RESEARCH_QUEUE, questionId)) || (await researches.find(questionId)) !== null;
  if (isKnown) await enqueueStep(jobs, { step: 'withdraw', research: questionId, tries: 0 });
}
