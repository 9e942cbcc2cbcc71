import { inBackground } from './background.ts';
import { idFrom } from './ids.ts';
import { createInOrder } from './in-order.ts';
import type {
  Accepted,
  AnswerRecord,
  Answers,
  ButtonPress,
  Intake,
  Jobs,
  Log,
  Metrics,
  Platform,
  Pressed,
  Threads,
} from './ports.ts';
import { ANSWER_QUEUE, type AnswerJob } from './run.ts';
import type { Stops } from './stops.ts';
import { type PlatformName, type Question, type ThreadRef, threadKey } from './types.ts';

/** When a message in a thread of ours counts as a question without a mention. */
export type FollowMode = 'auto' | 'always' | 'mention';

export interface IntakeDeps {
  readonly jobs: Jobs;
  readonly answers: Answers;
  readonly threads: Threads;
  readonly stops: Stops;
  readonly platforms: ReadonlyMap<PlatformName, Platform>;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly follow: FollowMode;
  /** Whether this person may act on other people's answers. */
  readonly isAdmin: (platform: PlatformName, personId: string) => boolean;
}

/** The queue for short words to a person that must be said once: refusals and alerts. */
export const WORD_QUEUE = 'word';

/** What the queue `word` carries: a whisper to an asker, or a direct message. */
export type WordJob =
  | { readonly type: 'whisper'; readonly question: Question; readonly text: string }
  | {
      readonly type: 'direct';
      readonly platform: PlatformName;
      readonly workspace: string;
      readonly person: string;
      readonly text: string;
    };

/** How many accepted questions are remembered in the process; the store remembers all of them. */
const MOST_KNOWN = 5_000;

/** More than this many questions of one thread are not queued behind each other. */
const MOST_WAITING = 5;

/** Creates the one door through which questions come in: decides, de-duplicates, stores. */
export function createIntake(deps: IntakeDeps): Intake {
  // After an outage a mention and what was said behind it arrive together: whether that is for us, only the mention says.
  const inOrder = createInOrder();
  const known = createRecent(MOST_KNOWN);
  const accept = async (heard: Question): Promise<Accepted> => {
    const key = heard.thread ? threadKey(heard.thread) : heard.id;
    const result = await inOrder(key, async () => {
      // Slack delivers every mention twice: the twin of what is on disk already costs the store nothing.
      if (known.has(heard.id)) return 'duplicate';
      const decided = await decide(deps, heard);
      if (decided === 'accepted') known.add(heard.id);
      return decided;
    });
    deps.metrics.heard(heard.platform, result);
    return result;
  };
  return {
    accept,
    press: (press) => takePress(deps, press),
    stop: (thread, by) => deps.stops.thread(thread, by),
    withdraw: (id) => deps.stops.question(id, 'deleted', null),
  };
}

async function decide(deps: IntakeDeps, heard: Question): Promise<Accepted> {
  const question = await placed(deps, heard);
  if (!(await isForUs(deps, question))) return 'ignored';
  const key = question.thread ? threadKey(question.thread) : question.id;
  // A thread's first message can have nothing in front of it: the common case is spared the look.
  const isFirst = !question.thread || question.thread.thread === question.message?.message;
  const depth = isFirst ? 0 : await deps.jobs.depth(ANSWER_QUEUE, key);
  if (depth > MOST_WAITING) {
    // A twin or a repeated delivery finds its own question among those that wait.
    return (await deps.jobs.knows(ANSWER_QUEUE, question.id)) ? 'duplicate' : refuse(deps, question);
  }

  const job: AnswerJob = { question, isMarked: depth > 0 };
  const [isNew] = await Promise.all([
    deps.jobs.enqueue(ANSWER_QUEUE, job, { id: question.id, key }),
    question.thread ? deps.threads.join(question.thread, question.asker.id) : null,
  ]);
  if (!isNew) return 'duplicate';
  if (depth > 0) {
    const platform = deps.platforms.get(question.platform);
    if (platform) inBackground(deps.log, 'mark', platform.markWaiting(question, true));
  }
  return 'accepted';
}

/** A set that forgets its oldest. */
function createRecent(most: number) {
  const entries = new Set<string>();
  return {
    has: (entry: string) => entries.has(entry),
    add(entry: string) {
      entries.add(entry);
      for (const oldest of entries) {
        if (entries.size <= most) return;
        entries.delete(oldest);
      }
    },
  };
}

/** A reply to one of our messages belongs to that message's thread, wherever it was written. */
async function placed(deps: IntakeDeps, question: Question): Promise<Question> {
  if (!question.repliesTo) return question;
  const thread: ThreadRef | null = await deps.answers.threadOf(question.repliesTo);
  return thread ? { ...question, thread } : question;
}

async function isForUs({ threads, follow }: IntakeDeps, question: Question): Promise<boolean> {
  if (question.trigger !== 'thread') return true;
  if (!question.thread) return false;
  // Counted in every mode and before the decision: a second human's first words make mentions necessary for both.
  const humans = await threads.hear(question.thread, question.asker.id);
  if (humans === null || follow === 'mention') return false;
  return follow === 'always' || humans <= 1;
}

async function refuse(deps: IntakeDeps, question: Question): Promise<Accepted> {
  const text = 'I am still answering here; ask again in a moment.';
  const job: WordJob = { type: 'whisper', question, text };
  const id = idFrom('busy', question.id);
  await deps.jobs.enqueue(WORD_QUEUE, job, { id, key: id });
  return 'busy';
}

async function takePress(deps: IntakeDeps, press: ButtonPress): Promise<Pressed> {
  const record = await deps.answers.find(press.question);
  if (!record) return said('This answer is too old for that; ask again.');
  if (press.action === 'sources') return { type: 'sources', sources: record.conclusion?.sources ?? [] };
  const { question } = record;
  if (press.presser.id !== question.asker.id && !deps.isAdmin(question.platform, press.presser.id)) {
    return said(`Only ${question.asker.name ?? 'the person who asked'} or an admin can do that.`);
  }
  if (press.action !== 'stop') return askAgain(deps, press, record);
  if (record.conclusion) return said('That answer has already ended.');
  await deps.stops.question(question.id, 'stopped', press.presser);
  return null;
}

async function askAgain(deps: IntakeDeps, press: ButtonPress, record: AnswerRecord): Promise<Pressed> {
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
  return (await decide(deps, again)) === 'duplicate' ? said('That is already on its way.') : null;
}

function said(text: string): Pressed {
  return { type: 'text', text };
}

const CONTINUE =
  'Your last answer was cut off. Continue it exactly where it stopped, without repeating what you wrote.';
