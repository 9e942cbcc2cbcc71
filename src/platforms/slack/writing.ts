/** The single writes of an answer to Slack outside of streams: update and post, each with every refusal it can meet. */
import { Failure } from '../../core/failures.ts';
import { content, contentWithoutBlocks, type Extras, plainBeginning } from './blocks.ts';
import { send, sendSurely } from './desk.ts';
import { createSlot, cutShorter, type Drawing, plainOf, record, type Slot, TooLong } from './drawing.ts';
import { findReplies, replyMetadata } from './lookup.ts';
import { post, postOnce } from './posting.ts';
import { hasCode } from './web.ts';

const STILL_STREAMING = new Set(['streaming_state_conflict']);
/** A message, or a stream, holds no more. */
export const TOO_LONG: ReadonlySet<string> = new Set([
  'msg_too_long',
  'msg_blocks_too_long',
  'msg_blocks_too_many',
  'markdown_text_too_long',
]);
/** What a message of ours that nobody may edit any more is refused with. */
export const NOT_EDITABLE: ReadonlySet<string> = new Set([
  'edit_window_closed',
  'cant_update_message',
  'message_not_owned_by_app',
]);

/** One write is changed this often to please Slack; then the refusal is the core's to know. */
const MOST_REFUSALS = 2;

/** Ends a stream; with the answer's last one, a session that is still `processing` as well. @throws {Failure} */
export async function stopStream(
  { desk, thread, progress }: Drawing,
  ts: string,
  isLast: boolean,
  what: Readonly<Record<string, unknown>>,
): Promise<void> {
  const endsSession = isLast && progress.isSessionBusy;
  const status = endsSession ? { session_status: 'active' } : {};
  await sendSurely(desk, 'chat.stopStream', { channel: thread.channel, ts, ...what, ...status });
  if (endsSession) progress.isSessionBusy = false;
}

/** Ends a stream as it is, or with a few more words; it may have ended long ago. */
export async function endQuietly(drawing: Drawing, ts: string, rest = '', isLast = false): Promise<void> {
  try {
    await stopStream(drawing, ts, isLast, rest === '' ? {} : { markdown_text: rest });
  } catch (error) {
    drawing.desk.log.debug({ err: error }, 'a stream could not be ended');
  }
}

/** Rewrites a message that is not (or no longer) streaming. @throws {TooLong} */
export async function rewrite(
  drawing: Drawing,
  index: number,
  slot: Slot,
  body: string,
  extras: Extras,
): Promise<void> {
  slot.reserved = null; // spent by the call
  let what = content(body, extras, plainOf(drawing, index, body));
  for (let refusals = 0; ; refusals++) {
    try {
      await sendSurely(drawing.desk, 'chat.update', updateArgs(drawing, index, slot, what));
      break;
    } catch (error) {
      if (hasCode(error, TOO_LONG)) throw tooLong(drawing, index, body, error);
      if (hasCode(error, NOT_EDITABLE)) return postAt(drawing, index, body, extras);
      if (!isRejected(error) || refusals >= MOST_REFUSALS) throw error;
      if (hasCode(error, STILL_STREAMING)) await endQuietly(drawing, slot.ts);
      else what = contentWithoutBlocks(body, extras);
    }
  }
  slot.shown = body;
  slot.hasButtons = false;
}

/** One progress edit under a budget already taken. */
export async function edit(drawing: Drawing, index: number, slot: Slot, body: string): Promise<void> {
  const args = updateArgs(drawing, index, slot, content(body, drawing.growing, plainBeginning(body, true)));
  await send(drawing.desk, 'chat.update', args, true);
  slot.shown = body;
  slot.hasButtons = drawing.growing.blocks.length > 0;
}

function updateArgs(
  { thread, question }: Drawing,
  index: number,
  slot: Slot,
  what: Readonly<Record<string, unknown>>,
) {
  return {
    channel: thread.channel,
    ts: slot.ts,
    ...what,
    // Left out, Slack would parse the text as if a person had typed it.
    parse: 'none',
    link_names: false,
    metadata: replyMetadata(question, index),
  };
}

/** Posts a message as number `index` of the answer. `isPaid`: the first try's budget is taken already. @throws {TooLong} */
export async function postAt(
  drawing: Drawing,
  index: number,
  body: string,
  extras: Extras,
  reserved: Slot['reserved'] = null,
  isPaid = false,
): Promise<void> {
  const { progress } = drawing;
  const { line } = progress;
  let what = content(body, extras, plainOf(drawing, index, body));
  let ts: string | null = null;
  for (let refusals = 0; ts === null; refusals++) {
    try {
      ts = await postSurely(drawing, index, what, isPaid && refusals === 0);
    } catch (error) {
      if (hasCode(error, TOO_LONG)) throw tooLong(drawing, index, body, error);
      if (!isRejected(error) || refusals >= MOST_REFUSALS) throw error;
      what = contentWithoutBlocks(body, extras);
    }
  }
  if (progress.line === line) progress.line = null;
  await record(drawing, index, createSlot(ts, 'edit', body, reserved));
}

/** Posts until it is certain that it stands there once. */
function postSurely(
  drawing: Drawing,
  index: number,
  what: Readonly<Record<string, unknown>>,
  isPaid: boolean,
): Promise<string> {
  const { desk, thread, question } = drawing;
  const args = {
    channel: thread.channel,
    thread_ts: thread.thread,
    metadata: replyMetadata(question, index),
  };
  return postOnce(desk, {
    mayStand: false,
    find: () => findUnrecorded(drawing),
    write: (attempt) => post(desk, { ...args, ...what }, isPaid && attempt === 1),
  });
}

/** The newest message of this answer that is in the thread but not in our list. */
export async function findUnrecorded({ desk, question, thread, slots }: Drawing): Promise<string | null> {
  const known = new Set(slots.map((slot) => slot.ts));
  const found = await findReplies(desk, question, thread.thread);
  return found?.findLast((message) => !known.has(message.ts))?.ts ?? null;
}

/** Frees the final write that was set aside for a message which will not need it. */
export function giveBack({ desk }: Drawing, slot: Slot): void {
  if (slot.reserved !== null) desk.budgets.of(slot.reserved).release();
  slot.reserved = null;
}

/** Slack dislikes what was sent, most likely its blocks (`invalid_blocks`); without them it is plain Markdown. */
export function isRejected(error: unknown): boolean {
  return error instanceof Failure && error.kind === 'rejected';
}

function tooLong(drawing: Drawing, index: number, body: string, refusal: unknown): unknown {
  return cutShorter(drawing, index, body) ? new TooLong(refusal) : refusal;
}
