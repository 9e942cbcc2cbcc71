import { Failure } from '../../core/failures.ts';
import { isRetryable } from '../../core/retry.ts';
import { isFinal, type View } from '../../core/types.ts';
import { extrasOf, growingExtras, MARKDOWN_LIMIT, NO_EXTRAS, noticesMarkdown } from './blocks.ts';
import { sendSurely } from './desk.ts';
import { bodiesOf, createSlot, type Drawing, refsOf, type Slot, stopGrowing, TooLong } from './drawing.ts';
import { findReplies } from './lookup.ts';
import { offerStep } from './step.ts';
import { append, finishStream, GOES_ON, startStream } from './streaming.ts';
import { edit, endQuietly, giveBack, postAt, rewrite } from './writing.ts';

/** Slack ends a stream about five minutes after its start, whatever is appended. */
const STREAM_MAX_AGE_MS = 4 * 60_000;
/** Shortening goes by 0.6: enough to get from the largest part to the shortest message. */
const MOST_REDRAWS = 8;

/** A budget slot that `turn` has already taken for the next progress write. */
export type Paid = 'chat.appendStream' | 'chat.update' | null;

/** Brings the messages to what the view says. @throws {Failure} */
export async function drawView(drawing: Drawing, view: View, paid: Paid): Promise<void> {
  if (view.text === '' && !isFinal(view)) return;
  await lookForEarlier(drawing);
  for (let redraws = 0; ; redraws++) {
    try {
      await drawOnce(drawing, view, paid);
      return;
    } catch (error) {
      if (!(error instanceof TooLong)) throw error;
      if (redraws >= MOST_REDRAWS) throw error.cause;
    } finally {
      countGrowing(drawing, !isFinal(view));
    }
  }
}

async function drawOnce(drawing: Drawing, view: View, paid: Paid): Promise<void> {
  const { rendering } = drawing;
  const isLast = isFinal(view);
  drawing.growing = isLast ? NO_EXTRAS : growingExtras(view);
  if (!isLast) breakWhenOld(drawing);
  rendering.update(view.text, view.sources, isLast);
  const unlinked = rendering.parts.at(-1) ?? '';
  const bodies = bodiesOf(drawing, isLast ? rendering.relink(view.sources) : rendering.parts);
  // The step stands above the first message's next words.
  offerStep(drawing, isLast || bodies.length > 1 ? [] : view.sources);
  for (const [index, body] of bodies.slice(0, -1).entries()) await settle(drawing, index, body);
  const index = Math.max(0, bodies.length - 1);
  if (isLast) {
    await conclude(drawing, index, bodies.at(-1) ?? '', view, unlinked);
    await removeSurplus(drawing, index + 1);
  } else {
    await grow(drawing, index, bodies.at(-1) ?? '', paid);
  }
}

/** A message that will not change any more, except for links that come late. */
async function settle(drawing: Drawing, index: number, body: string): Promise<void> {
  const slot = drawing.slots[index];
  if (!slot) await postAt(drawing, index, body, NO_EXTRAS);
  else if (slot.mode === 'stream') await finishStream(drawing, index, slot, body, GOES_ON);
  else if (slot.shown !== body || slot.hasButtons) await rewrite(drawing, index, slot, body, NO_EXTRAS);
}

/** The last message while text is still coming. What fails here is made good by the next write. */
async function grow(drawing: Drawing, index: number, body: string, paid: Paid): Promise<void> {
  if (body === '') return;
  try {
    const slot = drawing.slots[index];
    // What is only appended to gets the end of an open code block by itself.
    const closed = body + drawing.rendering.closer;
    if (!slot) await begin(drawing, index, body, closed);
    else if (slot.mode === 'edit') await editInTurn(drawing, index, slot, closed, paid);
    else if (slot.shown === null || !body.startsWith(slot.shown)) {
      await finishStream(drawing, index, slot, body, GOES_ON);
    } else if (paid === 'chat.appendStream' || tryAcquire(drawing, 'chat.appendStream')) {
      await append(drawing, slot, body);
    }
  } catch (error) {
    if (!(error instanceof Failure) || !(isRetryable(error) || error.kind === 'rejected')) throw error;
    drawing.desk.log.debug({ err: error }, 'progress could not be shown');
  }
}

