import { type Dialect, plainDialect, withoutFences } from './dialects.ts';
import { renderInline } from './inline.ts';
import { createLinks } from './links.ts';
import type { Parts } from './parts.ts';
import { inline, type Piece, type Prefix, prefixText, raw } from './pieces.ts';
import { alignCells, displayWidth, fitCells, isDelimiter, readCells } from './tables.ts';

/** A table, row by row: Slack's own, or for Discord an aligned block or a list, decided from the first row and kept. */
export interface Table {
  /** Header, delimiter and rows as they stand in the source. */
  row(line: string): void;
  end(): void;
}

/** What fits beside each other on a telephone. */
const MAX_COLUMNS = 60;

/** The line after the header is waited for no longer than this. */
const DELIMITER_LIMIT = 400;

/** Whether the line is the header of a table, which its next line tells; null when more text is needed. */
export function tableStarts(header: string, next: string, complete: boolean): boolean | null {
  const end = next.indexOf('\n');
  const line = (end === -1 ? next : next.slice(0, end)).replace(/^[ \t>]*/, '');
  if (end !== -1 || complete) return isDelimiter(line, readCells(header).length);
  return line.length <= DELIMITER_LIMIT && /^[\s|:-]*$/.test(line) ? null : false;
}

export function createTable(parts: Parts, dialect: Dialect, prefix: Prefix): Table {
  return dialect.hasTables
    ? nativeTable(parts, { ...prefix, indent: 0 })
    : drawnTable(parts, dialect, prefix);
}

function nativeTable(parts: Parts, prefix: Prefix): Table {
  let count = 0;
  let seen = 0;
  return {
    row(line) {
      seen += 1;
      const cells = readCells(line);
      if (seen === 1) {
        count = cells.length;
        const newline = raw(`\n${prefixText(prefix, 0)}`);
        const rule = raw(`|${' --- |'.repeat(count)}`);
        parts.open({ opener: [...rowPieces(cells), newline, rule], closer: '', prefix });
        parts.flush();
      } else if (seen > 2) {
        parts.line(prefix, 1, 'line');
        parts.put(rowPieces(fitCells(cells, count)), 'line');
      }
    },
    end: () => parts.close(),
  };
}

function rowPieces(cells: readonly string[]): readonly Piece[] {
  return [raw('|'), ...cells.flatMap((cell) => [raw(' '), inline(cell, { cell: true }), raw(' |')])];
}

/** Marks and links cannot be drawn inside a code block: a table that has any in its first row becomes a list. */
const NEEDS_MARKS = /\[\d|\]\(|https?:/;

function drawnTable(parts: Parts, dialect: Dialect, prefix: Prefix): Table {
  let header: readonly string[] = [];
  let seen = 0;
  let draw: ((cells: readonly string[]) => void) | null = null;
  let isOpen = false;

  const bold = raw(dialect.mark('strong'));
  const asBlock = (widths: readonly number[]): ((cells: readonly string[]) => void) => {
    isOpen = true;
    const flat = { ...prefix, indent: 0 };
    parts.open({ opener: [raw(dialect.fence)], closer: dialect.fence, prefix: flat });
    return (cells) => {
      parts.codeLine();
      parts.put([raw(dialect.code(withoutFences(alignCells(cells.map(plainCell), widths))))], 'line');
    };
  };
  const asList = (cells: readonly string[]): void => {
    if (cells.every((cell) => cell === '')) return;
    parts.line(prefix, 1, 'line');
    parts.lead(raw('- '));
    for (const [index, cell] of cells.entries()) {
      if (cell === '') continue;
      const name = header[index] ?? '';
      if (index > 0) parts.put([raw('; ')], 'word');
      if (index === 0) parts.put([bold, inline(cell, { bold: true }), bold], 'word');
      else parts.put(name === '' ? [inline(cell)] : [inline(name), raw(': '), inline(cell)], 'word');
    }
  };
  const decide = (first: readonly string[]): void => {
    const widths = header.map((cell, index) =>
      Math.max(displayWidth(plainCell(cell)), displayWidth(plainCell(first[index] ?? ''))),
    );
    const width = widths.reduce((sum, each) => sum + each + 2, -2);
    if (width > MAX_COLUMNS || NEEDS_MARKS.test(first.join(' '))) {
      draw = asList;
      return;
    }
    draw = asBlock(widths);
    draw(header);
    draw(widths.map((each) => '─'.repeat(each)));
  };
  return {
    row(line) {
      seen += 1;
      if (seen === 1) header = readCells(line);
      if (seen <= 2) return;
      const cells = fitCells(readCells(line), header.length);
      if (draw === null) decide(cells);
      draw?.(cells);
    },
    end() {
      if (draw === null) decide([]);
      if (isOpen) parts.close();
    },
  };
}

/** A cell as it reads, without marks. */
function plainCell(cell: string): string {
  const place = { lineStart: false, before: '', cell: false, label: false };
  const context = {
    dialect: plainDialect,
    links: createLinks([]),
    citations: { met: new Map() },
    place,
    budget: { left: 0 },
  };
  return renderInline(cell, { ...context, glued: false, bold: false, literal: false }).text;
}
