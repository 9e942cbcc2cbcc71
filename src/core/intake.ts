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
import {
  acceptResearch,
  acceptWord,
  nextResearchId,
  pressStop,
  readCommand,
  researchFrom,
  withdrawResearch,
} from './research/intake.ts';
import type { Researches } from './research/ports.ts';
import { ANSWER_QUEUE, type AnswerJob } from './run.ts';
import type { Stops } from './stops.ts';
import { type PlatformName, type Question, type ThreadRef, threadKey } from './types.ts';
import { WORD_QUEUE, type WordJob } from './words.ts';

/** When a message in a thread of ours counts as a question without a mention. */
export type FollowMode = 'auto' | 'always' | 'mention';

export interface IntakeDeps {
  readonly jobs: Jobs;
  readonly answers: Answers;
  readonly researches: Researches;
  readonly threads: Threads;
  readonly stops: Stops;
  readonly platforms: ReadonlyMap<PlatformName, Platform>;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly follow: FollowMode;
  /** Whether this person may act on other people's answers. */
  readonly isAdmin: (platform: PlatformName, personId: string) => boolean;
}

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
    async withdraw(id) {
      await Promise.all([deps.stops.question(id, 'deleted', null), withdrawResearch(deps.jobs, id)]);
    },
  };
}

async function decide(deps: IntakeDeps, heard: Question): Promise<Accepted> {
  const said = await placed(deps, heard);
  if (!(await isForUs(deps, said))) return 'ignored';
  const read = readCommand(said);
  if (read.type === 'word') return (await acceptWord(deps.jobs, said, read.word)) ? 'accepted' : 'duplicate';
  const { question } = read;
  return question.research ? decideResearch(deps, question) : decideAnswer(deps, question);
}

/** Research goes beside the answers of its thread: it neither waits for them nor keeps them waiting. */
async function decideResearch(deps: IntakeDeps, question: Question): Promise<Accepted> {
  const [isNew] = await Promise.all([
    acceptResearch(deps.jobs, question),
    question.thread ? deps.threads.join(question.thread, question.asker.id) : null,
  ]);
  return isNew ? 'accepted' : 'duplicate';
}

async function decideAnswer(deps: IntakeDeps, question: Question): Promise<Accepted> {
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
  // A card's record of the answer may not be there yet, or no longer.
  const stopped = press.action === 'stop' ? await pressStop(deps, press) : undefined;
  if (stopped !== undefined) return stopped;
  const record = await deps.answers.find(press.question);
  if (!record) return said('This answer is too old for that; ask again.');
  if (press.action === 'sources') return { type: 'sources', sources: record.conclusion?.sources ?? [] };
  if (press.action === 'research') return startResearch(deps, press, record);
  const { question } = record;
  if (press.presser.id !== question.asker.id && !deps.isAdmin(question.platform, press.presser.id)) {
    return said(`Only ${question.asker.name ?? 'the person who asked'} or an admin can do that.`);
  }
  if (press.action === 'retry' && question.research) return startResearch(deps, press, record);
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

/** Anybody may, as anybody may ask: it is the presser's job then, within the presser's limits. */
async function startResearch(deps: IntakeDeps, press: ButtonPress, record: AnswerRecord): Promise<Pressed> {
  const action = press.action === 'retry' ? 'retry' : 'research';
  const id = await nextResearchId(deps, action, press.question);
  const isNew = id !== null && (await decideResearch(deps, researchFrom(press, record, id))) === 'accepted';
  return isNew ? null : said('That is already being researched, or has been.');
}

function said(text: string): Pressed {
  return { type: 'text', text };
}

const CONTINUE =
  'Your last answer was cut off. Continue it exactly where it stopped, without repeating what you wrote.';
