import { type Command, parseCommand } from '../commands.ts';
import { DEFAULT_WISH } from '../flags.ts';
import { HELP } from '../help.ts';
import { idFrom } from '../ids.ts';
import type { AnswerRecord, ButtonPress, Jobs, Log, Pressed } from '../ports.ts';
import type { PlatformName, Question } from '../types.ts';
import { WORD_QUEUE, type WordJob } from '../words.ts';
import type { JobsRequest, Researches } from './ports.ts';
import { enqueueStep, isLive, nextStep, RESEARCH_QUEUE } from './run.ts';
import { alreadyEnded, mayStop, stopResearch } from './stopping.ts';

export interface ResearchIntakeDeps {
  readonly jobs: Jobs;
  readonly researches: Researches;
  readonly log: Log;
  readonly isAdmin: (platform: PlatformName, personId: string) => boolean;
}

/** A question, or what its text asks for instead: `research` is part of the question then. */
export type Read =
  | { readonly type: 'question'; readonly question: Question }
  | { readonly type: 'word'; readonly word: WordJob };

/** What a message asks for. What came by a command, a shortcut or a button has said so already. */
export function readCommand(question: Question): Read {
  const isWritten = /^(?:mention|dm|reply|thread)$/.test(question.trigger) && !question.research;
  const command = isWritten ? parseCommand(question.text) : null;
  if (!command) return { type: 'question', question };
  if (command.type !== 'research') return { type: 'word', word: wordFor(question, command) };
  const { text, research } = command;
  const overrides = { ...question.overrides, ...command.overrides };
  return { type: 'question', question: { ...question, text, overrides, research } };
}

function wordFor(question: Question, command: Exclude<Command, { type: 'research' }>): WordJob {
  if (command.type !== 'jobs') {
    return { type: 'whisper', question, text: command.type === 'help' ? HELP : command.text };
  }
  const { platform, workspace, asker } = question;
  const { action, job } = command;
  // Not every platform can show a typed command's answer to one person alone.
  const request: JobsRequest = { platform, workspace, person: asker, action, job, isOpen: true };
  return { type: 'jobs', question, request };
}

/** Takes a research question: on disk and de-duplicated, beside the answers of its thread. False when it is known. */
export function acceptResearch(jobs: Jobs, question: Question): Promise<boolean> {
  const { queue, data, options } = nextStep({ step: 'begin', question, tries: 0 });
  return jobs.enqueue(queue, data, options);
}

/** Puts a word into the queue, once for its question. False when it is known. */
export function acceptWord(jobs: Jobs, question: Question, word: WordJob): Promise<boolean> {
  const id = idFrom('word', question.id);
  return jobs.enqueue(WORD_QUEUE, word, { id, key: id });
}

/** "Dig deeper" and "Try again": a research question made out of one that was answered, or whose research failed. */
export function researchFrom(press: ButtonPress, { question, thread }: AnswerRecord, id: string): Question {
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

/** More than this many refused or failed jobs out of one button would be somebody playing. */
const MOST_FROM_ONE = 20;

/**
 * The id for the next job out of one button: the same for two presses at once, another after one that was refused or has
 * failed. Null while there is a job already.
 */
export async function nextResearchId(
  { jobs, researches }: Pick<ResearchIntakeDeps, 'jobs' | 'researches'>,
  action: 'research' | 'retry',
  questionId: string,
): Promise<string | null> {
  for (let n = 1; n <= MOST_FROM_ONE; n++) {
    const id = idFrom(action, questionId, String(n));
    const record = await researches.find(id);
    if (record && record.state !== 'failed' && record.state !== 'stopped') return null;
    if (record) continue;
    if (!(await jobs.knows(RESEARCH_QUEUE, id))) return id;
    // Known without a record: about to begin, or refused.
    if ((await jobs.depth(RESEARCH_QUEUE, id)) > 0) return null;
  }
  return null;
}

/** Stop on a card: what to say to the presser, null when the card shows it; undefined when it is no research job. */
export async function pressStop(deps: ResearchIntakeDeps, press: ButtonPress): Promise<Pressed | undefined> {
  const record = await deps.researches.find(press.question);
  if (!record) return undefined;
  const { question, name } = record;
  if (!mayStop(record, press.presser, deps.isAdmin(question.platform, press.presser.id))) {
    return {
      type: 'text',
      text: `Only ${question.asker.name ?? 'the person who asked'} or an admin can do that.`,
    };
  }
  if (await stopResearch(deps, record.id, { reason: 'stopped', by: press.presser })) return null;
  const now = (await deps.researches.find(record.id)) ?? record;
  return { type: 'text', text: isLive(now) ? `${name} is being stopped.` : alreadyEnded(now) };
}

/** Its question was deleted: the job ends, behind whatever step of it is under way. */
export async function withdrawResearch(jobs: Jobs, questionId: string): Promise<void> {
  if (await jobs.knows(RESEARCH_QUEUE, questionId)) {
    await enqueueStep(jobs, { step: 'withdraw', research: questionId, tries: 0 });
  }
}
