import { type Command, parseCommand } from '../commands/parse.ts';
import { createGate, createKeyedQueue, runInBackground } from '../concurrency.ts';
import type { Accepted, Heard, Intake, JobsRequest, KeyValue, ResearchIntake } from '../ports.ts';
import { enqueuePrivateMessage, enqueueRefusal, type PrivateMessage } from '../private-messages.ts';
import { ownerKey, ownerOf, type Question, type ThreadRef, threadKey } from '../types.ts';
import { conversationOf, orderKey } from './conversation.ts';
import { ANSWER_QUEUE, type AnsweringDeps, type AnswerJob } from './deps.ts';
import { type FollowMode, hearMessage, isForUs } from './follow.ts';
import { withdrawQuestion } from './forget.ts';
import { HELP } from './messages.ts';
import { pressButton } from './press.ts';
import { isThanks } from './thanks.ts';
import { createWaitingLimit, type WaitingLimit, type WaitingLimits } from './waiting-limit.ts';

export interface IntakeDeps
  extends Pick<
    AnsweringDeps,
    'jobs' | 'answers' | 'history' | 'threads' | 'stops' | 'platforms' | 'metrics' | 'log' | 'isAdmin'
  > {
  readonly research: ResearchIntake;
  readonly follow: FollowMode;
  readonly waiting: WaitingLimits;
  /** Keeps which questions were refused. */
  readonly refused: KeyValue;
}

interface AcceptDeps extends IntakeDeps {
  readonly limit: WaitingLimit;
}

/** More than this many questions of one thread are not queued behind each other. */
const MAX_WAITING_IN_THREAD = 5;
/** What was refused stays refused: Slack sends a mention twice, and after an outage Discord's messages are read again. */
const REFUSED_MS = 24 * 3_600_000;
/** Each takes a few statements, and the database has 15 connections. */
const MESSAGES_AT_ONCE = 30;
/** Slack delivers every mention twice, at nearly the same time: the second needs no statement. */
const TWIN_MS = 10_000;

/**
 * Creates the one place where questions come in. Platforms have read them from payloads (`questions.ts` of each); here it is
 * decided whether a message without a mention is one, duplicates are dropped, and the question is stored.
 */
export function createIntake(intakeDeps: IntakeDeps): Intake {
  const { jobs, waiting } = intakeDeps;
  const deps: AcceptDeps = { ...intakeDeps, limit: createWaitingLimit(jobs, waiting) };
  // After an outage a mention and its follow-ups arrive together, and only the mention makes the follow-ups ours.
  const inThread = createKeyedQueue();
  // A rush of one person is counted as it is stored, and keeps nobody else from being heard.
  const ofPerson = createKeyedQueue();
  const atOnce = createGate(MESSAGES_AT_ONCE);
  const inTurn = (question: Question, accept: typeof acceptMessage): Promise<Accepted> => {
    return ofPerson(ownerKey(ownerOf(question)), () => atOnce(() => accept(deps, question)));
  };
  const stored = new Set<string>();
  const acceptOnce = async (question: Question): Promise<Accepted> => {
    if (stored.has(question.id)) return 'duplicate';
    const result = await inTurn(question, acceptMessage);
    if (result !== 'accepted') return result;
    stored.add(question.id);
    setTimeout(() => stored.delete(question.id), TWIN_MS).unref();
    return result;
  };
  return {
    async accept(question) {
      const key = question.thread ? orderKey(question.thread) : question.id;
      const result = await inThread(key, () => acceptOnce(question));
      deps.metrics.heard(question.platform, result);
      return result;
    },
    press: (press) => pressButton({ ...deps, accept: (question) => inTurn(question, acceptQuestion) }, press),
    stop: (thread, by) => deps.stops.thread(thread, by),
    async revise(question) {
      const key = question.thread ? orderKey(question.thread) : question.id;
      await inThread(key, () => reviseQuestion(deps, question));
    },
    async overhear(thread, at) {
      await deps.threads.hear(thread, null, at);
    },
    async withdraw(id) {
      // First: whatever begins from now on finds it.
      await deps.stops.question(id, 'deleted', null);
      await Promise.all([withdrawQuestion(deps, id), deps.research.withdraw(id)]);
    },
  };
}

async function acceptMessage(deps: AcceptDeps, message: Question): Promise<Accepted> {
  const question = await placeReply(deps, message);
  const heard = await hearMessage(deps, question);
  if (!(await isForUs(deps, question, heard))) return 'ignored';
  if (isThanks(question)) {
    const platform = deps.platforms.get(question.platform);
    if (platform) runInBackground(deps.log, 'acknowledge', platform.acknowledge(question));
    return 'ignored';
  }
  const command = readCommand(question);
  if (!command) return acceptQuestion(deps, question, heard);
  if (command.type === 'research') {
    const { text, research } = command;
    const overrides = { ...question.overrides, ...command.overrides };
    return acceptQuestion(deps, { ...question, text, overrides, research });
  }
  const isNew = await enqueuePrivateMessage(deps.jobs, toPrivateMessage(question, command), [
    'command',
    question.id,
  ]);
  return isNew ? 'accepted' : 'duplicate';
}

