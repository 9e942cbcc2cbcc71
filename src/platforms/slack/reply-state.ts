/** One answer's messages on Slack: which there are, what they show, and what is set aside for their end. */
import type { ReplyStart } from '../../core/ports.ts';
import type { MessageRef, Question, ThreadRef } from '../../core/types.ts';
import type { Rendering } from '../../markdown/rendering.ts';
import { type Extras, plainBeginning } from './blocks.ts';
import { findReplies } from './find-messages.ts';
import type { SearchStep } from './search-step.ts';
import type { Progress } from './status.ts';
import type { SlackWorkspace } from './workspace.ts';

/** One message of the answer. */
export interface ReplyMessage {
  readonly ts: string;
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
  readonly rendering: Rendering;
  /** The buttons under the message that grows. */
  growing: Extras;
  /** In the order of the text. */
  readonly messages: ReplyMessage[];
  /** The search as a step that goes with the next words of the stream; null when none is due. */
  step: SearchStep | null;
  /** The step was shown, or refused. */
  isStepOver: boolean;
  /** Parts that Slack found too long, by their number: how many characters a message of them may have. */
  readonly cuts: Map<number, number>;
  readonly progress: Progress;
  /** Slack refuses native streams for this answer (a missing recipient, an odd channel type). */
  isStreamless: boolean;
  /** What earlier attempts have left was looked for. */
  hasLooked: boolean;
}

/** Slack refused a message as too long: the answer is to be shown again, in shorter messages. */
export class MessageTooLong extends Error {
  constructor(refusal: unknown) {
    super('a message was refused as too long', { cause: refusal });
    this.name = 'MessageTooLong';
  }
}

/** A message that has just been posted. */
export function createMessage(
  ts: string,
  mode: ReplyMessage['mode'],
  shown: string | null,
  reserved: ReplyMessage['reserved'],
): ReplyMessage {
  const startedAt = performance.now();
  return { ts, mode, shown, reserved, startedAt, isBroken: false, stepSize: 0, hasButtons: false };
}

/** Adds a message, or replaces the one with this number, and has that recorded before anything else is written. */
export async function recordMessage(state: ReplyState, index: number, message: ReplyMessage): Promise<void> {
  const replaced = state.messages[index];
  if (replaced) stopCounting(state, replaced);
  state.messages[index] = message;
  await state.start.posted(messageRefs(state));
}

/** Takes a message out of those that share the limits of appends and edits. */
export function stopCounting({ workspace }: ReplyState, message: ReplyMessage): void {
  workspace.limits.growing.stream.delete(message);
  workspace.limits.growing.edit.delete(message);
}

/** Releases the call that was reserved for a message which will not need it. */
export function releaseReserved({ workspace }: ReplyState, message: ReplyMessage): void {
  if (message.reserved !== null) workspace.limits.of(message.reserved).release();
  message.reserved = null;
}

export function messageRefs({ messages, thread }: ReplyState): readonly MessageRef[] {
  const { platform, workspace, channel } = thread;
  return messages.map((message) => ({ platform, workspace, channel, message: message.ts }));
}

/** The newest message of this answer that is in the thread but not in our list; null for none. @throws {Failure} */
export async function findUnrecorded({
  workspace,
  question,
  thread,
  messages,
}: ReplyState): Promise<string | null> {
  const known = new Set(messages.map(({ ts }) => ts));
  const found = await findReplies(workspace, question, thread.thread);
  return found?.findLast(({ ts }) => !known.has(ts))?.ts ?? null;
}

/** The text of each message: the parts, and pieces of those that Slack found too long. */
export function splitTexts({ cuts }: ReplyState, parts: readonly string[]): readonly string[] {
  return parts.flatMap((part, index) => {
    const max = cuts.get(index);
    return max === undefined ? [part] : splitText(part, max);
  });
}

/** A message's text without its mark-up, for notifications and screen readers. */
export function fallbackText({ cuts, rendering }: ReplyState, index: number, text: string): string {
  return cuts.size === 0 && text === rendering.parts[index] ? rendering.plain(index) : plainBeginning(text);
}

/** The error to throw when Slack refuses a message as too long; from now on its part comes in shorter messages. */
export function tooLong(
  { cuts, rendering }: ReplyState,
  index: number,
  text: string,
  refusal: unknown,
): unknown {
  const part = partOf(cuts, rendering.parts, index);
  const max = Math.floor(Math.min(cuts.get(part) ?? Number.POSITIVE_INFINITY, text.length) * SHORTENING);
  if (max < SHORTEST) return refusal;
  cuts.set(part, max);
  return new MessageTooLong(refusal);
}

const SHORTENING = 0.6;
/** Messages do not get shorter than this many characters. */
const SHORTEST = 200;

function partOf(cuts: ReadonlyMap<number, number>, parts: readonly string[], index: number): number {
  let texts = 0;
  for (const [number, part] of parts.entries()) {
    const max = cuts.get(number);
    texts += max === undefined ? 1 : splitText(part, max).length;
    if (index < texts) return number;
  }
  return Math.max(0, parts.length - 1);
}

/** Splits at line ends where it can; a fence that is split is closed and opened again. A text that grows keeps its first pieces. */
function splitText(text: string, max: number): readonly string[] {
  const result: string[] = [];
  let rest = text;
  while (rest.length > max) {
    const newline = rest.lastIndexOf('\n', max);
    const space = rest.lastIndexOf(' ', max);
    const at = newline > max / 3 ? newline + 1 : space > max / 3 ? space + 1 : wholeCharacter(rest, max);
    const piece = rest.slice(0, at);
    const fence = openFence(piece);
    result.push(fence === null ? piece : `${piece.trimEnd()}\n${fence.mark}`);
    rest = (fence === null ? '' : `${fence.line}\n`) + rest.slice(at);
  }
  return [...result, rest];
}

function wholeCharacter(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff ? at - 1 : at;
}

function openFence(text: string): { readonly line: string; readonly mark: string } | null {
  let open: { line: string; mark: string } | null = null;
  for (const line of text.split('\n')) {
    const mark = /^\s{0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (mark === undefined) continue;
    if (open === null) open = { line, mark };
    else if (mark.startsWith(open.mark)) open = null;
  }
  return open;
}
