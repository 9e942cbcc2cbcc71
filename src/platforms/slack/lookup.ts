/** Finds messages that an earlier try may have left: Slack has no idempotency key for posts. */
import { Failure } from '../../core/failures.ts';
import { isRetryable } from '../../core/retry.ts';
import type { Question } from '../../core/types.ts';
import { type Desk, sendSurely } from './desk.ts';
import { asNumber, asRecord, asRecords, asText } from './payload.ts';

type Message = Readonly<Record<string, unknown>>;

/** `event_type` of the metadata on every message of an answer. Readable by every app in the workspace: opaque ids only. */
const REPLY_EVENT = 'footnote_reply';
const ROOT_EVENT = 'footnote_question';
const PAGE = 100;
/** Our clock and Slack's may differ by this much. */
const CLOCK_SKEW_S = 60;

/** One message of ours in the question's thread. `part` is null for a stream that was never finished: it carries no metadata. */
export interface OwnMessage {
  readonly ts: string;
  readonly part: number | null;
}

/** The metadata that marks a message as part of the answer to this question. */
export function replyMetadata(question: Question, part: number): object {
  return { event_type: REPLY_EVENT, event_payload: { question: question.id, part } };
}

/** The metadata that marks the message a `/ask` thread hangs on. */
export function rootMetadata(question: Question): object {
  return { event_type: ROOT_EVENT, event_payload: { question: question.id } };
}

/** The metadata of what is no part of an answer: without any, it would be taken for an unfinished one. */
export const WORD_METADATA = { event_type: 'footnote_word', event_payload: { kind: 'word' } };

/**
 * Our messages in the thread that are newer than the question and belong to it or to nobody, oldest first. Answers of one
 * thread are strictly serial and a finished message carries metadata, so one without can only be an unfinished stream of
 * this question. Null when we are not allowed to read the thread.
 * @throws {Failure} when Slack cannot be reached: go on only once it is known.
 */
export async function findReplies(
  desk: Desk,
  question: Question,
  thread: string,
): Promise<readonly OwnMessage[] | null> {
  const oldest = beginOf(question);
  const channel = question.thread?.channel ?? question.channel;
  const messages = await readMessages(desk, 'conversations.replies', { channel, ts: thread, oldest });
  return (
    messages
      ?.filter((message) => isOurs(message, desk) && Number(message.ts) > Number(oldest))
      .flatMap((message) => ownMessage(message, question))
      .sort((a, b) => Number(a.ts) - Number(b.ts)) ?? null
  );
}

/** The `ts` of the root already posted for this `/ask`; null when there is none or we may not look. @throws {Failure} */
export async function findRoot(desk: Desk, question: Question): Promise<string | null> {
  const oldest = String(question.askedAt / 1000 - CLOCK_SKEW_S);
  const messages = await readMessages(desk, 'conversations.history', { channel: question.channel, oldest });
  const root = messages?.find((message) => {
    const metadata = asRecord(message.metadata);
    return metadata?.event_type === ROOT_EVENT && asRecord(metadata.event_payload)?.question === question.id;
  });
  return asText(root?.ts);
}

/** The `ts` after which the answer can have begun. A pressed button repeats an old message; its press is what counts. */
function beginOf({ message, trigger, askedAt }: Question): string {
  const isSaid = message !== null && trigger !== 'button' && trigger !== 'shortcut';
  return isSaid ? message.message : String(askedAt / 1000 - CLOCK_SKEW_S);
}

async function readMessages(
  desk: Desk,
  method: 'conversations.replies' | 'conversations.history',
  args: Readonly<Record<string, unknown>>,
): Promise<readonly Message[] | null> {
  try {
    const page = await sendSurely(desk, method, { ...args, limit: PAGE, include_all_metadata: true });
    return asRecords(page.messages);
  } catch (error) {
    // Later it may be readable; to go on unknowing would be to post twice.
    if (error instanceof Failure && isRetryable(error)) throw error;
    desk.log.debug({ err: error, method }, 'could not look for earlier messages');
    return null;
  }
}

function ownMessage(message: Message, question: Question): OwnMessage[] {
  const ts = asText(message.ts);
  const metadata = asRecord(message.metadata);
  if (ts === null) return [];
  if (metadata === null) return [{ ts, part: null }];
  const payload = metadata.event_type === REPLY_EVENT ? asRecord(metadata.event_payload) : null;
  return payload?.question === question.id ? [{ ts, part: asNumber(payload.part) }] : [];
}

function isOurs(message: Message, { self }: Desk): boolean {
  return message.user === self.user || message.bot_id === self.bot;
}
