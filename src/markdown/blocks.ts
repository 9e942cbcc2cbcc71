import {
  type BlockState,
  createState,
  endBlock,
  endTable,
  gapBefore,
  type KnownLine,
  noteLine,
  quoteOf,
} from './block-state.ts';
import type { Dialect } from './dialects.ts';
import { createFence, type Fence } from './fences.ts';
import { createFlow, type Flow } from './inline-flow.ts';
import { readLine } from './lines.ts';
import { inline, type Prefix, raw } from './pieces.ts';
import type { Parts } from './split-parts.ts';
import { createTable, tableStarts } from './tables.ts';

/**
 * Creates a parser of streamed Markdown. It takes cleaned text, reads it line by line and passes what later text cannot change
 * to the parts. `complete`: nothing follows.
 */
export function createBlocks(dialect: Dialect, parts: Parts): (delta: string, complete: boolean) => void {
  const state = createState(dialect, parts);
  return (delta, complete) => {
    state.buffer += delta;
    state.complete = complete;
    while (step(state));
    if (complete) endAll(state);
  };
}

/** Parses one line, or the part of it that is decided; false when more text is needed. */
function step(state: BlockState): boolean {
  if (state.buffer === '') return false;
  if (state.fence !== null) return stepFence(state, state.fence);
  if (state.at === 'inLine') {
    stepInline(state);
    return true;
  }
  const line = firstLine(state.buffer);
  const isWhole = line.length < state.buffer.length || state.complete;
  const read = readLine(line, {
    isWhole,
    inParagraph: state.block?.isParagraph ?? false,
    inList: state.lists.depth > 0,
    maxHeading: state.dialect.maxHeading,
    behindMarker: state.at === 'behindMarker',
  });
  if (read.type === 'open') return false;
  if (read.type === 'row' && !continuesTable(state, read)) {
    const starts = tableStarts(line.slice(read.start), state.buffer.slice(line.length + 1), state.complete);
    if (starts === null) return false;
    take(state, starts ? read : { ...read, type: 'text' }, line);
  } else take(state, read, line);
  return true;
}

/** A row of another quote is no row of the open table. */
function continuesTable(state: BlockState, line: KnownLine): boolean {
  return state.table !== null && line.type === 'row' && quoteOf(state, line) === state.lastQuote;
}

function stepFence(state: BlockState, fence: Fence): boolean {
  const rest = fence.step(state.buffer, state.complete);
  if (rest === null) return false;
  state.buffer = rest;
  if (fence.isClosed) state.fence = null;
  return true;
}

/** Passes the rest of a line to its block. */
function stepInline(state: BlockState): void {
  const text = firstLine(state.buffer);
  const isWhole = text.length < state.buffer.length;
  state.block?.flow.push(text);
  skip(state, text);
  if (!isWhole) return;
  state.at = 'lineStart';
  if (state.block?.isParagraph === true) state.block.flow.push('\n');
  else endBlock(state);
}

/** Starts what the line begins, and ends the open blocks that it does not continue. */
function take(state: BlockState, line: KnownLine, text: string): void {
  if (!continuesTable(state, line)) endTable(state);
  switch (line.type) {
    case 'blank':
      endBlock(state);
      state.wasBlank = state.at !== 'behindMarker';
      state.at = 'lineStart';
      return skip(state, text);
    case 'text':
      return takeText(state, line);
    case 'heading':
      return takeHeading(state, line, text);
    case 'item':
      return takeItem(state, line);
    case 'rule':
      begin(state, line, 2);
      state.parts.put([raw(state.dialect.rule)], 'block');
      state.wasBlank = true;
      return skip(state, text);
    case 'fence': {
      const prefix = begin(state, line, 1);
      const indent = state.dialect.indentsFences ? prefix.indent : 0;
      state.fence = createFence(state.parts, state.dialect, line, { ...prefix, indent });
      return skip(state, text);
    }
    case 'row':
      return takeRow(state, line, text);
  }
}

type Known<T extends KnownLine['type']> = Extract<KnownLine, { type: T }>;

function takeText(state: BlockState, line: Known<'text'>): void {
  const goesOn =
    state.block?.isParagraph === true && (line.quote === 0 || quoteOf(state, line) === state.lastQuote);
  if (!goesOn) openParagraph(state, begin(state, line, 1));
  enter(state, line.start);
}

