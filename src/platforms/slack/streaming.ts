/** The writes of a native stream: start, append, stop, each with every refusal it can meet. */

import { StopRequested } from '../../core/answering/stop.ts';
import { Failure } from '../../core/failures.ts';
import { isRetryable } from '../../core/retry.ts';
import { type Extras, NO_EXTRAS } from './blocks.ts';
import { send } from './desk.ts';
import { createSlot, type Drawing, record, type Slot } from './drawing.ts';
import { replyMetadata } from './lookup.ts';
import { asText } from './payload.ts';
import { refuseStep, stepShown, wordsOf } from './step.ts';
import { hasCode } from './web.ts';
import {
  endQuietly,
  findUnrecorded,
  giveBack,
  isRejected,
  rewrite,
  stopStream,
  TOO_LONG,
} from './writing.ts';

const NO_STREAMS = new Set([
  'unknown_method',
  'feature_not_enabled',
  'feature_disabled',
  'method_deprecated',
  'not_subscribed_to_message_stream_stopped',
]);
const NO_STREAM_HERE = new Set([
  'missing_recipient_user_id',
  'missing_recipient_team_id',
  'channel_type_not_supported',
]);
const NOT_STREAMING = new Set(['message_not_in_streaming_state', 'stopped_by_user']);
const STOPPED = new Set(['stopped_by_user']);

/** Opens a native stream with its first text; a start and a stop have been reserved. False when this answer has to do without; nothing was written then. */
export async function startStream(drawing: Drawing, index: number, body: string): Promise<boolean> {
  const { desk, question, thread, progress } = drawing;
  const { line } = progress;
  let ts: string;
  try {
    const result = await send(desk, 'chat.startStream', {
      channel: thread.channel,
      thread_ts: thread.thread,
      ...wordsOf(drawing, body),
      recipient_user_id: question.delivery.recipient,
      recipient_team_id: question.delivery.recipientTeam,
    });
    ts = asText(result.ts) ?? '';
  } catch (error) {
    desk.budgets.of('chat.stopStream').release();
    if (!(error instanceof Failure)) throw error;
    return recoverStart(drawing, index, error);
  }
  const slot = createSlot(ts, 'stream', body, 'chat.stopStream');
  stepShown(drawing, slot);
  if (progress.line === line) progress.line = null;
  await record(drawing, index, slot);
  return true;
}

async function recoverStart(drawing: Drawing, index: number, failure: Failure): Promise<boolean> {
  const { desk } = drawing;
  if (hasCode(failure, NO_STREAMS)) desk.latches.noStreams = true;
  else if (isStepRefused(drawing, failure)) refuseStep(drawing);
  else if (failure.kind === 'rejected' || failure.code === 'no_permission') drawing.isStreamless = true;
  else if (!isRetryable(failure)) throw failure;
  if (!failure.ambiguous) return false;
  // The stream may be open without our knowing its id; a second one would be a second answer.
  const orphan = await findUnrecorded(drawing);
  if (orphan === null) return false;
  await endQuietly(drawing, orphan);
  await record(drawing, index, createSlot(orphan, 'edit', null, null));
  return true;
}

/** Whether it may be the search step that Slack dislikes: only what is surely about the stream itself is not. */
function isStepRefused({ step }: Drawing, failure: Failure): boolean {
  return step !== null && isRejected(failure) && !hasCode(failure, NO_STREAM_HERE);
}

/**
 * Appends what is new, under a budget already taken. Leaves the slot in `edit` mode when the stream is over, and unsure when
 * nobody knows.
 * @throws {StopRequested} when somebody has used Slack's own Stop
 */
export async function append(drawing: Drawing, slot: Slot, body: string): Promise<void> {
  const { desk, thread } = drawing;
  const suffix = slot.shown === null ? '' : body.slice(slot.shown.length);
  if (suffix === '') return;
  try {
    const args = { channel: thread.channel, ts: slot.ts, ...wordsOf(drawing, suffix) };
    await send(desk, 'chat.appendStream', args, true);
    slot.shown = body;
    stepShown(drawing, slot);
  } catch (error) {
    if (hasCode(error, NOT_STREAMING)) {
      giveBack(drawing, slot);
      slot.mode = 'edit';
      // The event that says so may come later, or never where the app is not subscribed to it.
      if (hasCode(error, STOPPED)) throw new StopRequested({ reason: 'stopped', by: null, at: Date.now() });
    }
    // Too much for one stream, or no one knows how much arrived: one rewrite of the whole text settles it.
    else if (hasCode(error, TOO_LONG) || (error instanceof Failure && error.ambiguous)) slot.shown = null;
    else {
      if (error instanceof Failure && isStepRefused(drawing, error)) refuseStep(drawing);
      throw error;
    }
  }
}

/** How a stream ends. */
export interface Ending {
  readonly extras: Extras;
  /** The text before its sources were known: a stream that cannot be continued to the linked one ends with these words at once. */
  readonly unlinked: string;
  /** It is the answer's last message: what Slack knows of the answer ends with it. */
  readonly isLast: boolean;
}

/** Another message follows. */
export const GOES_ON: Ending = { extras: NO_EXTRAS, unlinked: '', isLast: false };

/** Ends a stream so that it shows `body` and what belongs under it. @throws {TooLong} */
export async function finishStream(
  drawing: Drawing,
  index: number,
  slot: Slot,
  body: string,
  ending: Ending,
): Promise<void> {
  const tail = slot.shown !== null && body.startsWith(slot.shown) ? body.slice(slot.shown.length) : null;
  const isRefused = tail === null || !(await stopWith(drawing, index, slot, tail, ending));
  slot.reserved = null; // spent by the one call or the other
  if (isRefused && slot.mode === 'stream') {
    await endQuietly(drawing, slot.ts, restOf(slot, ending.unlinked), ending.isLast);
  }
  slot.mode = 'edit';
  if (isRefused) await rewrite(drawing, index, slot, body, ending.extras);
  slot.shown = body;
}

/** False when Slack did not take the tail: the stream had ended, or the tail or the blocks are refused. */
async function stopWith(
  drawing: Drawing,
  index: number,
  slot: Slot,
  tail: string,
  { extras, isLast }: Ending,
): Promise<boolean> {
  const { question } = drawing;
  try {
    await stopStream(drawing, slot.ts, isLast, {
      ...(tail === '' ? {} : { markdown_text: tail }),
      ...(extras.blocks.length === 0 ? {} : { blocks: extras.blocks }),
      metadata: replyMetadata(question, index),
    });
    return true;
  } catch (error) {
    if (hasCode(error, NOT_STREAMING)) slot.mode = 'edit';
    else if (!isRejected(error)) throw error;
    return false;
  }
}

/** What a stream still lacks of a text; empty when it cannot be continued to it. */
function restOf({ shown }: Slot, text: string): string {
  return shown !== null && text.startsWith(shown) ? text.slice(shown.length) : '';
}
