import { type Citations, countMarker, createLinkRoom, type Links } from './citation-links.ts';
import type { Dialect } from './dialects.ts';
import { type Boundary, better, isNearlyFull } from './part-boundaries.ts';
import {
  cutPiece,
  type Drawn,
  drawPieces,
  drawWithin,
  type Piece,
  type Prefix,
  plainText,
  prefixText,
  raw,
} from './pieces.ts';

/** A code block or table. It is closed at the end of a part and reopened in the next one. */
interface Frame {
  readonly opener: readonly Piece[];
  /** Its closing line; empty when it has none. */
  readonly closer: string;
  readonly prefix: Prefix;
}

/** Splits pieces into parts, one per message. A part only grows, except when `relink` draws it again. */
export interface Parts {
  readonly texts: readonly string[];
  /** How often each part has grown; see `Rendering.growth`. */
  readonly growth: readonly number[];
  /** Closes the last part as it stands; see `Rendering.closer`. */
  readonly closer: string;
  /** The citations of all parts. */
  readonly citations: Citations;
  /** Puts the next piece on a new line. `breaks`: 1 for the next line, 2 for a blank line between. */
  line(prefix: Prefix, breaks: number, boundary: Boundary): void;
  /** Starts the next line of code with one more line break. Blank lines right after the opening are omitted. */
  codeLine(): void;
  space(): void;
  /** Puts a list marker or a fence's opening before the next piece, so that it never ends a part alone. */
  lead(piece: Piece): void;
  /** Writes pending `lead` pieces. */
  flush(): void;
  /** Adds pieces that stay together if a part can hold them. */
  put(pieces: readonly Piece[], boundary: Boundary): void;
  open(frame: Frame): void;
  close(): void;
  breakPart(): void;
  /** A part as plain text; empty when there is no such part. */
  plain(index: number): string;
  /** Draws all parts again with the links of now; see `Rendering.relink`. */
  relink(below: number): void;
}

/** Creates the parts of one text. `links` is called for every piece, so what it returns may change at any time. */
export function createParts(dialect: Dialect, limits: Limits, links: () => Links): Parts {
  const state = createState(dialect, limits, links);
  return {
    get texts() {
      return state.parts.map(({ text }) => text);
    },
    get growth() {
      return state.parts.map(({ growth }) => growth);
    },
    get closer() {
      return state.part === null ? '' : closerOf(state);
    },
    get citations() {
      return allCitations(state);
    },
    line(next, breaks, boundary) {
      state.prefix = next;
      state.breaks = Math.max(state.breaks, breaks);
      state.hasSpace = false;
      state.boundary = better(boundary, state.boundary);
    },
    codeLine() {
      if (state.leads.length === 0) state.breaks += 1;
      state.boundary = 'line';
    },
    space() {
      state.hasSpace = true;
    },
    lead: (piece) => void state.leads.push(piece),
    flush() {
      if (state.leads.length > 0) put(state, [], 'word');
    },
    put: (pieces, boundary) => put(state, pieces, boundary),
    open(frame) {
      state.frame = frame;
      state.leads.push(...frame.opener);
    },
    close() {
      writeCloser(state);
      // An empty code block is omitted: Discord reads two adjacent fences differently.
      state.leads = [];
      state.frame = null;
    },
    breakPart: () => finish(state),
    plain: (index) => plainText(state.parts[index]?.pieces ?? [], links()),
    relink: (below) => relink(state, below),
  };
}

/** One message as it grows. */
interface Part {
  text: string;
  /** The text's last character: reading it from `text` would flatten the string each time, which is quadratic. */
  last: string;
  readonly pieces: Piece[];
  growth: number;
  /** In the platform's unit, without reserved room. */
  size: number;
  citations: Citations;
  /** The indentation that is the part's left edge. */
  base: number;
  lastQuote: number;
}

/** The preferred and the largest size of a part, in the dialect's unit. */
export interface Limits {
  readonly soft: number;
  readonly hard: number;
}

interface SplitState {
  readonly dialect: Dialect;
  readonly limits: Limits;
  readonly links: () => Links;
  readonly parts: Part[];
  /** The part that still grows. */
  part: Part | null;
  frame: Frame | null;
  /** What stands before the next piece, on its line. */
  leads: Piece[];
  /** The line breaks before the next piece. */
  breaks: number;
  boundary: Boundary;
  prefix: Prefix;
  hasSpace: boolean;
}

function createState(dialect: Dialect, limits: Limits, links: () => Links): SplitState {
  const prefix = { quote: 0, indent: 0 };
  const next = { breaks: 0, boundary: 'word', prefix, hasSpace: false } as const;
  return { dialect, limits, links, parts: [], part: null, frame: null, leads: [], ...next };
}

function put(state: SplitState, group: readonly Piece[], boundary: Boundary): void {
  const { part, limits } = state;
  if (part !== null) {
    const drawn = draw(state, part, group, limits.soft / 2);
    const size = part.size + reservedRoom(state, part, drawn.citations);
    if (!isNearlyFull(limits.soft - size, limits.soft, better(boundary, state.boundary))) {
      if (size + drawn.length <= roomOf(state)) return append(state, part, drawn);
    }
    finish(state);
  }
  place(state, group, start(state));
}

