/** One answer's messages on Slack: which there are, what they show, and what is set aside for their end. */
import { Failure } from '../../core/failures.ts';
import type { ReplyStart } from '../../core/ports.ts';
import type { MessageRef, Question, ThreadRef } from '../../core/types.ts';
import { slackMarkdown } from '../../markdown/dialects.ts';
import { createRendering, type Rendering } from '../../markdown/rendering.ts';
import type { SearchStep } from './blocks.ts';
import type { Status } from './status.ts';
import type { SlackWorkspace } from './workspace.ts';

/** One message of the answer. */
export interface ReplyMessage {
  readonly ts: string;
  /** The number of the part of the text that it shows, from 0. */
  index: number;
  /** `stream` while Slack lets us append to it; after that it can only be rewritten. */
  mode: 'stream' | 'edit';
  /** The text that Slack has confirmed; null when it is not known what the message shows. */
  shown: string | null;
  /** `performance.now()` when it was posted. */
  readonly startedAt: number;
  /** It shows the button that only a growing message has. */
  hasButtons: boolean;
  /** The call that was reserved to finish this message: none is begun that could not be finished. */
  reserved: 'chat.stopStream' | 'chat.update' | null;
}

/** One answer on its way into its thread. */
export interface ReplyState {
  readonly workspace: SlackWorkspace;
  readonly question: Question;
  readonly thread: ThreadRef;
  readonly start: ReplyStart;
  /** Made anew, with shorter parts, when Slack finds a message too long. */
  rendering: Rendering;
  /** The longest text of one message, in characters. */
  partLimit: number;
  /** In the order of the text. */
  readonly messages: ReplyMessage[];
  /** The search as a step that goes with the next words of the stream; null when none is due. */
  step: SearchStep | null;
  /** It was shown. */
  hasStep: boolean;
  readonly status: Status;
  /** Slack refuses native streams for this answer (a missing recipient, an odd channel type). */
  isStreamless: boolean;
  /** A message may be in the thread that is not among `messages`: it is looked for before anything else is written. */
  mayBeUnrecorded: boolean;
}

/** A message of which it is not known what it shows. */
export function createMessage(ts: string, index = 0): ReplyMessage {
  const startedAt = performance.now();
  return {
    ts,
    index,
    mode: 'edit',
    shown: null,
    startedAt,
    hasButtons: false,
    reserved: null,
  };
}

/**
 * Sends a new message of the answer, which takes the place of the one with its number, and has it recorded before anything
 * else is written. The call that is reserved for its end is released when it fails. @throws {Failure}
 */
export async function addMessage(
  state: ReplyState,
  message: Omit<ReplyMessage, 'ts' | 'startedAt'>,
  send: () => Promise<string | undefined>,
): Promise<void> {
  const { workspace, status, messages, start } = state;
  const { line } = status;
  let ts: string | undefined;
  try {
    ts = await send();
  } catch (error) {
    if (message.reserved !== null) workspace.limits.of(message.reserved).release();
    state.mayBeUnrecorded ||= error instanceof Failure && error.ambiguous;
    throw error;
  }
  // Slack has taken down the status that was there when the message was sent.
  if (status.line === line) status.line = null;
  messages[message.index] = { ...message, ts: ts ?? '', startedAt: performance.now() };
  await start.posted(messageRefs(state));
}

/** Releases the call that was reserved for a message which will not need it. */
export function releaseReserved({ workspace }: ReplyState, message: ReplyMessage): void {
  if (message.reserved !== null) workspace.limits.of(message.reserved).release();
  message.reserved = null;
}

export function messageRefs({ messages, thread }: ReplyState): readonly MessageRef[] {
  return messages.map(({ ts }) => messageRef(thread, ts));
}

export function messageRef({ platform, workspace, channel }: ThreadRef, ts: string): MessageRef {
  return { platform, workspace, channel, message: ts };
}

/** Messages do not get shorter than this many characters. */
const SHORTEST = 100;

/** Renders the answer in shorter messages, since Slack finds one too long; false when they cannot get any shorter. */
export function shortenParts(state: ReplyState): boolean {
  const longest = Math.max(...state.rendering.parts.map(({ length }) => length));
  const limit = Math.floor(Math.min(state.partLimit, longest) * 0.6);
  if (limit < SHORTEST) return false;
  state.partLimit = limit;
  // The room between the limits is for links.
  state.rendering = createRendering(slackMarkdown, { softLimit: Math.floor(limit * 0.9), hardLimit: limit });
  return true;
}
