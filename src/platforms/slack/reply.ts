import { gapMs, waitGap } from '../../core/limits/call-limiter.ts';
import type { Reply, ReplyStart } from '../../core/ports.ts';
import { isFinal, type MessageRef, type Question } from '../../core/types.ts';
import { slackMarkdown } from '../../markdown/dialects.ts';
import { createRendering } from '../../markdown/rendering.ts';
import { PART_LIMIT } from './blocks.ts';
import { LIMITS } from './limits.ts';
import { createMessage, messageRef, type ReplyState, releaseReserved } from './reply-state.ts';
import { countGrowing, showView } from './show-view.ts';
import { Status } from './status.ts';
import { openThread } from './thread.ts';
import type { SlackWorkspace } from './workspace.ts';

/** The pause between two writes of a lone answer: as a stream, and by edits, of which Slack allows half as many. */
const LONE_GAP_MS = { stream: 700, edit: 1_200 } as const;
/** How often an answer that could not be begun for want of a free call looks whether it can be begun now. */
const LATE_GAP_MS = 2_000;

/** The method that a growing message is written with. */
const METHODS = { stream: 'chat.appendStream', edit: 'chat.update' } as const;

/** One answer's presence in Slack. */
export function createReply(workspace: SlackWorkspace, question: Question, start: ReplyStart): Reply {
  let opening: Promise<ReplyState> | null = null;
  let shown: ReplyState | null = null;
  let lastWriteAt = Number.NEGATIVE_INFINITY;
  const open = (): Promise<ReplyState> => {
    opening ??= openReply(workspace, question, start);
    // A thread that could not be opened may be tried again.
    opening.catch(() => {
      opening = null;
    });
    return opening;
  };
  return {
    open: async () => (await open()).thread,
    async show(latest, signal) {
      const state = await open();
      shown = state;
      const due = latest();
      if (due && !isFinal(due)) await waitGap(lastWriteAt, () => gapOf(state), signal);
      const view = latest();
      if (!view) return;
      try {
        await showView(state, view);
      } finally {
        // The first word may be held back until the next one tells what it begins: then there was nothing to write.
        if (state.rendering.parts.length > 0) lastWriteAt = performance.now();
      }
    },
    unresolved: () => shown?.rendering.unresolved ?? 0,
    async close() {
      // A thread that never opened has nothing to close.
      const state = await opening?.catch(() => null);
      if (!state) return;
      countGrowing(state, false);
      for (const message of state.messages) releaseReserved(state, message);
      await state.status.clear();
    },
  };
}

async function openReply(
  workspace: SlackWorkspace,
  question: Question,
  given: ReplyStart,
): Promise<ReplyState> {
  const isRepeat = given.attempt > 1;
  const thread = await openThread(workspace, question, isRepeat, given.messages[0]);
  const start = question.thread === null ? await recordRoot(given, messageRef(thread, thread.thread)) : given;
  return {
    workspace,
    question,
    thread,
    start,
    rendering: createRendering(slackMarkdown, { hardLimit: PART_LIMIT }),
    messages: start.messages.map(({ message }, index) => createMessage(message, index)),
    partLimit: PART_LIMIT,
    step: null,
    hasStep: false,
    status: new Status(workspace, thread, question.message),
    isStreamless: false,
    mayBeUnrecorded: isRepeat,
  };
}

/**
 * Records the root of an `/ask` as the first of the answer's messages, because nothing else tells of it where we may not read
 * the channel. Resolves with the start of the other messages.
 */
async function recordRoot(start: ReplyStart, root: MessageRef): Promise<ReplyStart> {
  if (start.messages.length === 0) await start.posted([root]);
  const posted = (messages: readonly MessageRef[]) => start.posted([root, ...messages]);
  return { ...start, messages: start.messages.slice(1), posted };
}

function gapOf({ workspace, messages }: ReplyState): number {
  const message = messages.at(-1);
  if (!message) return LATE_GAP_MS;
  const method = METHODS[message.mode];
  const active = Math.max(1, workspace.limits.growing[message.mode].size);
  const load = workspace.limits.of(method).load();
  return gapMs(LIMITS[method], active, load, LONE_GAP_MS[message.mode]);
}
