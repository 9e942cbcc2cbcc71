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
const RESEARCH_EVENT = 'footnote_research';
const PAGE = 100;
/** A job's thread or channel may have gone on for an hour: so many messages are looked through, then nobody can tell. */
const SEARCH_PAGE = 200;
const MOST_PAGES = 20;
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

/** The metadata of a job's card or of the message that tells of its end; `hasFile` is what a repeat must know of it. */
export function researchMetadata({ id }: Question, kind: 'card' | 'notice', hasFile: boolean): object {
  return { event_type: RESEARCH_EVENT, event_payload: { question: id, kind, file: hasFile } };
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

/** A message of a research job that an earlier try left. */
export interface Left {
  readonly ts: string;
  readonly hasFile: boolean;
}

/**
 * The card or notice of a job, in a thread or (`thread` null) in the channel. Null when there is none; `unknown` when we
 * may not look, or there is more to look through than is sensible.
 * @throws {Failure} when Slack cannot be reached: go on only once it is known.
 */
export async function findResearch(
  desk: Desk,
  question: Question,
  kind: 'card' | 'notice',
  { channel, thread }: { readonly channel: string; readonly thread: string | null },
): Promise<Left | null | 'unknown'> {
  const method = thread === null ? 'conversations.history' : 'conversations.replies';
  const oldest = String(question.askedAt / 1000 - CLOCK_SKEW_S);
  const args = { channel, oldest, limit: SEARCH_PAGE, ...(thread !== null && { ts: thread }) };
  let cursor: string | null = null;
  for (let page = 0; page < MOST_PAGES; page++) {
    const result = await readPage(desk, method, { ...args, ...(cursor !== null && { cursor }) });
    if (result === null) return 'unknown';
    for (const message of asRecords(result.messages)) {
      const left = leftBy(message, question, kind);
      if (left !== null && isOurs(message, desk)) return left;
    }
    cursor = asText(asRecord(result.response_metadata)?.next_cursor);
    if (cursor === null) return null;
  }
  return 'unknown';
}

function leftBy(message: Message, question: Question, kind: string): Left | null {
  const metadata = asRecord(message.metadata);
  const payload = metadata?.event_type === RESEARCH_EVENT ? asRecord(metadata.event_payload) : null;
  const ts = asText(message.ts);
  if (ts === null || payload?.question !== question.id || payload.kind !== kind) return null;
  return { ts, hasFile: payload.file === true };
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
  const page = await readPage(desk, method, { ...args, limit: PAGE });
  return page && asRecords(page.messages);
}

/** Null when we may not read there. @throws {Failure} when that is not known. */
async function readPage(
  desk: Desk,
  method: 'conversations.replies' | 'conversations.history',
  args: Readonly<Record<string, unknown>>,
): Promise<Readonly<Record<string, unknown>> | null> {
  try {
    return await sendSurely(desk, method, { ...args, include_all_metadata: true });
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