/** Puts a group into a new part; a group that fits no part is divided. */
function place(state: SplitState, group: readonly Piece[], into: Part): void {
  const room = roomOf(state) - into.size;
  const drawn = draw(state, into, group, state.limits.soft / 2);
  // Reserved room must not be the reason to divide a mark.
  if (drawn.length <= room || group.length === 0) return append(state, into, drawn);
  const bare = draw(state, into, group, 0);
  if (bare.length <= room) return append(state, into, bare);
  const pieces = group.length > 1 ? group : cutPiece(group[0]);
  for (const piece of pieces) put(state, [piece], 'word');
}

function start(state: SplitState): Part {
  const { frame, prefix, breaks, boundary } = state;
  const part: Part = {
    text: '',
    last: '',
    pieces: [],
    growth: 0,
    size: 0,
    citations: new Map(),
    base: prefix.indent,
    lastQuote: 0,
  };
  state.parts.push(part);
  state.part = part;
  state.hasSpace = false;
  state.breaks = 0;
  if (frame === null || state.leads.length > 0) return part;
  state.prefix = frame.prefix;
  part.base = frame.prefix.indent;
  append(state, part, draw(state, part, frame.opener, 0));
  state.prefix = prefix;
  state.breaks = Math.max(1, breaks);
  state.boundary = boundary;
  return part;
}

function finish(state: SplitState): void {
  writeCloser(state);
  state.part = null;
}

function draw(state: SplitState, into: Part, group: readonly Piece[], room: number): Drawn {
  const { dialect, links, leads } = state;
  const isLineStart = into.text === '' || state.breaks > 0;
  const before = isLineStart ? '' : into.last;
  const opens = state.frame !== null && leads.length > 0 && group.length > 0;
  const newline = opens
    ? [raw(`\n${prefixText(state.prefix, Math.min(into.base, state.prefix.indent))}`)]
    : [];
  const pieces = [raw(joint(state, into)), ...leads, ...newline, ...group];
  const linkRoom = createLinkRoom(room);
  return drawPieces(pieces, { dialect, links: links(), before, isLineStart, linkRoom });
}

/** The separator between the end of the part and the next piece. */
function joint({ breaks, prefix, hasSpace }: SplitState, into: Part): string {
  if (into.text === '') return prefixText(prefix, into.base);
  if (breaks === 0) return hasSpace ? ' ' : '';
  const isQuoteGoingOn = prefix.quote > 0 && into.lastQuote > 0;
  const blank = isQuoteGoingOn ? `\n${prefixText({ ...prefix, indent: 0 }, 0)}` : '\n';
  return `${blank.repeat(breaks - 1)}\n${prefixText(prefix, Math.min(into.base, prefix.indent))}`;
}

function append(state: SplitState, into: Part, drawn: Drawn): void {
  if (into.text === '' || state.breaks > 0) into.lastQuote = state.prefix.quote;
  into.base = Math.min(into.base, state.prefix.indent);
  extend(into, drawn);
  state.leads = [];
  state.breaks = 0;
  state.boundary = 'word';
  state.hasSpace = false;
}

function writeCloser(state: SplitState): void {
  const closer = closerOf(state);
  if (state.part === null || closer === '') return;
  extend(state.part, {
    text: closer,
    pieces: [raw(closer)],
    length: state.dialect.measure(closer),
    citations: new Map(),
  });
}

/** The room reserved in a part for links to sources that are unknown yet, including those of new citations. */
function reservedRoom({ dialect, links, limits }: SplitState, part: Part, added: Citations): number {
  if (links().known) return 0;
  const markers = new Set([...part.citations.keys(), ...added.keys()]);
  return Math.min(markers.size * dialect.linkReserve, limits.soft * dialect.mostReserved);
}

function extend(part: Part, { text, pieces, length, citations }: Drawn): void {
  part.text += text;
  part.last = text.slice(-1) || part.last;
  part.pieces.push(...pieces);
  part.growth += 1;
  part.size += length;
  for (const [marker, uses] of citations) countMarker(part.citations, marker, uses);
}

/** The closing line of the open frame, with its line break; empty when none is open. */
function closerOf({ frame, leads, part }: SplitState): string {
  // A frame whose opening has not been written needs no end.
  if (frame === null || frame.closer === '' || leads.length > 0) return '';
  return `\n${prefixText(frame.prefix, part?.base ?? 0)}${frame.closer}`;
}

/** The size a part may reach, without the closing line of its open frame. */
function roomOf(state: SplitState): number {
  return state.limits.soft - state.dialect.measure(closerOf(state));
}

function relink(state: SplitState, below: number): void {
  const { dialect, limits, links } = state;
  for (const part of state.parts) {
    const closing = part === state.part ? dialect.measure(closerOf(state)) : 0;
    const under = part === state.parts.at(-1) ? below : 0;
    const drawn = drawWithin(part.pieces, { dialect, links: links() }, limits.hard - closing, under);
    part.text = drawn.text;
    part.last = drawn.text.slice(-1);
    part.size = drawn.length;
    part.citations = drawn.citations;
  }
}

function allCitations({ parts }: SplitState): Citations {
  const all: Citations = new Map();
  for (const { citations } of parts) for (const [marker, uses] of citations) countMarker(all, marker, uses);
  return all;
}
