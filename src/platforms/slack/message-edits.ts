/** Messages that are posted and edited: `chat.postMessage` and `chat.update`, each with every refusal they can meet. */
import type { ChatUpdateArguments } from '@slack/web-api';
import { content, contentWithoutBlocks, type Extras, type MessageContent, plainBeginning } from './blocks.ts';
import { hasCode, isRejected } from './failures.ts';
import { replyMetadata } from './find-messages.ts';
import { endStream, TOO_LONG } from './message-stream.ts';
import { postMessage, postOnce, UNPARSED } from './post-message.ts';
import {
  createMessage,
  fallbackText,
  findUnrecorded,
  type ReplyMessage,
  type ReplyState,
  recordMessage,
  tooLong,
} from './reply-state.ts';
import { callWithRetry } from './workspace.ts';

const STILL_STREAMING = new Set(['streaming_state_conflict']);
/** A message of ours that nobody may edit any more. */
export const NOT_EDITABLE: ReadonlySet<string> = new Set([
  'edit_window_closed',
  'cant_update_message',
  'message_not_owned_by_app',
]);

/** One write is changed this often after a refusal; the next refusal is thrown. */
const MAX_REFUSALS = 2;

/** Rewrites a message that is not (or no longer) streaming. @throws {MessageTooLong} */
export async function rewriteMessage(
  state: ReplyState,
  message: ReplyMessage,
  text: string,
  extras: Extras,
): Promise<void> {
  const { workspace } = state;
  message.reserved = null; // used by the call
  let what = content(text, extras, fallbackText(state, message.index, text));
  for (let refusals = 0; ; refusals++) {
    const args = updateArguments(state, message, what);
    try {
      await callWithRetry(workspace, 'chat.update', ({ chat }) => chat.update(args));
      break;
    } catch (error) {
      if (hasCode(error, TOO_LONG)) throw tooLong(state, text, error);
      if (hasCode(error, NOT_EDITABLE)) return postPart(state, message.index, text, extras);
      if (!isRejected(error) || refusals >= MAX_REFUSALS) throw error;
      if (hasCode(error, STILL_STREAMING)) await endStream(state, message.ts);
      else what = contentWithoutBlocks(text, extras);
    }
  }
  message.shown = text;
  message.hasButtons = false;
}

/** One edit of a growing message; the limiter was asked before. @throws {Failure} */
export async function editMessage(state: ReplyState, message: ReplyMessage, text: string): Promise<void> {
  const { client, limits } = state.workspace;
  const what = content(text, state.growing, plainBeginning(text, true));
  const args = updateArguments(state, message, what);
  await limits.call('chat.update', () => client.chat.update(args), true);
  message.shown = text;
  message.hasButtons = state.growing.blocks.length > 0;
}

function updateArguments(
  { thread, question }: ReplyState,
  { ts, index }: ReplyMessage,
  what: MessageContent,
): ChatUpdateArguments {
  return { channel: thread.channel, ts, ...what, ...UNPARSED, metadata: replyMetadata(question, index) };
}

/** Posts a message as number `index` of the answer. `isAcquired`: the limiters were asked before. @throws {MessageTooLong} */
export async function postPart(
  state: ReplyState,
  index: number,
  text: string,
  extras: Extras,
  reserved: ReplyMessage['reserved'] = null,
  isAcquired = false,
): Promise<void> {
  const { progress } = state;
  const { line } = progress;
  let what = content(text, extras, fallbackText(state, index, text));
  let ts: string | null = null;
  for (let refusals = 0; ts === null; refusals++) {
    try {
      ts = await postPartOnce(state, index, what, isAcquired && refusals === 0);
    } catch (error) {
      if (hasCode(error, TOO_LONG)) throw tooLong(state, text, error);
      if (!isRejected(error) || refusals >= MAX_REFUSALS) throw error;
      what = contentWithoutBlocks(text, extras);
    }
  }
  if (progress.line === line) progress.line = null;
  await recordMessage(state, createMessage(index, ts, 'edit', text, reserved));
}

function postPartOnce(
  state: ReplyState,
  index: number,
  what: MessageContent,
  isAcquired: boolean,
): Promise<string> {
  const { workspace, thread, question } = state;
  const place = { channel: thread.channel, thread_ts: thread.thread };
  const message = { ...place, ...what, metadata: replyMetadata(question, index) };
  return postOnce(workspace, {
    mayExist: false,
    find: () => findUnrecorded(state),
    post: (attempt) => postMessage(workspace, message, isAcquired && attempt === 1),
  });
}
