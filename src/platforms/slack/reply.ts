import { gapMs, waitGap } from '../../core/limits/rate-limiter.ts';
import type { Reply, ReplyStart, Urgency } from '../../core/ports.ts';
import type { Question, ThreadRef } from '../../core/types.ts';
import { slackMarkdown } from '../../markdown/dialects.ts';
import { createRendering } from '../../markdown/rendering.ts';
import { NO_EXTRAS, PART_LIMIT } from './blocks.ts';
import { limitOf } from './budgets.ts';
import type { Desk } from './desk.ts';
import { drawView, type Paid } from './draw.ts';
import { type Drawing, stopGrowing } from './drawing.ts';
import { openThread } from './root.ts';
import { createStatus, type Status } from './status.ts';
import { giveBack } from './writing.ts';

/** A lone answer is written this often: natively, and by edits, which Slack gives half as many of. */
const STREAM_GAP_MS = 700;
const EDIT_GAP_MS = 1_200;
/** All answers together are written no more than a hundred times a second, whatever Slack allows, and each every two seconds. */
const CROWD_GAP_MS = 10;
const LONGEST_CROWD_GAP_MS = 2_000;
/** How often an answer that could not be begun looks whether it can be by now. */
const LATE_GAP_MS = 2_000;

/** One answer's presence in Slack. */
export function createReply(desk: Desk, question: Question, start: ReplyStart): Reply {
  let opening: Promise<Opened> | null = null;
  let drawn: Drawing | null = null;
  let lastWriteAt = Number.NEGATIVE_INFINITY;
  let paid: Paid = null;
  const open = (): Promise<Opened> => {
    opening ??= openThread(desk, question, start).then((place) =>
      opened(desk, question, place.thread, place.start),
    );
    // A thread that could not be opened may be tried again.
    opening.catch(() => {
      opening = null;
    });
    return opening;
  };
  return {
    open: async () => (await open()).drawing.thread,
    async acquire(urgency, signal) {
      // Finals take their budgets while they are written; a thread that does not open is `show`'s to report.
      const place = urgency === 'final' ? null : await opening?.catch(() => null);
      if (!place) return;
      const gap = (): number => gapOf(place.drawing);
      await waitGap(lastWriteAt, gap, signal, () => performance.now());
      paid = await takeTurn(place.drawing, urgency, signal);
    },
    async show(view) {
      const { drawing, status } = await open();
      drawn = drawing;
      if (view.text === '' && view.state !== 'done' && view.state !== 'failed') status.show(view.status);
      const mayUse = paid;
      paid = null;
      try {
        await drawView(drawing, view, mayUse);
      } finally {
        if (view.text !== '') lastWriteAt = performance.now();
      }
    },
    unresolved: () => drawn?.rendering.unresolved ?? 0,
    async close() {
      // Nobody waits for a thread that never opened.
      const place = await opening?.catch(() => null);
      if (place) await closeReply(place);
    },
  };
}

interface Opened {
  readonly drawing: Drawing;
  readonly status: Status;
}

function opened(desk: Desk, question: Question, thread: ThreadRef, start: ReplyStart): Opened {
  const drawing: Drawing = {
    desk,
    question,
    thread,
    start,
    rendering: createRendering(slackMarkdown, { hardLimit: PART_LIMIT }),
    growing: NO_EXTRAS,
    slots: [],
    cuts: new Map(),
    step: null,
    isStepOver: false,
    progress: { isSessionBusy: false, line: null },
    isStreamless: false,
    hasLooked: false,
  };
  return { drawing, status: createStatus(desk, thread, question.message, drawing.progress) };
}

async function closeReply({ drawing, status }: Opened): Promise<void> {
  for (const slot of drawing.slots) {
    stopGrowing(drawing, slot);
    giveBack(drawing, slot);
  }
  await status.clear();
}

function gapOf({ desk, slots }: Drawing): number {
  const slot = slots.at(-1);
  if (!slot) return LATE_GAP_MS;
  const method = slot.mode === 'stream' ? 'chat.appendStream' : 'chat.update';
  const active = Math.max(1, desk.budgets.growing[slot.mode].size);
  return gapMs(limitOf(method), active, desk.budgets.of(method).load(), leastGapMs(slot.mode, active));
}

/** The least pause between two writes of one of so many growing answers, in milliseconds. */
export function leastGapMs(mode: 'stream' | 'edit', active: number): number {
  const lone = mode === 'stream' ? STREAM_GAP_MS : EDIT_GAP_MS;
  return Math.max(lone, Math.min(LONGEST_CROWD_GAP_MS, active * CROWD_GAP_MS));
}

async function takeTurn({ desk, slots }: Drawing, urgency: Urgency, signal: AbortSignal): Promise<Paid> {
  const slot = slots.at(-1);
  if (!slot) return null;
  const method = slot.mode === 'stream' ? 'chat.appendStream' : 'chat.update';
  await desk.budgets.of(method).acquire(urgency, signal);
  return signal.aborted ? null : method;
}
