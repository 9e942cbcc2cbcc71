/** An answer's messages that are posted and edited, with every refusal they can meet. */
import type { Urgency } from '../../core/ports.ts';
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

/** One edit; `progress` for a message that goes on growing. @throws {Failure} */
export async function showEdit(
  state: ReplyState,
  message: ReplyMessage,
  text: string,
  extras: Extras,
  urgency: Urgency = 'final',
): Promise<void> {
  const { workspace, thread, question } = state;
  const { ts, index } = message;
  const target = { channel: thread.channel, ts, metadata: metadataOf('reply', question, { part: index }) };
  await editMessage(workspace, target, bodyOf(state, index, text, extras), urgency);
  message.shown = text;
  message.hasButtons = urgency === 'progress' && extras.blocks.length > 0;
}

/** Posts a message as number `index` of the answer; `progress` for one that is to grow, whose last edit is reserved. @throws {Failure} */
export async function postPart(
  state: ReplyState,
  index: number,
  text: string,
  extras: Extras,
  urgency: Urgency = 'final',
): Promise<void> {
  const { workspace, thread, question } = state;
  const isGrowing = urgency === 'progress';
  const metadata = metadataOf('reply', question, { part: index });
  const place = { channel: thread.channel, thread_ts: thread.thread, metadata };
  const body = bodyOf(state, index, text, extras);
  const hasButtons = isGrowing && extras.blocks.length > 0;
  const reserved = isGrowing ? 'chat.update' : null;
  // Progress is shown by the next write, and an unknown outcome is looked into before it.
  const canRetry = () => !isGrowing && !state.mayBeUnrecorded;
  await retry({ ...retryPolicy(workspace.log), canRetry }, () =>
    addMessage(state, { index, mode: 'edit', shown: text, reserved, hasButtons }, () =>
      postBody(workspace, place, body, urgency),
    ),
  );
}

/** Where there is no text, notices stand in its place. */
function bodyOf({ rendering }: ReplyState, index: number, text: string, extras: Extras): MessageBody {
  return { text, plain: rendering.plain(index) || plain(text), extras };
}
