/** One answer's messages on Slack: which there are, what they show, and what is set aside for their end. */
import { Failure } from '../../core/failures.ts';
import type { ReplyStart } from '../../core/ports.ts';
import type { MessageRef, Question, ThreadRef } from '../../core/types.ts';
import { slackMarkdown } from '../../markdown/dialects.ts';
import { createRendering, type Rendering } from '../../markdown/rendering.ts';
import { type Extras, plainBeginning } from './blocks.ts';
import type { LimitedMethod } from './limits.ts';
import type { SearchStep } from './search-step.ts';
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
  /** A stream that got too old: what follows goes into the next message. */
  isBroken: boolean;
  /** How many characters of the message's limit its search step takes. */
  stepSize: number;
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
  /** The buttons under the message that grows. */
  growing: Extras;
  /** In the order of the text. */
  readonly messages: ReplyMessage[];
  /** The search as a step that goes with the next words of the stream; null when none is due. */
  step: SearchStep | null;
  readonly status: Status;
  /** Slack refuses native streams for this answer (a missing recipient, an odd channel type). */
  isStreamless: boolean;
  /** A message may be in the thread that is not among `messages`: it is looked for before anything else is written. */
  mayBeUnrecorded: boolean;
  /** The call that was acquired for the next progress write; null for none. */
  acquired: LimitedMethod | null;
}

/** Slack refused a message as too long: the answer is to be shown again, in shorter messages. */
export class MessageTooLong extends Error {
  constructor(refusal: unknown) {
    super('a message was refused as too long', { cause: refusal });
    this.name = 'MessageTooLong';
  }
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
    isBroken: false,
    stepSize: 0,
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
  message: Pick<ReplyMessage, 'index' | 'mode' | 'shown' | 'reserved'>,
  send: () => Promise<string | undefined>,
): Promise<ReplyMessage> {
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
  const added = { ...createMessage(ts ?? '', message.index), ...message };
  messages[message.index] = added;
  await start.posted(messageRefs(state));
  return added;
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

/** A message's text without its mark-up, for notifications and screen readers. */
export function fallbackText({ rendering }: ReplyState, index: number, text: string): string {
  return text === rendering.parts[index] ? rendering.plain(index) : plainBeginning(text);
}

/** Messages do not get shorter than this many characters. */
const SHORTEST = 100;

/**
 * The error to throw when Slack refuses a message as too long: from now on all messages of the answer are shorter. The
 * refusal itself when they cannot get any shorter.
 */
export function tooLong(state: ReplyState, text: string, refusal: unknown): unknown {
  const limit = Math.floor(Math.min(state.partLimit, text.length) * 0.6);
  if (limit < SHORTEST) return refusal;
  state.partLimit = limit;
  // The room between the limits is for links.
  state.rendering = createRendering(slackMarkdown, { softLimit: Math.floor(limit * 0.9), hardLimit: limit });
  return new MessageTooLong(refusal);
}
