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
        const rule = raw(`\n${prefixText(prefix, 0)}|${' --- |'.repeat(count)}`);
        parts.open({ opener: [...rowPieces(cells), rule], closer: '', prefix });
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
  let drawing: RowDrawing | null = null;
  const decide = (first: readonly string[]): RowDrawing => {
    const widths = columnWidths(header, first);
    const width = widths.reduce((sum, each) => sum + each + 2, -2);
    return width > MAX_COLUMNS || NEEDS_MARKS.test(first.join(' '))
      ? listRows(parts, dialect, prefix, header)
      : blockRows(parts, dialect, { ...prefix, indent: 0 }, header, widths);
  };
  return {
    row(line) {
      seen += 1;
      if (seen === 1) header = readCells(line);
      if (seen <= 2) return;
      const cells = fitCells(readCells(line), header.length);
      drawing ??= decide(cells);
      drawing.row(cells);
    },
    end() {
      drawing ??= decide([]);
      drawing.end();
    },
  };
}

interface RowDrawing {
  row(cells: readonly string[]): void;
  end(): void;
}

function columnWidths(header: readonly string[], first: readonly string[]): readonly number[] {
  const width = (cell: string): number => displayWidth(plainCell(cell));
  return header.map((cell, index) => Math.max(width(cell), width(first[index] ?? '')));
}

function blockRows(
  parts: Parts,
  dialect: Dialect,
  prefix: Prefix,
  header: readonly string[],
  widths: readonly number[],
): RowDrawing {
  parts.open({ opener: [raw(dialect.fence)], closer: dialect.fence, prefix });
  const row = (cells: readonly string[]): void => {
    parts.codeLine();
    parts.put([raw(dialect.code(withoutFences(alignCells(cells.map(plainCell), widths))))], 'line');
  };
  row(header);
  // Never empty: Discord knows no block without code.
  row(widths.map((each) => '─'.repeat(Math.max(1, each))));
  return { row, end: () => parts.close() };
}

function listRows(parts: Parts, dialect: Dialect, prefix: Prefix, header: readonly string[]): RowDrawing {
  const bold = raw(dialect.mark('strong'));
  const piecesOf = (cell: string, index: number): readonly Piece[] => {
    const name = header[index] ?? '';
    if (index === 0) return [bold, inline(cell, { bold: true }), bold];
    return name === '' ? [inline(cell)] : [inline(name), raw(': '), inline(cell)];
  };
  return {
    row(cells) {
      const filled = cells.map((cell, index) => ({ cell, index })).filter(({ cell }) => cell !== '');
      if (filled.length === 0) return;
      parts.line(prefix, 1, 'line');
      parts.lead(raw('- '));
      for (const [place, { cell, index }] of filled.entries()) {
        parts.put([...(place === 0 ? [] : [raw('; ')]), ...piecesOf(cell, index)], 'word');
      }
    },
    end() {},
  };
}

/** A cell as it reads, without marks. */
function plainCell(cell: string): string {
  const place = { lineStart: false, before: '', cell: false, label: false };
  const links = createLinks([]);
  const how = { dialect: plainDialect, links, citations: { met: new Map() }, place, budget: { left: 0 } };
  return renderInline(cell, { ...how, glued: false, bold: false, literal: false }).text;
}
