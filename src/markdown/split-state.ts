import type { Citations, Links } from './citation-links.ts';
import type { Dialect } from './dialects.ts';
import { addCitations, type Drawn, drawFairly, drawPieces } from './draw-pieces.ts';
import { type Piece, type Prefix, prefixText } from './pieces.ts';

/** A code block or table. It is closed at the end of a part and reopened in the next one. */
export interface Frame {
  readonly opener: readonly Piece[];
  /** Its closing line; empty when it has none. */
  readonly closer: string;
  readonly prefix: Prefix;
}

/** One message as it grows. */
export interface Part {
  text: string;
  /** The text's last character: reading it from `text` would flatten the string each time, which is quadratic. */
  last: string;
  readonly pieces: Piece[];
  growth: number;
  /** In the platform's unit, without reserved room. */
  size: number;
  /** Citations whose sources are unknown yet; room for one link each is reserved. */
  readonly awaited: Set<string>;
  /** The indentation that is the part's left edge. */
  base: number;
  lastQuote: number;
}

/** The preferred and the largest size of a part, in the dialect's unit. */
export interface Limits {
  readonly soft: number;
  readonly hard: number;
}

/** The state of `createParts`. */
export interface State {
  readonly dialect: Dialect;
  readonly limits: Limits;
  readonly current: { links: Links; readonly citations: Citations };
  readonly parts: Part[];
  /** The part that still grows. */
  part: Part | null;
  frame: Frame | null;
  leads: Piece[];
  /** The line breaks before the next piece. */
  breaks: number;
  boundary: Boundary;
  prefix: Prefix;
  hasSpace: boolean;
}

/** Creates the state without any part. */
export function emptyState(dialect: Dialect, limits: Limits, current: State['current']): State {
  const prefix = { quote: 0, indent: 0 };
  const before = { breaks: 0, boundary: 'word', prefix, hasSpace: false } as const;
  return { dialect, limits, current, parts: [], part: null, frame: null, leads: [], ...before };
}

/** Whether a part of this size ends before the next piece, with `kept` of it reserved for links. */
export function endsHere({ limits, boundary }: State, size: number, next: Boundary, kept: number): boolean {
  return isNearlyFull(limits.soft - kept - size, limits.soft, better(next, boundary));
}

/** The room reserved in a part for links to sources that are unknown yet, including those of `more` markers. */
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

/** The closing line of the open frame, with its line break; empty when none is open. */
export function closerOf({ frame, leads, part }: State): string {
  // A frame whose opening has not been written needs no end.
  if (frame === null || frame.closer === '' || leads.length > 0) return '';
  return `\n${prefixText(frame.prefix, part?.base ?? 0)}${frame.closer}`;
}

/** The size a part may reach, without the closing line of its open frame. */
export function roomOf(state: State): number {
  return state.limits.soft - state.dialect.measure(closerOf(state));
}

/** A place where a part may end, from best to worst. */
export type Boundary = 'block' | 'item' | 'line' | 'sentence' | 'word';

/**
 * A part ends at such a place when less room than this is left: a share of the soft limit, at most so many units. Shown text
 * cannot be moved to the next part, so a part ends at a good place near its end and not where it is full.
 */
const NEARLY_FULL: Readonly<Record<Boundary, readonly [share: number, most: number]>> = {
  block: [0.25, 200],
  item: [0.18, 160],
  line: [0.12, 120],
  sentence: [0.06, 80],
  word: [0, 0],
};

/** Whether a part with so much room left ends at such a place. */
function isNearlyFull(left: number, softLimit: number, boundary: Boundary): boolean {
  const [share, most] = NEARLY_FULL[boundary];
  return left <= Math.min(share * softLimit, most);
}

/** Returns the better of two places. */
export function better(one: Boundary, other: Boundary): Boundary {
  return NEARLY_FULL[one][0] > NEARLY_FULL[other][0] ? one : other;
}

/** Draws all parts again with these links; see `Rendering.relink`. */
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

/** Draws a part with all links if they and the text below fit, else with as many as fit. */
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
