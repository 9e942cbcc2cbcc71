import type { Dialect } from './dialects.ts';
import { Flow } from './inline-flow.ts';
import { createFence, type Fence, type Line, Lists, readLine } from './lines.ts';
import { inline, type Prefix, raw } from './pieces.ts';
import type { Parts } from './split-parts.ts';
import { createTable, type Table, tableStarts } from './tables.ts';

type LineOf<T extends Line['type']> = Extract<Line, { type: T }>;

/**
 * A parser of streamed Markdown. It takes cleaned text, reads it line by line and passes what later text cannot change to the
 * parts.
 */
export class Blocks {
  readonly #dialect: Dialect;
  readonly #parts: Parts;
  readonly #lists: Lists;
  #buffer = '';
  #complete = false;
  /** Where the buffer begins: behind a list marker another block may begin; in a line its kind is known. */
  #at: 'lineStart' | 'behindMarker' | 'inLine' = 'lineStart';
  /** The open paragraph or heading, which receives text until another line ends it. */
  #flow: Flow | null = null;
  #isParagraph = false;
  #fence: Fence | null = null;
  #table: Table | null = null;
  /** The kind of the line before. */
  #last: Line['type'] = 'text';
  #lastQuote = 0;

  constructor(dialect: Dialect, parts: Parts) {
    this.#dialect = dialect;
    this.#parts = parts;
    this.#lists = new Lists(dialect.maxListDepth);
  }

