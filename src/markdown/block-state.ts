import type { Dialect } from './dialects.ts';
import type { Fence } from './fences.ts';
import type { Flow } from './inline-flow.ts';
import type { Line } from './lines.ts';
import { createLists, type Lists } from './lists.ts';
import type { Parts } from './split-parts.ts';
import type { Table } from './tables.ts';

/** A line whose kind is known. */
export type KnownLine = Exclude<Line, { type: 'open' }>;

/** The open block, which receives text until another line ends it. */
interface OpenBlock {
  readonly flow: Flow;
  readonly isParagraph: boolean;
}

export interface State {
  readonly dialect: Dialect;
  readonly parts: Parts;
  readonly lists: Lists;
  buffer: string;
  complete: boolean;
  /** Whether the reader stands inside a line whose kind is known. */
  inLine: boolean;
  /** Whether the reader stands behind a list marker, where another block may begin. */
  behindMarker: boolean;
  block: OpenBlock | null;
  fence: Fence | null;
  table: Table | null;
  wasBlank: boolean;
  isFirst: boolean;
  lastQuote: number;
  /** The kind of the line before: some blocks need a blank line between them. */
  last: Line['type'] | null;
}

/** Creates the state of an unread document. */
export function createState(dialect: Dialect, parts: Parts): State {
  return {
    dialect,
    parts,
    lists: createLists(dialect.maxListDepth),
    buffer: '',
    complete: false,
    inLine: false,
    behindMarker: false,
    block: null,
    fence: null,
    table: null,
    wasBlank: false,
    isFirst: true,
    lastQuote: 0,
    last: null,
  };
}

/** The line breaks before a line: those of the source, and one more where the platform would join the two blocks. */
export function gapBefore(state: State, line: KnownLine, atLeast: number): number {
  const leavesQuote = state.lastQuote > 0 && quoteOf(state, line) !== state.lastQuote;
  const afterTable = state.dialect.hasTables && state.last === 'row';
  return state.wasBlank || leavesQuote || afterTable ? 2 : atLeast;
}

export function noteLine(state: State, line: KnownLine): void {
  state.wasBlank = false;
  state.lastQuote = quoteOf(state, line);
  state.last = line.type;
}

export function quoteOf(state: State, line: { readonly quote: number }): number {
  return state.behindMarker ? state.lastQuote : Math.min(line.quote, state.dialect.maxQuoteDepth);
}

export function endBlock(state: State): void {
  state.block?.flow.end();
  state.block = null;
  // An empty item or heading consists of its marker.
  state.parts.flush();
}

export function endTable(state: State): void {
  state.table?.end();
  state.table = null;
}
