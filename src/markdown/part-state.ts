import type { Dialect } from './dialects.ts';
import { addCitations, type Drawn, drawFairly, drawPieces } from './draw-pieces.ts';
import type { Citations, Links } from './links.ts';
import { type Piece, type Prefix, prefixText } from './pieces.ts';

/** Something that goes on over lines: at the end of a part it is closed, in the next one opened again. */
export interface Frame {
  readonly opener: readonly Piece[];
  /** A line of its own; empty when nothing closes it. */
  readonly closer: string;
  readonly prefix: Prefix;
}

/** One message as it grows. */
export interface Part {
  text: string;
  /** The last character of the text, to look at without having the whole copied into one piece. */
  last: string;
  readonly pieces: Piece[];
  growth: number;
  /** In the platform's unit, without the room kept for links. */
  size: number;
  /** The citations met before their sources were known: each will want one link at least. */
  readonly awaited: Set<string>;
  /** The indentation that is the part's left edge. */
  base: number;
  lastQuote: number;
}

/** How large a part should and may be, in the dialect's unit. */
export interface Limits {
  readonly soft: number;
  readonly hard: number;
}

/** What `createParts` works on. */
export interface State {
  readonly dialect: Dialect;
  readonly limits: Limits;
  readonly current: { links: Links; readonly citations: Citations };
  readonly parts: Part[];
  /** The part that still grows. */
  part: Part | null;
  frame: Frame | null;
  leads: Piece[];
  /** What stands before the next piece. */
  breaks: number;
  boundary: Boundary;
  prefix: Prefix;
  hasSpace: boolean;
}

/** Without any part. */
export function emptyState(dialect: Dialect, limits: Limits, current: State['current']): State {
  const prefix = { quote: 0, indent: 0 };
  const before = { breaks: 0, boundary: 'word', prefix, hasSpace: false } as const;
  return { dialect, limits, current, parts: [], part: null, frame: null, leads: [], ...before };
}

/** Whether a part of this size ends in front of what comes next, with so much of it kept for links. */
export function endsHere({ limits, boundary }: State, size: number, next: Boundary, kept: number): boolean {
  return isNearlyFull(limits.soft - kept - size, limits.soft, better(next, boundary));
}

/** What is kept free in a part for links to sources that are not known yet, those of `more` markers as well. */
export function linkRoom(
  { dialect, current, limits }: State,
  { awaited }: Part,
  more: readonly string[],
): number {
  if (current.links.known) return 0;
  const added = more.filter((marker) => !awaited.has(marker)).length;
  return Math.min((awaited.size + added) * dialect.linkReserve, limits.soft * dialect.mostReserved);
}

/** Adds text at the end. */
export function extend(part: Part, text: string): void {
  part.text += text;
  part.last = text.slice(-1) || part.last;
}

/** The end of what is open in the last part, with its line break; empty when nothing is. */
export function closerOf({ frame, leads, part }: State): string {
  // A frame whose opening is not out yet needs no end.
  if (frame === null || frame.closer === '' || leads.length > 0) return '';
  return `\n${prefixText(frame.prefix, part?.base ?? 0)}${frame.closer}`;
}

/** How large a part may become, the end of what is open in it set aside. */
export function roomOf(state: State): number {
  return state.limits.soft - state.dialect.measure(closerOf(state));
}

/** How good a place for a new part is; the better it is, the earlier in a part it is taken. */
export type Boundary = 'block' | 'item' | 'line' | 'sentence' | 'word';

/**
 * How little room must be left in a part for it to end at such a place: a share of the soft limit, but no more than so many of
 * the platform's units. What is out cannot be taken back, so a part ends at a good place near its end instead of looking for
 * one when it is full.
 */
const NEARLY_FULL: Readonly<Record<Boundary, readonly [share: number, most: number]>> = {
  block: [0.25, 200],
  item: [0.18, 160],
  line: [0.12, 120],
  sentence: [0.06, 80],
  word: [0, 0],
};

/** Whether a part of which so much is left ends at such a place. Both in the platform's units. */
function isNearlyFull(left: number, softLimit: number, boundary: Boundary): boolean {
  const [share, most] = NEARLY_FULL[boundary];
  return left <= Math.min(share * softLimit, most);
}

/** The better of two places. */
export function better(one: Boundary, other: Boundary): Boundary {
  return NEARLY_FULL[one][0] > NEARLY_FULL[other][0] ? one : other;
}

/** Draws every part again with these links. `below`: what will stand under the last one, for which it leaves room if it can. */
export function relink(state: State, links: Links, below: number): void {
  const { dialect, limits, current } = state;
  current.links = links;
  current.citations.met.clear();
  for (const part of state.parts) {
    const closing = part === state.part ? dialect.measure(closerOf(state)) : 0;
    const drawn = drawWithin(
      part,
      { dialect, links },
      limits.hard - closing,
      part === state.parts.at(-1) ? below : 0,
    );
    part.text = '';
    extend(part, drawn.text);
    part.size = drawn.length;
    addCitations(current.citations, drawn);
  }
}

/** With every link where there is room for all and for what will stand below; else with as many as fit, fairly. */
function drawWithin(
  { pieces }: Part,
  { dialect, links }: { readonly dialect: Dialect; readonly links: Links },
  most: number,
  below: number,
): Drawn {
  const how = { dialect, links, before: '', isLineStart: true };
  const linked = drawPieces(pieces, { ...how, linkRoom: { left: Number.POSITIVE_INFINITY } });
  if (linked.length <= most - below) return linked;
  const spare = most - drawPieces(pieces, { ...how, linkRoom: { left: 0 } }).length;
  return drawFairly(pieces, how, Math.max(0, below <= spare ? spare - below : spare));
}
