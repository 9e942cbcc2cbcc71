import { Failure } from '../../core/failures.ts';
import type { Log } from '../../core/ports.ts';
import { retry } from '../../core/retry.ts';
import type { MessageRef, Question, ThreadRef } from '../../core/types.ts';
import { clean } from '../../markdown/clean.ts';
import { clipText } from './clipping.ts';
import { CODE } from './errors.ts';
import type { DiscordRest } from './rest.ts';
import { findRoot } from './root.ts';

/** Where an answer is written. */
export interface Place {
  readonly channel: string;
  /** The message every part replies to: other answers may stand between them. Null where the place says it. */
  readonly replyTo: string | null;
  /** The conversation, under which the answer is remembered. */
  readonly thread: ThreadRef;
}

export interface PlaceDeps {
  readonly rest: DiscordRest;
  readonly botId: string;
  readonly log: Log;
  readonly threads: 'always' | 'never';
  readonly denials: Denials;
}

/** Channels in which we may not start threads: every refusal counts towards the limit of invalid requests. */
export interface Denials {
  isDenied(channel: string): boolean;
  deny(channel: string): void;
}

const DENIED_FOR_MS = 10 * 60_000;

export function createDenials(): Denials {
  const until = new Map<string, number>();
  return {
    isDenied(channel) {
      const end = until.get(channel) ?? 0;
      if (end <= performance.now()) until.delete(channel);
      return until.has(channel);
    },
    deny: (channel) => void until.set(channel, performance.now() + DENIED_FOR_MS),
  };
}

/**
 * Finds or makes the place for an answer, from the question's plain data alone, so that every replica and every attempt
 * comes to the same one: the thread or DM the question is in, a thread started from the message, or a reply to it.
 * @param posted what an earlier attempt already posted: the answer stays where it is.
 * @throws {Failure}
 */
export async function findPlace(
  deps: PlaceDeps,
  question: Question,
  posted: readonly MessageRef[],
): Promise<Place> {
  const { message, thread } = question;
  const [first] = posted;
  if (first) return placeOf(deps, question, first);
  if (thread && thread.channel === question.channel) {
    // The response to `/ask` stands above its answer; one that never came is made up for.
    if (question.trigger === 'command') await findRoot(deps, question);
    return { channel: thread.channel, replyTo: null, thread };
  }
  if (!thread) return placeUnder(deps, question, await findRoot(deps, question));
  // Asked again, or more deeply, by a button under the answer to a command.
  if (!message) return placeUnder(deps, question, thread.thread);
  if (thread.thread === message.message) return placeUnder(deps, question, message.message);
  // A reply to one of our messages in a channel: its conversation has no channel of its own.
  return { channel: message.channel, replyTo: message.message, thread };
}

/** Where an answer stands that has begun: what is still missing of it says the same about where it belongs. */
async function placeOf(deps: PlaceDeps, question: Question, { channel }: MessageRef): Promise<Place> {
  const { message, thread } = question;
  if (thread)
    return { channel, replyTo: thread.channel === channel ? null : (message?.message ?? null), thread };
  // `/ask`: in the thread started from its root, or below the root in the channel.
  if (channel !== question.channel) return { channel, replyTo: null, thread: refOf(question, channel) };
  const root = await findRoot(deps, question);
  return { channel, replyTo: root, thread: refOf(question, root) };
}

async function placeUnder(deps: PlaceDeps, question: Question, root: string): Promise<Place> {
  const thread = refOf(question, root);
  const mayStart = deps.threads === 'always' && !deps.denials.isDenied(question.channel);
  if (mayStart && (await startThread(deps, question, root))) return { channel: root, replyTo: null, thread };
  return { channel: question.channel, replyTo: root, thread };
}

/** A thread has the id of the message it was started from, whether it is there already or not. */
function refOf({ workspace }: Question, id: string): ThreadRef {
  return { platform: 'discord', workspace, channel: id, thread: id };
}

const ONE_DAY_MIN = 1440;
const LONGEST_NAME = 90;

/** A longer wait than this and the answer is a reply: thread starts are limited for minutes at a time. */
const LONGEST_WAIT_MS = 2_000;

/** False where no thread can be had and the answer becomes a reply in the channel. */
async function startThread(
  { rest, log, denials }: PlaceDeps,
  question: Question,
  root: string,
): Promise<boolean> {
  const { channel } = question;
  if (!rest.paces.of(channel).thread.tryAcquire('final')) return false;
  const body = { name: nameOf(question), auto_archive_duration: ONE_DAY_MIN };
  const patience = { attempts: 4, baseMs: 300, capMs: 2_000, longestWaitMs: LONGEST_WAIT_MS, signal: NEVER };
  try {
    await retry(patience, () => rest.post(`/channels/${channel}/messages/${root}/threads`, { body }));
    return true;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.code === CODE.threadExists) return true;
    if (!['undeliverable', 'rejected', 'rate-limited'].includes(error.kind)) throw error;
    log.info({ code: error.code, kind: error.kind, channel }, 'no thread here: answering in the channel');
    // Too many threads at once may pass; what the permissions or the channel's type forbid stays.
    if (error.kind !== 'rate-limited' && error.code !== CODE.tooManyThreads) denials.deny(channel);
    return false;
  }
}

const NEVER = new AbortController().signal;

function nameOf({ text, quote }: Question): string {
  const line = clean(text.trim() || quote?.text.trim() || 'Question')
    .replace(/\s+/g, ' ')
    .trim();
  return clipText(line, LONGEST_NAME) || 'Question';
}
