import type { Links } from './citation-links.ts';
import type { Dialect } from './dialects.ts';
import { addCitations, type Drawn, drawPieces, plainText } from './draw-pieces.ts';
import { cutPiece, type Piece, type Prefix, prefixText, raw } from './pieces.ts';
import {
  type Boundary,
  better,
  closerOf,
  emptyState,
  endsHere,
  extend,
  type Frame,
  type Limits,
  linkRoom,
  type Part,
  relink,
  roomOf,
  type State,
} from './split-state.ts';

/** Splits pieces into parts, one per message. A part only grows, except when `relink` draws it again. */
export interface Parts {
  readonly texts: readonly string[];
  /** How often each part has grown; see `Rendering.growth`. */
  readonly growth: readonly number[];
  /** Closes the last part as it stands; see `Rendering.closer`. */
  readonly closer: string;
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
  /** Draws all parts again with these links; see `Rendering.relink`. */
  relink(links: Links, below: number): void;
}

/** Creates the parts of one text. `current.links` is read for every piece, so it may be replaced at any time. */
export function createParts(dialect: Dialect, limits: Limits, current: State['current']): Parts {
  const state = emptyState(dialect, limits, current);
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
    flush: () => flush(state),
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
    plain: (index) => plainText(state.parts[index]?.pieces ?? [], state.current.links),
    relink: (links, below) => relink(state, links, below),
  };
}

function flush(state: State): void {
  if (state.leads.length > 0) put(state, [], 'word');
}

function put(state: State, group: readonly Piece[], boundary: Boundary): void {
  const { part, limits } = state;
  if (part !== null) {
    const drawn = draw(state, part, group, limits.soft / 2);
    const kept = linkRoom(state, part, [...drawn.citations.met.keys()]);
    if (!endsHere(state, part.size, boundary, kept) && part.size + drawn.length <= roomOf(state) - kept)
      return append(state, part, drawn);
    finish(state);
  }
  place(state, group, start(state));
}

/** Puts a group into a new part; a group that fits no part is divided. */
function place(state: State, group: readonly Piece[], into: Part): void {
  const room = roomOf(state) - into.size;
  const drawn = draw(state, into, group, state.limits.soft / 2);
  // Reserved room must not be the reason to divide a mark.
  if (drawn.length <= room || group.length === 0) return append(state, into, drawn);
  const bare = draw(state, into, group, 0);
  if (bare.length <= room) return append(state, into, bare);
  const pieces = group.length > 1 ? group : cutPiece(group[0]);
  for (const piece of pieces) put(state, [piece], 'word');
}

function start(state: State): Part {
  const { frame, prefix, breaks, boundary } = state;
  const part: Part = {
    text: '',
    last: '',
    pieces: [],
    growth: 0,
    size: 0,
    awaited: new Set(),
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

function finish(state: State): void {
  writeCloser(state);
  state.part = null;
}

function draw(state: State, into: Part, group: readonly Piece[], room: number): Drawn {
  const { dialect, current, leads } = state;
  const isLineStart = into.text === '' || state.breaks > 0;
  const before = isLineStart ? '' : into.last;
  const opens = state.frame !== null && leads.length > 0 && group.length > 0;
  const newline = opens
    ? [raw(`\n${prefixText(state.prefix, Math.min(into.base, state.prefix.indent))}`)]
    : [];
  const pieces = [raw(joint(state, into)), ...leads, ...newline, ...group];
  return drawPieces(pieces, { dialect, links: current.links, before, isLineStart, linkRoom: { left: room } });
}

/** The separator between the end of the part and the next piece. */
function joint({ breaks, prefix, hasSpace }: State, into: Part): string {
  if (into.text === '') return prefixText(prefix, into.base);
  if (breaks === 0) return hasSpace ? ' ' : '';
  const isQuoteGoingOn = prefix.quote > 0 && into.lastQuote > 0;
  const blank = isQuoteGoingOn ? `\n${prefixText({ ...prefix, indent: 0 }, 0)}` : '\n';
  return `${blank.repeat(breaks - 1)}\n${prefixText(prefix, Math.min(into.base, prefix.indent))}`;
}

function append(state: State, into: Part, drawn: Drawn): void {
  if (into.text === '' || state.breaks > 0) into.lastQuote = state.prefix.quote;
  into.base = Math.min(into.base, state.prefix.indent);
  extend(into, drawn.text);
  into.pieces.push(...drawn.pieces);
  into.growth += 1;
  into.size += drawn.length;
  for (const marker of drawn.citations.met.keys()) into.awaited.add(marker);
  addCitations(state.current.citations, drawn);
  state.leads = [];
  state.breaks = 0;
  state.boundary = 'word';
  state.hasSpace = false;
}

function writeCloser(state: State): void {
  const closer = closerOf(state);
  if (state.part === null || closer === '') return;
  extend(state.part, closer);
  state.part.pieces.push(raw(closer));
  state.part.growth += 1;
  state.part.size += state.dialect.measure(closer);
}
