import type { Dialect } from './dialects.ts';
import type { Fence } from './fences.ts';
import type { Flow } from './inline-flow.ts';
import type { Line } from './lines.ts';
import { createLists, type Lists } from './lists.ts';
import type { Parts } from './parts.ts';
import type { Table } from './tables.ts';

/** A line that was read. */
export type KnownLine = Exclude<Line, { type: 'open' }>;

/** The block that text goes to until a line says otherwise. */
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
  /** Inside a line whose kind is known. */
  inLine: boolean;
  /** Behind the marker of a list item, where another block may begin. */
  behindMarker: boolean;
  block: OpenBlock | null;
  fence: Fence | null;
  table: Table | null;
  wasBlank: boolean;
  isFirst: boolean;
  lastQuote: number;
  /** What stood last; some blocks must not touch each other. */
  last: Line['type'] | null;
}

/** Before anything was read. */
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

/** Line breaks before a line: what the source has, and more where the platform would join the two otherwise. */
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
  // An empty item or heading is its marker alone.
  state.parts.flush();
}

export function endTable(state: State): void {
  state.table?.end();
  state.table = null;
}
