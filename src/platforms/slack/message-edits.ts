/** Messages that are posted and edited: `chat.postMessage` and `chat.update`, each with every refusal it can meet. */
import type { ChatUpdateArguments } from '@slack/web-api';
import { retry } from '../../core/retry.ts';
import { content, contentWithoutBlocks, type Extras, type MessageContent, plainBeginning } from './blocks.ts';
import { hasCode, NOT_EDITABLE, STILL_STREAMING, TOO_LONG } from './errors.ts';
import { replyMetadata } from './find-messages.ts';
import { endStream } from './message-stream.ts';
import { postMessage, sendWithBlocks, UNPARSED } from './post-message.ts';
import { addMessage, fallbackText, type ReplyMessage, type ReplyState, tooLong } from './reply-state.ts';
import { callWithRetry, retryPolicy } from './workspace.ts';

/** Rewrites a message that is not (or no longer) streaming. @throws {MessageTooLong} */
export async function rewriteMessage(
  state: ReplyState,
  message: ReplyMessage,
  text: string,
  extras: Extras,
): Promise<void> {
  message.reserved = null; // used by the call
  for (let hasEnded = false; ; hasEnded = true) {
    try {
      await updateMessage(state, message, text, extras);
      break;
    } catch (error) {
      if (hasCode(error, TOO_LONG)) throw tooLong(state, text, error);
      if (hasCode(error, NOT_EDITABLE)) return postPart(state, message.index, text, extras);
      if (hasEnded || !hasCode(error, STILL_STREAMING)) throw error;
      await endStream(state, message.ts);
    }
  }
  message.shown = text;
  message.hasButtons = false;
}

function updateMessage(
  state: ReplyState,
  message: ReplyMessage,
  text: string,
  extras: Extras,
): Promise<unknown> {
  const withBlocks = content(text, extras, fallbackText(state, message.index, text));
  return sendWithBlocks(withBlocks, contentWithoutBlocks(text, extras), (what) => {
    const args = updateArguments(state, message, what);
    return callWithRetry(state.workspace, 'chat.update', ({ chat }) => chat.update(args));
  });
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

/**
 * Posts a message as number `index` of the answer; `isGrowing` if it is to be edited: the limiters were asked before then.
 * @throws {MessageTooLong}
 */
export async function postPart(
  state: ReplyState,
  index: number,
  text: string,
  extras: Extras,
  isGrowing = false,
): Promise<void> {
  const { workspace, thread, question } = state;
  const withBlocks = content(text, extras, fallbackText(state, index, text));
  const place = {
    channel: thread.channel,
    thread_ts: thread.thread,
    metadata: replyMetadata(question, index),
  };
  const post = () =>
    sendWithBlocks(withBlocks, contentWithoutBlocks(text, extras), (what, attempt) =>
      postMessage(workspace, { ...place, ...what }, isGrowing && attempt === 1),
    );
  const message = { index, mode: 'edit', shown: text, reserved: isGrowing ? 'chat.update' : null } as const;
  // Progress is shown by the next write, and an unknown outcome is looked into before it.
  const canRetry = () => !isGrowing && !state.mayBeUnrecorded;
  const policy = { ...retryPolicy(workspace.log), canRetry };
  try {
    const added = await retry(policy, () => addMessage(state, message, post));
    added.hasButtons = isGrowing && extras.blocks.length > 0;
  } catch (error) {
    throw hasCode(error, TOO_LONG) ? tooLong(state, text, error) : error;
  }
}
