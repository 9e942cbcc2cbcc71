import {
  type RESTPostAPIChannelMessagesThreadsJSONBody,
  Routes,
  ThreadAutoArchiveDuration,
} from 'discord.js';
import { Failure } from '../../core/failures.ts';
import type { Log } from '../../core/ports.ts';
import { retry } from '../../core/retry.ts';
import type { MessageRef, Question, ThreadRef } from '../../core/types.ts';
import { clean } from '../../markdown/characters.ts';
import { CODE } from './errors.ts';
import { askedSince, readSince } from './find-messages.ts';
import { threadRef } from './ids.ts';
import { asMessage, nonceOf, postMessage } from './messages.ts';
import { clipText, rootContent } from './render.ts';
import { callInteraction, type DiscordRest } from './rest.ts';

/** Where an answer is written. */
export interface AnswerPlace {
  readonly channel: string;
  /** The message every part replies to, where other answers may stand between them; null in a thread or DM. */
  readonly replyTo: string | null;
  /** The conversation, under which the answer is remembered. */
  readonly thread: ThreadRef;
}

export interface OutboundDeps {
  readonly rest: DiscordRest;
  readonly botId: string;
  readonly log: Log;
  readonly threads: 'always' | 'never';
  /**
   * When Discord refused a thread in a channel that takes none from us, by `performance.now()`. Every refusal counts towards its
   * limit of invalid requests, so threads are not tried there for a while.
   */
  readonly threadRefusedAt: Map<string, number>;
}

const REFUSED_FOR_MS = 10 * 60_000;

/**
 * Finds or makes the place for an answer from the question's plain data alone, so that every replica and every attempt comes to
 * the same one: the thread or DM of the question, a thread started from its message, or a reply to it.
 * @param posted what an earlier attempt already posted: the answer stays where it is.
 * @throws {Failure}
 */
export async function findAnswerPlace(
  deps: OutboundDeps,
  question: Question,
  posted: readonly MessageRef[],
  start: ThreadStart = { since: performance.now(), mayExist: false },
): Promise<AnswerPlace> {
  const { message, thread, channel, workspace } = question;
  const [first] = posted;
  if (thread && thread.channel === channel) {
    // The response to `/ask` stands above its answer; one that never came is made up for.
    if (question.trigger === 'command' && !first) await findRoot(deps, question);
    return { channel, replyTo: null, thread };
  }
  // A reply to one of our messages in a channel: its conversation has no channel of its own.
  if (thread && message && thread.thread !== message.message) {
    return { channel: message.channel, replyTo: message.message, thread };
  }
  const isInThread = first && first.channel !== channel;
  const root = thread?.thread ?? (isInThread ? first.channel : await findRoot(deps, question));
  const under = threadRef(workspace, root);
  return (isInThread ?? (await startThread(deps, question, root, start)))
    ? { channel: root, replyTo: null, thread: under }
    : { channel, replyTo: root, thread: under };
}

interface ThreadStart {
  /** See `CallLimiter.acquire`. */
  readonly since: number;
  /** Whether an earlier try may have started the thread, unknown to us: an empty one is not left behind. */
  readonly mayExist: boolean;
}

const MAX_NAME = 90;

/** After a longer wait the answer is a reply: thread starts are limited for minutes at a time. */
const MAX_WAIT_MS = 2_000;

/** False where no thread can be had and the answer becomes a reply in the channel. */
async function startThread(
  { rest, log, threads, threadRefusedAt }: OutboundDeps,
  question: Question,
  root: string,
  { since, mayExist }: ThreadStart,
): Promise<boolean> {
  const { channel } = question;
  let isUncertain = mayExist;
  const route = Routes.threads(channel, root);
  const refusedAt = threadRefusedAt.get(channel) ?? Number.NEGATIVE_INFINITY;
  const isRefused = performance.now() - refusedAt <= REFUSED_FOR_MS;
  if (threads === 'never') return false;
  if (isRefused || rest.limits.ofChannel(channel).threads.free() === 0)
    return isUncertain && isThere(rest, root);
  const body: RESTPostAPIChannelMessagesThreadsJSONBody = {
    name: nameOf(question),
    auto_archive_duration: ThreadAutoArchiveDuration.OneDay,
  };
  const policy = { attempts: 4, baseMs: 300, capMs: 2_000, longestWaitMs: MAX_WAIT_MS };
  const start = async (): Promise<unknown> => {
    try {
      return await rest.post(route, { body, urgency: 'first', since, owner: question.asker.id });
    } catch (error) {
      isUncertain ||= error instanceof Failure && error.kind === 'unreachable';
      throw error;
    }
  };
  try {
    await retry(policy, start);
    return true;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.code === CODE.threadExists) return true;
    if (!['undeliverable', 'rejected', 'rate-limited'].includes(error.kind)) throw error;
    log.info({ code: error.code, kind: error.kind, channel }, 'no thread here: answering in the channel');
    // Too many threads at once may pass; what the permissions or the channel's type forbid stays.
    if (error.kind !== 'rate-limited' && error.code !== CODE.tooManyThreads) {
      threadRefusedAt.set(channel, performance.now());
    }
    return isUncertain && isThere(rest, root);
  }
}

/** Whether there is a thread under a message: it has the message's id. @throws {Failure} */
async function isThere(rest: DiscordRest, root: string): Promise<boolean> {
  try {
    await rest.get(Routes.channel(root), { urgency: 'first' });
    return true;
  } catch (error) {
    if (error instanceof Failure && ['gone', 'undeliverable', 'rejected'].includes(error.kind)) return false;
    throw error;
  }
}

function nameOf({ text, quotes }: Question): string {
  const line = clean(text.trim() || quotes[0]?.text.trim() || 'Question')
    .replace(/\s+/g, ' ')
    .trim();
  return clipText(line, MAX_NAME) || 'Question';
}

/**
 * Finds the message that the answer to `/ask` belongs under: our response to the command, or one posted in its place when there
 * is none (the process was killed between storing and responding) or its token is too old to ask.
 * @returns the id of the message in the question's channel.
 * @throws {Failure}
 */
async function findRoot(deps: OutboundDeps, question: Question): Promise<string> {
  const { channel, id } = question;
  const found = (await findResponse(deps, question)) ?? (await findInHistory(deps, question));
  if (found) return found;
  const draft = { content: rootContent(question), buttons: [] };
  const options = { channel, replyTo: null, nonce: nonceOf(id, 'root'), urgency: 'first' } as const;
  return (await postMessage(deps.rest, draft, options)).id;
}

async function findResponse({ rest }: OutboundDeps, question: Question): Promise<string | null> {
  // A button's token leads to the message with the button.
  if (question.trigger !== 'command') return null;
  const response = await callInteraction(question, (application, token) =>
    rest.get(Routes.webhookMessage(application, token), { auth: false, urgency: 'first' }),
  );
  return asMessage(response)?.id ?? null;
}

/** Discord remembers a nonce at least this long. */
const NONCE_MS = 60_000;

/** After a long interruption neither the token nor the nonce leads to a root that is there all the same. */
async function findInHistory({ rest, botId }: OutboundDeps, question: Question): Promise<string | null> {
  const { channel, delivery, askedAt } = question;
  if (Date.now() - askedAt < NONCE_MS) return null;
  const { messages } = await readSince(rest, channel, askedSince(question));
  const root = messages.findLast(
    ({ author, content, interaction_metadata: response }) =>
      author?.id === botId &&
      (content === rootContent(question) || (response && response.id === delivery['interaction'])),
  );
  return root?.id ?? null;
}
