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

export interface BlockState {
  readonly dialect: Dialect;
  readonly parts: Parts;
  readonly lists: Lists;
  buffer: string;
  complete: boolean;
  /** Where the buffer begins: behind a list marker another block may begin; in a line its kind is known. */
  at: 'lineStart' | 'behindMarker' | 'inLine';
  block: OpenBlock | null;
  fence: Fence | null;
  table: Table | null;
  wasBlank: boolean;
  isFirst: boolean;
  lastQuote: number;
  /** Whether the line before is a table's: Slack takes the next one for a row unless a blank line is between. */
  isAfterTable: boolean;
}

/** Creates the state of an unread document. */
export function createState(dialect: Dialect, parts: Parts): BlockState {
  return {
    dialect,
    parts,
    lists: createLists(dialect.maxListDepth),
    buffer: '',
    complete: false,
    at: 'lineStart',
    block: null,
    fence: null,
    table: null,
    wasBlank: false,
    isFirst: true,
    lastQuote: 0,
    isAfterTable: false,
  };
}

/** The line breaks before a line: those of the source, and one more where the platform would join the two blocks. */
export function gapBefore(state: BlockState, line: KnownLine, atLeast: number): number {
  const leavesQuote = state.lastQuote > 0 && quoteOf(state, line) !== state.lastQuote;
  const leavesTable = state.dialect.hasTables && state.isAfterTable;
  return state.wasBlank || leavesQuote || leavesTable ? 2 : atLeast;
}

export function noteLine(state: BlockState, line: KnownLine): void {
  state.wasBlank = false;
  state.lastQuote = quoteOf(state, line);
  state.isAfterTable = false;
}

/** The quote marks that are drawn before a line. */
export function quoteOf(state: BlockState, line: { readonly quote: number }): number {
  return state.at === 'behindMarker' ? state.lastQuote : Math.min(line.quote, state.dialect.maxQuoteDepth);
}

export function endBlock(state: BlockState): void {
  state.block?.flow.end();
  state.block = null;
  // An empty item or heading consists of its marker.
  state.parts.flush();
}

export function endTable(state: BlockState): void {
  state.table?.end();
  state.table = null;
}
