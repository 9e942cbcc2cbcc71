import type { ReplyStart } from '../../core/ports.ts';
import type { MessageRef, Question, ThreadRef } from '../../core/types.ts';
import type { Rendering } from '../../markdown/rendering.ts';
import { type Extras, plainBeginning } from './blocks.ts';
import type { Desk } from './desk.ts';
import type { Progress } from './status.ts';

/** One message of the answer. */
export interface Slot {
  ts: string;
  /** `stream` while Slack lets us append to it, then it can only be rewritten. */
  mode: 'stream' | 'edit';
  /** What Slack has confirmed to show; null when that is not known for sure. */
  shown: string | null;
  /** `performance.now()` of the start. */
  readonly startedAt: number;
  /** A stream that got too old has ended its part; what follows goes into the next message. */
  isBroken: boolean;
  /** How much of what the message may hold its search step takes, in characters. */
  stepSize: number;
  /** It shows what only a growing message has: the button that stops it. */
  hasButtons: boolean;
  /** The final write that was set aside for this message, so that it is never begun without being finished. */
  reserved: 'chat.stopStream' | 'chat.update' | null;
}

/** One answer on the way to its thread: what is shown where. */
export interface Drawing {
  readonly desk: Desk;
  readonly question: Question;
  readonly thread: ThreadRef;
  readonly start: ReplyStart;
  readonly rendering: Rendering;
  /** What stands under the message that grows. */
  growing: Extras;
  readonly slots: Slot[];
  /** The search as a step that goes with the next words of the stream; null when none is due. */
  step: Readonly<Record<string, unknown>> | null;
  /** The step was shown, or refused. */
  isStepOver: boolean;
  /** Parts that Slack found too long, and how many characters a message of them may have. */
  readonly cuts: Map<number, number>;
  readonly progress: Progress;
  /** Native streams are refused for this answer (a missing recipient, an odd channel type). */
  isStreamless: boolean;
  /** What earlier attempts left has been looked for. */
  hasLooked: boolean;
}

/** Slack refused a message as too long; the answer is to be drawn again with shorter messages. */
export class TooLong extends Error {
  constructor(refusal: unknown) {
    super('a message was refused as too long', { cause: refusal });
    this.name = 'TooLong';
  }
}

/** A fresh slot for a message that has just been posted. */
export function createSlot(
  ts: string,
  mode: Slot['mode'],
  shown: string | null,
  reserved: Slot['reserved'],
): Slot {
  return {
    ts,
    mode,
    shown,
    reserved,
    startedAt: performance.now(),
    isBroken: false,
    stepSize: 0,
    hasButtons: false,
  };
}

/** Puts a new message at its place and has it recorded before anything else is written. */
export async function record(drawing: Drawing, index: number, slot: Slot): Promise<void> {
  const replaced = drawing.slots[index];
  if (replaced) stopGrowing(drawing, replaced);
  drawing.slots[index] = slot;
  await drawing.start.posted(refsOf(drawing));
}

/** Takes a message out of those that share the windows of appends and edits. */
export function stopGrowing({ desk }: Drawing, slot: Slot): void {
  desk.budgets.growing.stream.delete(slot);
  desk.budgets.growing.edit.delete(slot);
}

export function refsOf({ slots, thread }: Drawing): readonly MessageRef[] {
  const { platform, workspace, channel } = thread;
  return slots.map((slot) => ({ platform, workspace, channel, message: slot.ts }));
}

/** The texts of the messages, in order: the parts, those cut that Slack found too long. */
export function bodiesOf({ cuts }: Drawing, parts: readonly string[]): readonly string[] {
  return parts.flatMap((part, index) => {
    const most = cuts.get(index);
    return most === undefined ? [part] : pieces(part, most);
  });
}

/** A message's text as it reads, for notifications and screen readers. */
export function plainOf({ cuts, rendering }: Drawing, index: number, body: string): string {
  return cuts.size === 0 && body === rendering.parts[index] ? rendering.plain(index) : plainBeginning(body);
}

/** Makes the part that a message belongs to come in shorter messages from now on. False when it cannot get shorter. */
export function cutShorter({ cuts, rendering }: Drawing, index: number, body: string): boolean {
  const part = partOf(cuts, rendering.parts, index);
  const most = Math.floor(Math.min(cuts.get(part) ?? Number.POSITIVE_INFINITY, body.length) * 0.6);
  if (most < SHORTEST_CUT) return false;
  cuts.set(part, most);
  return true;
}

const SHORTEST_CUT = 200;

function partOf(cuts: ReadonlyMap<number, number>, parts: readonly string[], index: number): number {
  let bodies = 0;
  for (const [number, part] of parts.entries()) {
    const most = cuts.get(number);
    bodies += most === undefined ? 1 : pieces(part, most).length;
    if (index < bodies) return number;
  }
  return Math.max(0, parts.length - 1);
}

/** Cuts at line ends where it can; a fence that is cut is closed and opened again. Growing text keeps its first pieces. */
function pieces(text: string, most: number): readonly string[] {
  const result: string[] = [];
  let rest = text;
  while (rest.length > most) {
    const newline = rest.lastIndexOf('\n', most);
    const space = rest.lastIndexOf(' ', most);
    const at = newline > most / 3 ? newline + 1 : space > most / 3 ? space + 1 : wholeCharacter(rest, most);
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
