/** Marks our messages, and finds those that a restart or an unknown outcome has left unrecorded. */
import type { ConversationsHistoryResponse, ConversationsRepliesResponse } from '@slack/web-api';
import { Failure } from '../../core/failures.ts';
import { isRetryable } from '../../core/retry.ts';
import type { Question } from '../../core/types.ts';
import { asNumber, asRecord, asText } from '../../core/untrusted.ts';
import type { Metadata } from './post-message.ts';
import { callWithRetry, type SlackWorkspace } from './workspace.ts';

const PAGE_SIZE = 200;
/** A research job's thread or channel may have gone on for an hour. */
const MAX_PAGES = 20;
/** By how much our clock and Slack's may differ. */
const CLOCK_SKEW_S = 60;

/** A part of an answer, the message that the thread of an `/ask` hangs on, a research job's card or the news of its end. */
type Kind = 'reply' | 'question' | 'card' | 'notice';

/** Marks a message. Every app in the workspace can read it, so it holds opaque ids only. `part`: its number in the answer. */
export function metadataOf(
  kind: Kind,
  { id }: Question,
  fields: { readonly part?: number; readonly file?: boolean } = {},
): Metadata {
  return { event_type: `footnote_${kind}`, event_payload: { question: id, ...fields } };
}

/** Marks what is no part of an answer: without metadata it would be taken for an unfinished stream. */
export const NOTICE_METADATA: Metadata = { event_type: 'footnote_word', event_payload: { kind: 'word' } };

/** A message of ours; `part` and `hasFile` are what its metadata says. */
export interface OwnMessage {
  readonly ts: string;
  readonly part: number | null;
  readonly hasFile: boolean;
}

/**
 * Our messages of this kind for a question in a thread or (`thread` null) in a channel, oldest first; of others than `reply`
 * one is enough. Beside replies come those without metadata (`part` null): unfinished streams, of this question or of an
 * answer that another process is writing. Null when we may not read there, or there are more messages than are looked through.
 * @throws {Failure} when Slack cannot be reached: nothing may be posted before this is known.
 */
export async function findOwn(
  workspace: SlackWorkspace,
  question: Question,
  kind: Kind,
  place: { readonly channel: string; readonly thread: string | null },
): Promise<readonly OwnMessage[] | null> {
  const oldest = earliest(question);
  const found: OwnMessage[] = [];
  let cursor: string | null = null;
  try {
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const page: Page = await readPage(workspace, { ...place, oldest, cursor });
      found.push(
        ...ownMessages(workspace, question, kind, page).filter(({ ts }) => Number(ts) > Number(oldest)),
      );
      cursor = asText(page.response_metadata?.next_cursor);
      if (cursor === null || (found.length > 0 && kind !== 'reply'))
        return found.sort((a, b) => Number(a.ts) - Number(b.ts));
    }
  } catch (error) {
    if (!(error instanceof Failure) || isRetryable(error)) throw error;
    workspace.log.debug({ err: error }, 'could not look for earlier messages');
  }
  return null;
}

type Page = ConversationsHistoryResponse | ConversationsRepliesResponse;

function readPage(
  workspace: SlackWorkspace,
  {
    channel,
    thread,
    oldest,
    cursor,
  }: { channel: string; thread: string | null; oldest: string; cursor: string | null },
): Promise<Page> {
  const paging = { limit: PAGE_SIZE, ...(cursor !== null && { cursor }) };
  const args = { channel, oldest, ...paging, include_all_metadata: true };
  return thread === null
    ? callWithRetry(workspace, 'conversations.history', ({ conversations }) => conversations.history(args))
    : callWithRetry(workspace, 'conversations.replies', ({ conversations }) =>
        conversations.replies({ ...args, ts: thread }),
      );
}

function ownMessages(
  { self }: SlackWorkspace,
  { id }: Question,
  kind: Kind,
  { messages = [] }: Page,
): OwnMessage[] {
  return messages.flatMap(({ ts = '', user, bot_id, metadata }) => {
    const payload = asRecord(metadata?.event_payload);
    const isMarked = metadata?.event_type === `footnote_${kind}` && payload?.question === id;
    const isUnmarked = kind === 'reply' && !metadata;
    if ((user !== self.user && bot_id !== self.bot) || !(isMarked || isUnmarked)) return [];
    return [{ ts, part: asNumber(payload?.part), hasFile: payload?.file === true }];
  });
}

/** The `ts` after which we can have written. A button or shortcut is about an old message; its use is what counts. */
function earliest({ message, trigger, askedAt }: Question): string {
  const isSaid = message !== null && trigger !== 'button' && trigger !== 'shortcut';
  return isSaid ? message.message : String(askedAt / 1000 - CLOCK_SKEW_S);
}