function takeHeading(state: BlockState, line: Known<'heading'>, text: string): void {
  const wasBehindMarker = state.at === 'behindMarker';
  const prefix = begin(state, line, 1);
  if (!wasBehindMarker && line.level <= state.dialect.maxHeading) {
    state.parts.lead(raw(`${'#'.repeat(line.level)} `));
    state.block = { flow: flowFor(state, prefix), isParagraph: false };
    return enter(state, line.start);
  }
  const title = text
    .slice(line.start)
    .replace(/[ \t]+#+[ \t]*$/, '')
    .trim();
  if (title === '') return skip(state, text);
  if (wasBehindMarker) {
    state.block = { flow: flowFor(state, prefix), isParagraph: false };
    return enter(state, line.start);
  }
  state.parts.put([inline(title, { bold: true })], 'block');
  state.isFirst = false;
  return skip(state, text);
}

function takeItem(state: BlockState, line: Known<'item'>): void {
  const wasBehindMarker = state.at === 'behindMarker';
  endBlock(state);
  if (wasBehindMarker) state.parts.flush();
  const prefix = {
    quote: quoteOf(state, line),
    indent: state.lists.item(line.indent, line.marker, wasBehindMarker),
  };
  state.parts.line(prefix, gapBefore(state, line, 1), state.lists.depth > 1 ? 'line' : 'item');
  const task = line.task === null ? '' : state.dialect.task(line.task);
  state.parts.lead(raw(`${line.marker} ${task}`));
  noteLine(state, line);
  openParagraph(state, { ...prefix, indent: state.lists.contentIndent });
  state.at = 'behindMarker';
  state.buffer = state.buffer.slice(line.start);
}

function takeRow(state: BlockState, line: Known<'row'>, text: string): void {
  const row = text.slice(line.start);
  skip(state, text);
  if (state.table === null) {
    const prefix = begin(state, line, state.dialect.hasTables ? 2 : 1);
    state.table = createTable(state.parts, state.dialect, prefix, row);
    state.isAfterTable = true;
    // The delimiter line, which may stand in another quote or begin without a bar.
    return skip(state, firstLine(state.buffer));
  }
  state.table.row(row);
}

/** Ends open blocks and positions the next line; returns the prefix of its lines. */
function begin(state: BlockState, line: KnownLine, breaks: number): Prefix {
  if (state.at === 'behindMarker') {
    state.at = 'lineStart';
    state.block = null;
    const prefix = { quote: state.lastQuote, indent: state.lists.contentIndent };
    // Inside an item only plain text begins on the marker's line.
    if (line.type !== 'text' && line.type !== 'heading') {
      state.parts.flush();
      state.parts.line(prefix, 1, 'block');
    }
    return prefix;
  }
  endBlock(state);
  const quote = quoteOf(state, line);
  if (quote !== state.lastQuote) state.lists.reset();
  const wasInList = state.lists.depth > 0;
  const indent = state.lists.text(line.indent, state.wasBlank || line.type !== 'text');
  const leavesList = wasInList && state.lists.depth === 0;
  const prefix = { quote, indent };
  state.parts.line(prefix, leavesList ? 2 : gapBefore(state, line, breaks), 'block');
  noteLine(state, line);
  return prefix;
}

function openParagraph(state: BlockState, prefix: Prefix): void {
  state.block = { flow: flowFor(state, prefix), isParagraph: true };
}

function flowFor(state: BlockState, prefix: Prefix): Flow {
  const isEager = state.isFirst;
  state.isFirst = false;
  return createFlow(state.parts, prefix, isEager);
}

function enter(state: BlockState, start: number): void {
  state.buffer = state.buffer.slice(start);
  state.at = 'inLine';
}

function firstLine(buffer: string): string {
  const end = buffer.indexOf('\n');
  return end === -1 ? buffer : buffer.slice(0, end);
}

function skip(state: BlockState, line: string): void {
  state.buffer = state.buffer.slice(line.length + 1);
}

function endAll(state: BlockState): void {
  // The fence ends first, so that an empty one is left out.
  state.fence?.end();
  state.fence = null;
  endBlock(state);
  endTable(state);
}