  /** Reads on. `complete`: nothing follows. */
  read(delta: string, complete: boolean): void {
    this.#buffer += delta;
    this.#complete = complete;
    while (this.#step());
    if (!complete) return;
    // The fence ends first, so that an empty one is left out.
    this.#fence?.end();
    this.#endBlock();
    this.#endTable();
  }

  /** Parses one line, or the part of it that is decided; false when more text is needed. */
  #step(): boolean {
    if (this.#buffer === '') return false;
    if (this.#fence !== null) return this.#stepFence(this.#fence);
    if (this.#at === 'inLine') return this.#stepInline();
    const text = firstLine(this.#buffer);
    const line = readLine(text, {
      isWhole: text.length < this.#buffer.length || this.#complete,
      inParagraph: this.#isParagraph,
      inList: this.#lists.depth > 0,
      inTable: this.#table !== null,
      maxHeading: this.#dialect.maxHeading,
      behindMarker: this.#at === 'behindMarker',
    });
    if (line === null) return false;
    if (line.type === 'row' && !this.#continuesTable(line)) {
      const next = this.#buffer.slice(text.length + 1);
      const starts = tableStarts(text.slice(line.start), next, this.#complete);
      if (starts === null) return false;
      this.#take(starts ? line : { ...line, type: 'text' }, text);
    } else this.#take(line, text);
    return true;
  }

  #stepFence(fence: Fence): boolean {
    const rest = fence.step(this.#buffer, this.#complete);
    if (rest === null) return false;
    this.#buffer = rest;
    if (fence.isClosed) this.#fence = null;
    return true;
  }

  /** Passes the rest of a line to its block. */
  #stepInline(): boolean {
    const text = firstLine(this.#buffer);
    const isWhole = text.length < this.#buffer.length;
    this.#flow?.push(text);
    this.#skip(text);
    if (!isWhole) return true;
    this.#at = 'lineStart';
    if (this.#isParagraph) this.#flow?.push('\n');
    else this.#endBlock();
    return true;
  }

  /** Starts what the line begins, and ends the open blocks that it does not continue. */
  #take(line: Line, text: string): void {
    if (!this.#continuesTable(line)) this.#endTable();
    switch (line.type) {
      case 'blank':
        this.#endBlock();
        if (this.#at !== 'behindMarker') this.#last = 'blank';
        this.#at = 'lineStart';
        return this.#skip(text);
      case 'text':
        return this.#takeText(line);
      case 'heading':
        return this.#takeHeading(line, text);
      case 'item':
        return this.#takeItem(line);
      case 'rule':
        this.#begin(line, 2);
        this.#parts.put([raw(this.#dialect.rule)], 'block');
        return this.#skip(text);
      case 'fence': {
        const prefix = this.#begin(line, 1);
        const indent = this.#dialect.indentsFences ? prefix.indent : 0;
        this.#fence = createFence(this.#parts, this.#dialect, line, { ...prefix, indent });
        return this.#skip(text);
      }
      case 'row':
        return this.#takeRow(line, text);
    }
  }

  #takeText(line: Line): void {
    const goesOn = this.#isParagraph && (line.quote === 0 || this.#quoteOf(line) === this.#lastQuote);
    if (!goesOn) this.#openBlock(this.#begin(line, 1), true);
    this.#enter(line.start);
  }

  #takeHeading(line: LineOf<'heading'>, text: string): void {
    const isInItem = this.#at === 'behindMarker';
    const prefix = this.#begin(line, 1);
    if (isInItem || line.level <= this.#dialect.maxHeading) {
      if (!isInItem) this.#parts.lead(raw(`${'#'.repeat(line.level)} `));
      this.#openBlock(prefix, false);
      return this.#enter(line.start);
    }
    const title = text.slice(line.start).replace(/[ \t]+#+[ \t]*$/, '');
    if (title.trim() !== '') this.#parts.put([inline(title.trim(), { bold: true })], 'block');
    this.#skip(text);
  }

  #takeItem(line: LineOf<'item'>): void {
    const isInItem = this.#at === 'behindMarker';
    this.#endBlock();
    const quote = this.#quoteOf(line);
    const indent = this.#lists.item(line.indent, line.marker, isInItem);
    this.#startLine(line, { quote, indent }, 1, this.#lists.depth > 1 ? 'line' : 'item');
    const task = line.task === null ? '' : this.#dialect.task(line.task);
    this.#parts.lead(raw(`${line.marker} ${task}`));
    this.#openBlock({ quote, indent: this.#lists.contentIndent }, true);
    this.#at = 'behindMarker';
    this.#buffer = this.#buffer.slice(line.start);
  }

  #takeRow(line: Line, text: string): void {
    const row = text.slice(line.start);
    this.#skip(text);
    if (this.#table !== null) return this.#table.row(row);
    const prefix = this.#begin(line, this.#dialect.hasTables ? 2 : 1);
    this.#table = createTable(this.#parts, this.#dialect, prefix, row);
    // The delimiter line, which may stand in another quote or begin without a bar.
    this.#skip(firstLine(this.#buffer));
  }

  /** Ends open blocks and positions the next line; returns the prefix of its lines. */
  #begin(line: Line, breaks: number): Prefix {
    if (this.#at === 'behindMarker') {
      const prefix = { quote: this.#lastQuote, indent: this.#lists.contentIndent };
      this.#at = 'lineStart';
      this.#flow = null;
      this.#isParagraph = false;
      // Inside an item only plain text begins on the marker's line.
      if (line.type !== 'text' && line.type !== 'heading') {
        this.#parts.flush();
        this.#parts.line(prefix, 1, 'block');
        this.#last = line.type;
      }
      return prefix;
    }
    this.#endBlock();
    const quote = this.#quoteOf(line);
    if (quote !== this.#lastQuote) this.#lists.reset();
    const wasInList = this.#lists.depth > 0;
    const prefix = { quote, indent: this.#lists.text(line.indent, this.#isApart || line.type !== 'text') };
    const leavesList = wasInList && this.#lists.depth === 0;
    this.#startLine(line, prefix, leavesList ? 2 : breaks, 'block');
    return prefix;
  }

  /** Positions a line: behind the line breaks of the source, and one more where the platform would join the two blocks. */
  #startLine(line: Line, prefix: Prefix, breaks: number, boundary: 'block' | 'item' | 'line'): void {
    const leavesQuote = this.#lastQuote > 0 && prefix.quote !== this.#lastQuote;
    // Slack takes a line below a table for a row unless a blank line is between.
    const leavesTable = this.#dialect.hasTables && this.#last === 'row';
    this.#parts.line(prefix, this.#isApart || leavesQuote || leavesTable ? 2 : breaks, boundary);
    this.#last = line.type;
    this.#lastQuote = prefix.quote;
  }

  /** Whether a blank line is, or will be, above the next line. */
  get #isApart(): boolean {
    return this.#last === 'blank' || this.#last === 'rule';
  }

  /** The quote marks that are drawn before a line. */
  #quoteOf(line: Line): number {
    return this.#at === 'behindMarker' ? this.#lastQuote : Math.min(line.quote, this.#dialect.maxQuoteDepth);
  }

  /** A row of another quote is no row of the open table. */
  #continuesTable(line: Line): boolean {
    return this.#table !== null && line.type === 'row' && this.#quoteOf(line) === this.#lastQuote;
  }

  #openBlock(prefix: Prefix, isParagraph: boolean): void {
    this.#flow = new Flow(this.#parts, prefix);
    this.#isParagraph = isParagraph;
  }

  #endBlock(): void {
    this.#flow?.end();
    this.#flow = null;
    this.#isParagraph = false;
    // An empty item or heading consists of its marker.
    this.#parts.flush();
  }

  #endTable(): void {
    this.#table?.end();
    this.#table = null;
  }

  #enter(start: number): void {
    this.#buffer = this.#buffer.slice(start);
    this.#at = 'inLine';
  }

  #skip(line: string): void {
    this.#buffer = this.#buffer.slice(line.length + 1);
  }
}

function firstLine(buffer: string): string {
  const end = buffer.indexOf('\n');
  return end === -1 ? buffer : buffer.slice(0, end);
}
