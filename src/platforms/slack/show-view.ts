/** Brings an answer's messages to what a view says: decides between a native stream, edits, and one post at the end. */
import { Failure } from '../../core/failures.ts';
import { isRetryable } from '../../core/retry.ts';
import { isFinal, type View } from '../../core/types.ts';
import {
  type Extras,
  extrasOf,
  growingExtras,
  MARKDOWN_LIMIT,
  noticesMarkdown,
  STEP_LIMIT,
  searchStep,
} from './blocks.ts';
import { hasCode, TOO_LONG } from './errors.ts';
import { findOwn } from './find-messages.ts';
import { postPart, rewriteMessage, showEdit } from './message-edits.ts';
import {
  appendToStream,
  endStream,
  finishStream,
  GOES_ON,
  type StreamEnd,
  startStream,
} from './message-stream.ts';
import {
  createMessage,
  messageRef,
  messageRefs,
  type ReplyState,
  releaseReserved,
  shortenParts,
} from './reply-state.ts';
import { callWithRetry } from './workspace.ts';

/** Slack ends a stream about five minutes after its start, whatever is appended. */
const STREAM_MAX_AGE_MS = 4 * 60_000;

/** Brings the messages to what the view says. @throws {Failure} */
export async function showView(state: ReplyState, view: View): Promise<void> {
  if (view.text === '' && !isFinal(view)) return state.status.show(view.status);
  for (;;) {
    try {
      await adoptUnrecorded(state);
      return await showOnce(state, view);
    } catch (error) {
      if (!hasCode(error, ...TOO_LONG) || !shortenParts(state)) throw error;
    } finally {
      countGrowing(state, !isFinal(view));
    }
  }
}

async function showOnce(state: ReplyState, view: View): Promise<void> {
  const { rendering } = state;
  const isLast = isFinal(view);
  if (!isLast) breakOldStream(state);
  rendering.update(view.text, view.sources, isLast);
  const unlinked = rendering.parts.at(-1) ?? '';
  const texts = isLast ? rendering.relink(view.sources) : rendering.parts;
  // The step stands above the first message's next words.
  const isStepDue = !isLast && texts.length <= 1 && view.sources.length > 0 && !state.hasStep;
  state.step = isStepDue && !state.workspace.unsupported.steps ? searchStep(view.sources) : null;
  for (const [index, text] of texts.slice(0, -1).entries()) {
    const message = state.messages[index];
    // Its text changes no more, except for links that come late.
    const isFinished = message?.mode === 'edit' && message.shown === text && !message.hasButtons;
    if (!isFinished) await finishMessage(state, index, text, GOES_ON);
  }
  const index = Math.max(0, texts.length - 1);
  if (isLast) {
    await finishAnswer(state, index, texts.at(-1) ?? '', view, unlinked);
    await deleteSurplus(state, index + 1);
  } else {
    await showProgress(state, index, texts.at(-1) ?? '', growingExtras(view));
  }
}

async function finishMessage(state: ReplyState, index: number, text: string, end: StreamEnd): Promise<void> {
  const message = state.messages[index];
  if (!message) await postPart(state, index, text, end.extras);
  else if (message.mode === 'edit' || !(await finishStream(state, message, text, end)))
    await rewriteMessage(state, message, text, end.extras);
}

/** The last message while text is still coming. The next write makes good what fails here. */
async function showProgress(state: ReplyState, index: number, text: string, extras: Extras): Promise<void> {
  if (text === '') return;
  try {
    const message = state.messages[index];
    // Slack closes the open code block of a stream by itself.
    const closed = text + state.rendering.closer;
    if (!message) await beginMessage(state, index, text, closed, extras);
    else if (message.mode === 'edit') {
      if (message.shown !== closed) await showEdit(state, message, closed, extras, 'progress');
    } else if (message.shown === null || !text.startsWith(message.shown))
      await finishMessage(state, index, text, GOES_ON);
    else await appendToStream(state, message, text);
  } catch (error) {
    if (!(error instanceof Failure) || hasCode(error, ...TOO_LONG)) throw error;
    if (!isRetryable(error) && error.kind !== 'rejected') throw error;
    state.workspace.log.debug({ err: error }, 'progress could not be shown');
  }
}

