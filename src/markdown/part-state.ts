import { type Boundary, better, isNearlyFull } from './boundaries.ts';
import type { Dialect } from './dialects.ts';
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
