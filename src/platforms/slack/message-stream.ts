/** Native streams: start, append, stop, each with every refusal it can meet. */
import type { ChatStopStreamArguments } from '@slack/web-api';
import { StopRequested } from '../../core/answering/stop.ts';
import { Failure } from '../../core/failures.ts';
import { type Chunk, type Extras, NO_EXTRAS } from './blocks.ts';
import { hasCode, isRejected, TOO_LONG } from './errors.ts';
import { metadataOf } from './find-messages.ts';
import { addMessage, type ReplyMessage, type ReplyState, releaseReserved } from './reply-state.ts';
import { callWithRetry } from './workspace.ts';

/** The workspace or the app has no native streams. */
const UNSUPPORTED = [
  'unknown_method',
  'feature_not_enabled',
  'feature_disabled',
  'method_deprecated',
  'not_subscribed_to_message_stream_stopped',
];
/** This answer cannot be streamed. */
const NO_STREAM_HERE = [
  'missing_recipient_user_id',
  'missing_recipient_team_id',
  'channel_type_not_supported',
];
const NOT_STREAMING = ['message_not_in_streaming_state', 'stopped_by_user'];

/**
 * Opens a native stream with its first text; a start and a stop have been reserved. False when Slack refused that: this answer
 * has to do without a stream, for now or for good, or without the search step.
 */
export async function startStream(state: ReplyState, index: number, text: string): Promise<boolean> {
  const { client, limits } = state.workspace;
  const { recipient, recipientTeam } = state.question.delivery;
  const args = {
    channel: state.thread.channel,
    thread_ts: state.thread.thread,
    ...(recipient && { recipient_user_id: recipient }),
    ...(recipientTeam && { recipient_team_id: recipientTeam }),
  };
  const start = async (words: Words) =>
    (await limits.call('chat.startStream', () => client.chat.startStream({ ...args, ...words }))).ts;
  const message = { index, mode: 'stream', shown: text, hasButtons: false } as const;
  try {
    const reserved = 'chat.stopStream';
    await addMessage(state, { ...message, reserved }, () => sendWords(state, text, start));
    return true;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (hasCode(error, ...UNSUPPORTED)) state.workspace.unsupported.streams = true;
    else if (refuseStep(state, error)) return false;
    else if (error.kind === 'rejected' || error.code === 'no_permission') state.isStreamless = true;
    else if (error.kind !== 'rate-limited') throw error;
    return false;
  }
}

type Words = { markdown_text: string } | { chunks: Chunk[] };

/**
 * Sends the next words of a stream, after the search step if that is due. An edited message has no place for a step, and behind
 * the last words it would only repeat the list of sources.
 */
async function sendWords<T>(state: ReplyState, text: string, send: (words: Words) => Promise<T>): Promise<T> {
  const { step } = state;
  const sent = await send(
    step === null ? { markdown_text: text } : { chunks: [step, { type: 'markdown_text', text }] },
  );
  state.hasStep ||= step !== null;
  state.step = null;
  return sent;
}

/**
 * True when a refusal is most likely about the search step, as where agents are switched off: the words go without it from now
 * on. Some refusals are surely about the stream itself.
 */
function refuseStep(state: ReplyState, error: unknown): boolean {
  if (state.step === null || !isRejected(error) || hasCode(error, ...NO_STREAM_HERE)) return false;
  state.workspace.unsupported.steps = true;
  state.step = null;
  return true;
}

/**
 * Appends what is new. Leaves the message in `edit` mode when its stream is over, and with an
 * unknown text when the outcome is unknown.
 * @throws {StopRequested} when somebody has used Slack's own Stop
 */
export async function appendToStream(state: ReplyState, message: ReplyMessage, text: string): Promise<void> {
  const { client, limits } = state.workspace;
  const rest = restOf(message, text);
  if (!rest) return;
  const args = { channel: state.thread.channel, ts: message.ts };
  try {
    await sendWords(state, rest, (words) =>
      limits.call('chat.appendStream', () => client.chat.appendStream({ ...args, ...words }), 'progress'),
    );
    message.shown = text;
  } catch (error) {
    if (hasCode(error, ...NOT_STREAMING)) {
      releaseReserved(state, message);
      message.mode = 'edit';
      // The event that says so may come later, or never where the app is not subscribed to it.
      if (hasCode(error, 'stopped_by_user'))
        throw new StopRequested({ reason: 'stopped', by: null, at: Date.now() });
    }
    // The stream is full, or nobody knows how much has arrived: one rewrite of the whole text settles both.
    else if (hasCode(error, ...TOO_LONG) || (error instanceof Failure && error.ambiguous))
      message.shown = null;
    else {
      refuseStep(state, error);
      throw error;
    }
  }
}

/** How a stream ends. */
export interface StreamEnd {
  readonly extras: Extras;
  /** The text before its sources were known. A stream whose text cannot be continued to the linked one ends with it at once. */
  readonly unlinked: string;
  /** It is the answer's last message: the answer's agent session ends with it. */
  readonly isLast: boolean;
}

/** Another message follows. */
export const GOES_ON: StreamEnd = { extras: NO_EXTRAS, unlinked: '', isLast: false };

/** Ends a stream so that it shows this text. False when Slack did not take that: the message is still to be rewritten. */
export async function finishStream(
  state: ReplyState,
  message: ReplyMessage,
  text: string,
  { extras, unlinked, isLast }: StreamEnd,
): Promise<boolean> {
  const tail = restOf(message, text);
  let isShown = false;
  let isOver = false;
  try {
    if (tail !== null) {
      await stopStream(state, message.ts, isLast, {
        ...(tail !== '' && { markdown_text: tail }),
        ...(extras.blocks.length > 0 && { blocks: [...extras.blocks] }),
        metadata: metadataOf('reply', state.question, { part: message.index }),
      });
      isShown = true;
    }
  } catch (error) {
    // The stream had ended, or the tail or the blocks are refused.
    if (!isRejected(error)) throw error;
    isOver = hasCode(error, ...NOT_STREAMING);
  }
  message.reserved = null; // used by one of the two calls
  message.mode = 'edit';
  if (isShown) message.shown = text;
  else if (!isOver) await endStream(state, message.ts, restOf(message, unlinked) ?? '', isLast);
  return isShown;
}

/** What a stream still lacks of a text; null when it cannot be continued to it. */
function restOf({ shown }: ReplyMessage, text: string): string | null {
  return shown !== null && text.startsWith(shown) ? text.slice(shown.length) : null;
}

/** Ends a stream as it is, or with a few more words. Never fails: it may have ended long ago. */
export async function endStream(state: ReplyState, ts: string, rest = '', isLast = false): Promise<void> {
  try {
    await stopStream(state, ts, isLast, rest === '' ? {} : { markdown_text: rest });
  } catch (error) {
    state.workspace.log.debug({ err: error }, 'a stream could not be ended');
  }
}

/** With the answer's last stream, a session that is still `processing` ends as well. @throws {Failure} */
async function stopStream(
  { workspace, thread, status }: ReplyState,
  ts: string,
  isLast: boolean,
  what: Omit<ChatStopStreamArguments, 'channel' | 'ts'>,
): Promise<void> {
  const endsSession = isLast && status.isBusy;
  const args = {
    channel: thread.channel,
    ts,
    ...what,
    ...(endsSession && { session_status: 'active' }),
  };
  await callWithRetry(workspace, 'chat.stopStream', ({ chat }) => chat.stopStream(args));
  if (endsSession) status.endedByStream();
}