/** Chooses how this message is written. None is begun that could not be finished: then it is posted once, at the end. */
async function beginMessage(
  state: ReplyState,
  index: number,
  text: string,
  closed: string,
  extras: Extras,
): Promise<void> {
  while (reserveStream(state)) if (await startStream(state, index, text)) return;
  if (!state.workspace.limits.of('chat.update').reserve()) return;
  await postPart(state, index, closed, extras, 'progress');
}

/** Reserves the start and the stop of a stream; false, with nothing reserved, where there is to be none. */
function reserveStream({ workspace, isStreamless, question }: ReplyState): boolean {
  if (workspace.unsupported.streams || isStreamless || !question.delivery.recipient) return false;
  const starts = workspace.limits.of('chat.startStream');
  if (!starts.reserve()) return false;
  if (workspace.limits.of('chat.stopStream').reserve()) return true;
  starts.release();
  return false;
}

async function finishAnswer(
  state: ReplyState,
  index: number,
  lastText: string,
  view: View,
  unlinked: string,
): Promise<void> {
  const text = lastText === '' ? noticesMarkdown(view) : lastText;
  const room = MARKDOWN_LIMIT - text.length - (index === 0 ? STEP_LIMIT : 0);
  const extras = extrasOf(view, state.rendering.cited, room);
  await finishMessage(state, index, text, { extras, unlinked, isLast: true });
}

/** Deletes messages of an earlier attempt that the answer does not need any more. */
async function deleteSurplus(state: ReplyState, count: number): Promise<void> {
  const { messages, workspace, thread, start } = state;
  if (messages.length <= count) return;
  for (const message of messages.slice(count)) {
    try {
      if (message.mode === 'stream') await endStream(state, message.ts);
      const args = { channel: thread.channel, ts: message.ts };
      await callWithRetry(workspace, 'chat.delete', ({ chat }) => chat.delete(args));
    } catch (error) {
      if (!(error instanceof Failure) || error.kind !== 'gone') throw error;
    }
    releaseReserved(state, message);
  }
  messages.length = count;
  await start.posted(messageRefs(state));
}

function breakOldStream({ rendering, messages }: ReplyState): void {
  const message = messages.at(-1);
  if (message?.mode === 'stream' && performance.now() - message.startedAt > STREAM_MAX_AGE_MS)
    rendering.breakPart();
}

/**
 * Takes over the messages of this answer that an earlier attempt, or a call with an unknown outcome, has left: streams are
 * ended, and all are rewritten from now on. @throws {Failure} when Slack cannot be reached
 */
async function adoptUnrecorded(state: ReplyState): Promise<void> {
  if (!state.mayBeUnrecorded) return;
  const { workspace, question, thread, messages, start } = state;
  const found = await findOwn(workspace, question, 'reply', thread);
  const recorded = messages.length;
  for (const { ts, part } of found ?? []) {
    // An unfinished stream does not say whose it is: it may belong to another question.
    const isOther = part === null && (await start.isTaken(messageRef(thread, ts)));
    if (!isOther && !messages.some((known) => known.ts === ts)) messages.push(createMessage(ts));
  }
  messages.sort((a, b) => Number(a.ts) - Number(b.ts));
  for (const [index, message] of messages.entries()) message.index = index;
  const finished = new Set(found?.filter(({ part }) => part !== null).map(({ ts }) => ts));
  // Parts are written one after the other: where the thread cannot be read, only the last can still be open.
  const open = found === null ? messages.slice(-1) : messages.filter(({ ts }) => !finished.has(ts));
  for (const { ts } of open) await endStream(state, ts);
  state.mayBeUnrecorded = false;
  if (messages.length > recorded) await start.posted(messageRefs(state));
}

/** Counts the growing message among those that share a limit: the pause between two writes depends on their number. */
export function countGrowing(state: ReplyState, isGrowing: boolean): void {
  const { growing } = state.workspace.limits;
  growing.stream.delete(state);
  growing.edit.delete(state);
  const last = state.messages.at(-1);
  if (isGrowing && last) growing[last.mode].add(state);
}
