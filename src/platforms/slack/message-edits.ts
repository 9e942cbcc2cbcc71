/** An answer's messages that are posted and edited, with every refusal they can meet. */
import { retry } from '../../core/retry.ts';
import { plain } from '../../markdown/text.ts';
import type { Extras, MessageBody } from './blocks.ts';
import { hasCode, NOT_EDITABLE, STILL_STREAMING } from './errors.ts';
import { metadataOf } from './find-messages.ts';
import { endStream } from './message-stream.ts';
import { editMessage, postBody } from './post-message.ts';
import { addMessage, type ReplyMessage, type ReplyState } from './reply-state.ts';
import { retryPolicy } from './workspace.ts';

/** Rewrites a message that is not (or no longer) streaming. @throws {Failure} */
export async function rewriteMessage(
  state: ReplyState,
  message: ReplyMessage,
  text: string,
  extras: Extras,
): Promise<void> {
  message.reserved = null; // used by the call
  try {
    await showEdit(state, message, text, extras);
  } catch (error) {
    if (hasCode(error, ...NOT_EDITABLE)) return postPart(state, message.index, text, extras);
    if (!hasCode(error, STILL_STREAMING)) throw error;
    await endStream(state, message.ts);
    await showEdit(state, message, text, extras);
  }
}

/** One edit; of a growing message if the limiter was asked before. @throws {Failure} */
export async function showEdit(
  state: ReplyState,
  message: ReplyMessage,
  text: string,
  extras: Extras,
  isGrowing = false,
): Promise<void> {
  const { workspace, thread, question } = state;
  const { ts, index } = message;
  const target = { channel: thread.channel, ts, metadata: metadataOf('reply', question, { part: index }) };
  await editMessage(workspace, target, bodyOf(state, index, text, extras), isGrowing);
  message.shown = text;
  message.hasButtons = isGrowing && extras.blocks.length > 0;
}

/** Posts a message as number `index` of the answer; one that is to grow if the limiters were asked before. @throws {Failure} */
export async function postPart(
  state: ReplyState,
  index: number,
  text: string,
  extras: Extras,
  isGrowing = false,
): Promise<void> {
  const { workspace, thread, question } = state;
  const metadata = metadataOf('reply', question, { part: index });
  const place = { channel: thread.channel, thread_ts: thread.thread, metadata };
  const body = bodyOf(state, index, text, extras);
  const hasButtons = isGrowing && extras.blocks.length > 0;
  const reserved = isGrowing ? 'chat.update' : null;
  // Progress is shown by the next write, and an unknown outcome is looked into before it.
  const canRetry = () => !isGrowing && !state.mayBeUnrecorded;
  await retry({ ...retryPolicy(workspace.log), canRetry }, () =>
    addMessage(state, { index, mode: 'edit', shown: text, reserved, hasButtons }, () =>
      postBody(workspace, place, body, isGrowing),
    ),
  );
}

/** Where there is no text, notices stand in its place. */
function bodyOf({ rendering }: ReplyState, index: number, text: string, extras: Extras): MessageBody {
  return { text, plain: rendering.plain(index) || plain(text), extras };
}
