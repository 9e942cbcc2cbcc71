import { Failure } from '../../core/failures.ts';
import type { Platform } from '../../core/ports.ts';
import { isRetryable } from '../../core/retry.ts';
import type { Question } from '../../core/types.ts';
import { type Desk, type Desks, send, sendSurely } from './desk.ts';
import { WORD_METADATA } from './lookup.ts';
import { asRecord, asText } from './payload.ts';
import { post } from './posting.ts';
import { readThread } from './read-thread.ts';
import { createReply } from './reply.ts';
import { inert, respondPrivately } from './respond.ts';

const WAITING = 'clock1';
/** Slack cuts an ephemeral text at 40,000; ours are a few sentences. */
const WHISPER_LIMIT = 3_000;

/** The outbound side of Slack. */
export function createSlackPlatform(deskOf: Desks): Platform {
  return {
    name: 'slack',
    reply: (question, start) => createReply(deskOf(question.workspace), question, start),
    markWaiting: (question, waiting) => markWaiting(deskOf(question.workspace), question, waiting),
    replyPrivately: (question, text) =>
      replyPrivately(deskOf(question.workspace), question, text.slice(0, WHISPER_LIMIT)),
    directMessage: (workspace, person, text) => directMessage(deskOf(workspace), person, text),
    readThread: (question, signal) => readThread(deskOf(question.workspace), question, signal),
  };
}

async function markWaiting(desk: Desk, { message }: Question, isWaiting: boolean): Promise<void> {
  const method = isWaiting ? 'reactions.add' : 'reactions.remove';
  if (message === null) return;
  // A mark may be left out, but not left behind.
  if (isWaiting && !desk.budgets.of(method).tryAcquire('progress')) return;
  try {
    if (!isWaiting) await desk.budgets.of(method).acquire('progress');
    await send(desk, method, { channel: message.channel, timestamp: message.message, name: WAITING }, true);
  } catch (error) {
    desk.log.debug({ err: error, method }, 'could not mark a waiting question');
  }
}

async function replyPrivately(desk: Desk, question: Question, text: string): Promise<void> {
  // The only way to somebody who asked where we are no member.
  if (await respondPrivately(question.delivery.responseUrl ?? null, text, desk.log)) return;
  const channel = question.thread?.channel ?? question.channel;
  const thread = question.thread === null ? {} : { thread_ts: question.thread.thread };
  // Slack shows nobody an ephemeral message in a thread that nobody has replied in yet.
  const isRoot = question.thread?.thread === question.message?.message;
  const inThread = { channel, ...thread, text: inert(text) };
  try {
    await sendSurely(desk, 'chat.postEphemeral', {
      channel,
      ...(isRoot ? {} : thread),
      text: inThread.text,
      user: question.asker.id,
      parse: 'none',
      link_names: false,
    });
  } catch (error) {
    if (!(error instanceof Failure) || isRetryable(error)) throw error;
    desk.log.debug({ err: error }, 'could not whisper; replying instead');
    await replyInstead(desk, inThread);
  }
}

async function replyInstead(desk: Desk, message: { readonly channel: string }): Promise<void> {
  try {
    await post(desk, { ...message, metadata: WORD_METADATA });
  } catch (error) {
    if (!(error instanceof Failure) || isRetryable(error)) throw error;
    // Where we may not write, there is nobody to tell either.
    desk.log.info({ err: error }, 'the asker cannot be told');
  }
}

/** @throws {Failure} */
async function directMessage(desk: Desk, person: string, text: string): Promise<void> {
  const opened = await sendSurely(desk, 'conversations.open', { users: person });
  const channel = asText(asRecord(opened.channel)?.id);
  if (channel === null) throw new Failure('undeliverable', 'conversations.open gave no channel');
  await post(desk, { channel, text: inert(text), metadata: WORD_METADATA });
}