/** Chooses how this message is written: only what can also be finished is begun; else it is posted once, at the end. */
async function begin(drawing: Drawing, index: number, body: string, closed: string): Promise<void> {
  const { desk, thread } = drawing;
  const hasStep = drawing.step !== null;
  if (canStream(drawing) && (await startStream(drawing, index, body))) return;
  const isWithoutStep = hasStep && drawing.step === null;
  if (isWithoutStep && canStream(drawing) && (await startStream(drawing, index, body))) return;
  const updates = desk.budgets.of('chat.update');
  if (!updates.reserve()) return;
  if (!desk.budgets.tryTakePost(thread.channel, 'progress')) return updates.release();
  await postAt(drawing, index, closed, drawing.growing, 'chat.update', true);
  const slot = drawing.slots[index];
  if (slot) slot.hasButtons = drawing.growing.blocks.length > 0;
}

function canStream({ desk, isStreamless, question }: Drawing): boolean {
  if (desk.latches.noStreams || isStreamless || !question.delivery.recipient) return false;
  const starts = desk.budgets.of('chat.startStream');
  if (!starts.reserve()) return false;
  if (desk.budgets.of('chat.stopStream').reserve()) return true;
  starts.release();
  return false;
}

async function editInTurn(
  drawing: Drawing,
  index: number,
  slot: Slot,
  body: string,
  paid: Paid,
): Promise<void> {
  if (slot.shown === body) return;
  if (paid === 'chat.update' || tryAcquire(drawing, 'chat.update')) await edit(drawing, index, slot, body);
}

function tryAcquire({ desk }: Drawing, method: 'chat.appendStream' | 'chat.update'): boolean {
  return desk.budgets.of(method).tryAcquire('progress');
}

async function conclude(
  drawing: Drawing,
  index: number,
  text: string,
  view: View,
  unlinked: string,
): Promise<void> {
  const { rendering, slots } = drawing;
  const body = text === '' ? noticesMarkdown(view) : text;
  const slot = slots[index];
  const step = slot?.mode === 'stream' ? slot.stepSize : 0;
  const extras = extrasOf(view, rendering.cited, MARKDOWN_LIMIT - body.length - step);
  if (!slot) await postAt(drawing, index, body, extras);
  else if (slot.mode === 'stream')
    await finishStream(drawing, index, slot, body, { extras, unlinked, isLast: true });
  else await rewrite(drawing, index, slot, body, extras);
}

/** Messages of an earlier attempt that the answer no longer needs. */
async function removeSurplus(drawing: Drawing, count: number): Promise<void> {
  const { slots, desk, thread, start } = drawing;
  if (slots.length <= count) return;
  for (const slot of slots.slice(count)) {
    try {
      if (slot.mode === 'stream') await endQuietly(drawing, slot.ts);
      await sendSurely(desk, 'chat.delete', { channel: thread.channel, ts: slot.ts });
    } catch (error) {
      if (!(error instanceof Failure) || error.kind !== 'gone') throw error;
    }
    giveBack(drawing, slot);
    stopGrowing(drawing, slot);
  }
  slots.length = count;
  await start.posted(refsOf(drawing));
}

function breakWhenOld({ rendering, slots }: Drawing): void {
  const slot = slots.at(-1);
  if (slot?.mode !== 'stream' || slot.isBroken) return;
  if (performance.now() - slot.startedAt < STREAM_MAX_AGE_MS) return;
  slot.isBroken = true;
  rendering.breakPart();
}

/** Takes over what earlier attempts posted: streams are ended, messages are rewritten from now on. */
async function lookForEarlier(drawing: Drawing): Promise<void> {
  if (drawing.hasLooked) return;
  const { start, slots, desk, question, thread } = drawing;
  const known = start.messages.map((message) => message.message);
  const found = start.attempt > 1 ? await findReplies(desk, question, thread.thread) : [];
  const all = [...new Set([...known, ...(found ?? []).map((message) => message.ts)])];
  all.sort((a, b) => Number(a) - Number(b));
  const finished = new Set(found?.filter((message) => message.part !== null).map((message) => message.ts));
  // Parts are written one after the other: where the thread cannot be read, only the last may still be open.
  const open = found === null ? all.slice(-1) : all.filter((ts) => !finished.has(ts));
  if (start.attempt > 1) for (const ts of open) await endQuietly(drawing, ts);
  slots.push(...all.map((ts) => createSlot(ts, 'edit', null, null)));
  drawing.hasLooked = true;
  if (all.length > known.length) await start.posted(refsOf(drawing));
}

/** Who shares the window of appends and of edits; the pause between two writes depends on it. */
function countGrowing(drawing: Drawing, isGrowing: boolean): void {
  for (const slot of drawing.slots) stopGrowing(drawing, slot);
  const last = drawing.slots.at(-1);
  if (isGrowing && last) drawing.desk.budgets.growing[last.mode].add(last);
}