/** Reads what is written instead of a question; a slash command, a shortcut and a button have said so already. */
function readCommand({ trigger, research, text }: Question): Command | null {
  const isWritten = trigger === 'mention' || trigger === 'dm' || trigger === 'reply' || trigger === 'thread';
  return isWritten && !research ? parseCommand(text) : null;
}

function toPrivateMessage(
  question: Question,
  command: Exclude<Command, { type: 'research' }>,
): PrivateMessage {
  if (command.type === 'help') return { type: 'reply', question, text: HELP };
  if (command.type === 'say') return { type: 'reply', question, text: command.text };
  const { platform, workspace, asker } = question;
  const { action, job } = command;
  // Not every platform can show the answer to a typed command to one person alone.
  const request: JobsRequest = { platform, workspace, person: asker, action, job, isOpen: true };
  return { type: 'jobs', question, request };
}

function acceptQuestion(deps: AcceptDeps, question: Question, heard: Heard | null = null): Promise<Accepted> {
  return question.research ? acceptResearch(deps, question) : acceptForAnswer(deps, question, heard);
}

/** Research runs beside the answers of its thread: it neither waits for them nor keeps them waiting. */
async function acceptResearch({ research, threads }: IntakeDeps, question: Question): Promise<Accepted> {
  const [isNew] = await Promise.all([
    research.accept(question),
    question.thread ? threads.join(question.thread, question.asker.id, question.askedAt) : null,
  ]);
  return isNew ? 'accepted' : 'duplicate';
}

async function acceptForAnswer(deps: AcceptDeps, question: Question, heard: Heard | null): Promise<Accepted> {
  const key = question.thread ? orderKey(question.thread) : question.id;
  // A thread's first message can have nothing in front of it: the common case needs no query.
  const conversation = conversationOf(question);
  const isFirst = !conversation || conversation.thread === question.message?.message;
  const [depth, wasRefused, waiting] = await Promise.all([
    isFirst ? 0 : deps.jobs.depth(ANSWER_QUEUE, key),
    deps.refused.get(question.id),
    deps.limit.count(question),
  ]);
  if (wasRefused) return 'duplicate';
  const refusal = await (depth > MAX_WAITING_IN_THREAD
    ? refuse(deps, question)
    : deps.limit.check(question, waiting));
  if (refusal) {
    if (refusal !== 'duplicate') await deps.refused.set(question.id, true, REFUSED_MS);
    return refusal;
  }
  const job: AnswerJob = { question, isMarked: depth > 0, ...(heard && { heardAt: heard.before }) };
  const [isNew] = await Promise.all([
    deps.jobs.enqueue(ANSWER_QUEUE, job, { id: question.id, key, owner: ownerOf(question) }),
    question.thread ? deps.threads.join(question.thread, question.asker.id, question.askedAt) : null,
    conversation && conversation !== question.thread
      ? deps.threads.join(conversation, question.asker.id, question.askedAt)
      : null,
  ]);
  if (!isNew) return 'duplicate';
  if (depth > 0) {
    const platform = deps.platforms.get(question.platform);
    if (platform) runInBackground(deps.log, 'mark as waiting', platform.markWaiting(question, true));
  }
  return 'accepted';
}

/** What is a command now was a question when it was taken, and stays the one that it was. */
async function reviseQuestion(deps: AcceptDeps, edited: Question): Promise<void> {
  const question = await placeReply(deps, edited);
  if (readCommand(question)) return;
  // Whether it is marked is not known: to take down a mark that is not there does no harm.
  const job: AnswerJob = { question, isMarked: true };
  await deps.jobs.replace(ANSWER_QUEUE, question.id, job, 'waiting');
}

/** A reply to one of our messages belongs to that message's thread, wherever it was written. */
async function placeReply(deps: IntakeDeps, question: Question): Promise<Question> {
  if (!question.repliesTo) return question;
  const thread: ThreadRef | null = await deps.answers.threadOf(question.repliesTo);
  return thread ? { ...question, thread } : question;
}

/** Whoever goes on asking in a thread that is full is told once in so many milliseconds. */
const BUSY_TOLD_MS = 60_000;

async function refuse({ jobs }: IntakeDeps, question: Question): Promise<Accepted> {
  // A duplicate or a repeated delivery finds its own question among those that wait.
  if (await jobs.knows(ANSWER_QUEUE, question.id)) return 'duplicate';
  const what = question.thread ? `busy ${threadKey(question.thread)}` : 'busy';
  const text = 'I am still answering here; ask again in a moment.';
  await enqueueRefusal(jobs, question, what, text, BUSY_TOLD_MS);
  return 'busy';
}
