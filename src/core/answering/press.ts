import { idFrom } from '../ids.ts';
import type { Accepted, AnswerRecord, ButtonPress, Pressed, ResearchIntake } from '../ports.ts';
import type { Question } from '../types.ts';
import type { AnsweringDeps } from './deps.ts';
import { explainMayNot, mayStop } from './stop.ts';

export interface PressDeps extends Pick<AnsweringDeps, 'answers' | 'stops' | 'isAdmin'> {
  readonly research: ResearchIntake;
  /** Stores a question that is known to be for us. */
  readonly accept: (question: Question) => Promise<Accepted>;
}

/**
 * Does what a button says: Stop, Retry and Continue for the asker and admins, all others for anybody. Resolves
 * with what the presser alone is told; null when the answer itself shows it.
 */
export async function pressButton(deps: PressDeps, press: ButtonPress): Promise<Pressed> {
  // A research card has a record of its own; the answer's may not be there yet, or no longer.
  const stopped = press.action === 'stop' ? await deps.research.pressStop(press) : undefined;
  if (stopped !== undefined) return stopped;
  const record = await deps.answers.find(press.question);
  if (!record) return tell('This answer is too old for that; ask again.');
  if (press.action === 'sources') return { type: 'sources', sources: record.conclusion?.sources ?? [] };
  if (press.action === 'research') return startResearch(deps, press, record);
  const related = record.conclusion?.buttons.find(({ action, asks }) => asks && action === press.action);
  if (related?.asks) return askRelated(deps, press, record, related.asks);
  const { question } = record;
  if (!mayStop(deps, question, press.presser.id)) return tell(explainMayNot(question));
  if (press.action === 'retry' && question.research) return startResearch(deps, press, record);
  if (press.action !== 'stop') return askAgain(deps, press, record);
  if (record.conclusion) return tell('That answer has already ended.');
  await deps.stops.question(question.id, 'stopped', press.presser);
  return null;
}

async function askAgain(deps: PressDeps, press: ButtonPress, record: AnswerRecord): Promise<Pressed> {
  const { question, thread } = record;
  const again: Question = {
    ...question,
    id: idFrom(press.action, question.id),
    thread: thread ?? question.thread,
    trigger: 'button',
    text: press.action === 'continue' ? CONTINUE : question.text,
    delivery: { ...question.delivery, ...press.delivery },
    askedAt: Date.now(),
  };
  return (await deps.accept(again)) === 'duplicate' ? tell('That is already on its way.') : null;
}

/** Asks a related question in the name of the presser; once, whoever presses. */
async function askRelated(
  deps: PressDeps,
  press: ButtonPress,
  { question, thread }: AnswerRecord,
  text: string,
): Promise<Pressed> {
  const related: Question = {
    ...question,
    id: idFrom(press.action, question.id),
    thread: thread ?? question.thread,
    message: null,
    repliesTo: null,
    trigger: 'button',
    asker: press.presser,
    text,
    isRestated: true,
    quotes: [],
    attachments: [],
    delivery: { ...question.delivery, ...press.delivery },
    askedAt: Date.now(),
  };
  return (await deps.accept(related)) === 'duplicate' ? tell('That is already on its way.') : null;
}

async function startResearch(deps: PressDeps, press: ButtonPress, record: AnswerRecord): Promise<Pressed> {
  const question = await deps.research.followUp(press, record);
  const isNew = question !== null && (await deps.accept(question)) === 'accepted';
  return isNew ? null : tell('That is already being researched, or has been.');
}

function tell(text: string): Pressed {
  return { type: 'text', text };
}

const CONTINUE =
  'Your last answer was cut off. Continue it exactly where it stopped, without repeating what you wrote.';
