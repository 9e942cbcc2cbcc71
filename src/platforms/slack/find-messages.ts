/** Finds messages of ours that a restart or an unknown outcome has left unrecorded, by their metadata. */
import { Failure } from '../../core/failures.ts';
import { isRetryable } from '../../core/retry.ts';
import type { Question } from '../../core/types.ts';
import { asNumber, asRecord, asText, type JsonObject } from '../../core/untrusted.ts';
import type { Metadata } from './post-message.ts';
import { callWithRetry, type SlackWorkspace } from './workspace.ts';

/** `event_type` of the metadata by kind of message. Every app in the workspace can read it, so it holds opaque ids only. */
const REPLY_EVENT = 'footnote_reply';
const ROOT_EVENT = 'footnote_question';
const RESEARCH_EVENT = 'footnote_research';
const PAGE_SIZE = 100;
/** A job's thread or channel may have gone on for an hour, so more messages are looked through for it. */
const RESEARCH_PAGE_SIZE = 200;
const MAX_RESEARCH_PAGES = 20;
/** By how much our clock and Slack's may differ. */
const CLOCK_SKEW_S = 60;

/** Marks a message as a part of the answer to this question. */
export function replyMetadata(question: Question, part: number): Metadata {
  return { event_type: REPLY_EVENT, event_payload: { question: question.id, part } };
}

/** Marks the message that the thread of an `/ask` hangs on. */
export function rootMetadata(question: Question): Metadata {
  return { event_type: ROOT_EVENT, event_payload: { question: question.id } };
}

/** Marks a job's card or the message that tells of its end; `hasFile` is what a later attempt must know of it. */
export function researchMetadata({ id }: Question, kind: 'card' | 'notice', hasFile: boolean): Metadata {
  return { event_type: RESEARCH_EVENT, event_payload: { question: id, kind, file: hasFile } };
}

/** Marks what is no part of an answer: without metadata it would be taken for an unfinished stream. */
export const NOTICE_METADATA: Metadata = { event_type: 'footnote_word', event_payload: { kind: 'word' } };

/** A message of ours in the question's thread. `part` is null for a stream that was never finished: it has no metadata. */
export interface OwnMessage {
  readonly ts: string;
  readonly part: number | null;
}

/**
 * Our messages in the thread that are newer than the question and belong to it or to no question, oldest first. One without
 * metadata is an unfinished stream: of this question, or of an answer that another process is writing. Null when we may not
 * read the thread.
 * @throws {Failure} when Slack cannot be reached: nothing may be posted before this is known.
 */
export async function findReplies(
  workspace: SlackWorkspace,
  question: Question,
  thread: string,
): Promise<readonly OwnMessage[] | null> {
  const oldest = earliestReply(question);
  const channel = question.thread?.channel ?? question.channel;
  const page = await readPage(workspace, { channel, thread, oldest, limit: PAGE_SIZE });
  if (page === null) return null;
  return page.ours
    .filter(({ ts, type, payload }) => {
      const isMarked = type === REPLY_EVENT && payload?.question === question.id;
      return Number(ts) > Number(oldest) && (type === null || isMarked);
    })
    .map(({ ts, payload }) => ({ ts, part: asNumber(payload?.part) }))
    .sort((a, b) => Number(a.ts) - Number(b.ts));
}

/** The `ts` of the message already posted for this `/ask`; null when there is none or we may not look. @throws {Failure} */
export async function findRoot(workspace: SlackWorkspace, question: Question): Promise<string | null> {
  const oldest = secondsBefore(question.askedAt);
  const place = { channel: question.channel, thread: null, oldest, limit: PAGE_SIZE };
  const page = await readPage(workspace, place);
  const isRoot = ({ type, payload }: Found) => type === ROOT_EVENT && payload?.question === question.id;
  return page?.ours.find(isRoot)?.ts ?? null;
}

/** A message of a research job that an earlier attempt has posted. */
export interface FoundMessage {
  readonly ts: string;
  readonly hasFile: boolean;
}

/**
 * The card or the notification of a job, in a thread or (`thread` null) in the channel. Null when there is none; `unknown`
 * when we may not look, or when there are more messages than are looked through.
 * @throws {Failure} when Slack cannot be reached: nothing may be posted before this is known.
 */
export async function findResearch(
  workspace: SlackWorkspace,
  question: Question,
  kind: 'card' | 'notice',
  { channel, thread }: { readonly channel: string; readonly thread: string | null },
): Promise<FoundMessage | null | 'unknown'> {
  const place = { channel, thread, oldest: secondsBefore(question.askedAt), limit: RESEARCH_PAGE_SIZE };
  let cursor: string | null = null;
  for (let pages = 0; pages < MAX_RESEARCH_PAGES; pages++) {
    const page = await readPage(workspace, { ...place, ...(cursor !== null && { cursor }) });
    if (page === null) return 'unknown';
    const found = page.ours.find(
      ({ type, payload }) =>
        type === RESEARCH_EVENT && payload?.question === question.id && payload.kind === kind,
    );
    if (found) return { ts: found.ts, hasFile: found.payload?.file === true };
    cursor = page.next;
    if (cursor === null) return null;
  }
  return 'unknown';
}

/** A message of ours; `type` and `payload` are its metadata, whatever was once written there. */
interface Found {
  readonly ts: string;
  readonly type: string | null;
  readonly payload: JsonObject | null;
}

/**
 * Our messages on one page of a thread or (`thread` null) of a channel, and the cursor of the next page. Null when we may not
 * read there. @throws {Failure} when Slack cannot be reached
 */
async function readPage(
  workspace: SlackWorkspace,
  place: { channel: string; thread: string | null; oldest: string; limit: number; cursor?: string },
): Promise<{ readonly ours: readonly Found[]; readonly next: string | null } | null> {
  const { self, log } = workspace;
  const { thread, ...range } = place;
  const args = { ...range, include_all_metadata: true };
  try {
    const page =
      thread === null
        ? await callWithRetry(workspace, 'conversations.history', ({ conversations }) =>
            conversations.history(args),
          )
        : await callWithRetry(workspace, 'conversations.replies', ({ conversations }) =>
            conversations.replies({ ...args, ts: thread }),
          );
    const ours = (page.messages ?? [])
      .filter(({ user, bot_id }) => user === self.user || bot_id === self.bot)
      .map(({ ts = '', metadata }) => ({
        ts,
        type: metadata ? (metadata.event_type ?? '') : null,
        payload: asRecord(metadata?.event_payload),
      }));
    return { ours, next: asText(page.response_metadata?.next_cursor) };
  } catch (error) {
    if (error instanceof Failure && isRetryable(error)) throw error;
    log.debug({ err: error }, 'could not look for earlier messages');
    return null;
  }
}

/** The `ts` after which an answer can have begun. A button or shortcut is about an old message; its use is what counts. */
function earliestReply({ message, trigger, askedAt }: Question): string {
  const isSaid = message !== null && trigger !== 'button' && trigger !== 'shortcut';
  return isSaid ? message.message : secondsBefore(askedAt);
}

/** A time of ours (milliseconds) as Slack's `oldest`. */
function secondsBefore(askedAt: number): string {
  return String(askedAt / 1000 - CLOCK_SKEW_S);
}
