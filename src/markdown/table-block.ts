import { boldPieces } from './bold.ts';
import { type Dialect, plainDialect, withoutFences } from './dialects.ts';
import { renderInline } from './inline.ts';
import { createLinks } from './links.ts';
import type { Parts } from './parts.ts';
import { inline, type Piece, type Prefix, prefixText, raw } from './pieces.ts';
import { alignCells, displayWidth, fitCells, isDelimiter, readCells } from './tables.ts';

/** A table: Slack's own, row by row, or for Discord an aligned block or a list, decided from as many rows as are waited for. */
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

/** Marks and links cannot be drawn inside a code block: a table that has any becomes a list. */
const NEEDS_MARKS = /\[\^?\d|\[web:|[【［]\d|\]\(|https?:/;

/** Columns can only be as wide as what is known: rows are waited for, up to this many characters of them. */
const HOLD_LIMIT = 1_200;

/** A row with more characters than this in few columns is no text. */
const MAX_ROW = 400;

function drawnTable(parts: Parts, dialect: Dialect, prefix: Prefix): Table {
  let header: readonly string[] | null = null;
  let isDelimiterNext = false;
  let held: (readonly string[])[] = [];
  let size = 0;
  let drawing: RowDrawing | null = null;
  const drawHeld = (): void => {
    const fits = drawing !== null && drawing.fits(held);
    if (!fits) {
      drawing?.end();
      if (drawing !== null) parts.line(prefix, 1, 'block');
      drawing = decide({ parts, dialect, prefix, header: header ?? [] }, held);
    }
    for (const cells of held) drawing?.row(cells);
    held = [];
    size = 0;
  };
  return {
    row(line) {
      if (header === null) {
        header = readCells(line);
        isDelimiterNext = true;
      } else if (isDelimiterNext) isDelimiterNext = false;
      else {
        held.push(fitCells(readCells(line), header.length));
        size += line.length;
        if (size >= HOLD_LIMIT) drawHeld();
      }
    },
    end() {
      if (held.length > 0 || drawing === null) drawHeld();
      drawing?.end();
    },
  };
}

interface RowDrawing {
  /** Whether these rows can follow the ones before. */
  fits(rows: readonly (readonly string[])[]): boolean;
  row(cells: readonly string[]): void;
  end(): void;
}

interface DrawnTable {
  readonly parts: Parts;
  readonly dialect: Dialect;
  readonly prefix: Prefix;
  readonly header: readonly string[];
}

function decide(table: DrawnTable, rows: readonly (readonly string[])[]): RowDrawing {
  const widths = columnWidths([table.header, ...rows]);
  return isNarrow([table.header, ...rows], widths) ? blockRows(table, widths) : listRows(table);
}

function isNarrow(rows: readonly (readonly string[])[], widths: readonly number[]): boolean {
  if (widths.reduce((sum, each) => sum + each + 2, -2) > MAX_COLUMNS) return false;
  return rows.every((cells) => {
    const row = cells.join(' ');
    return row.length <= MAX_ROW && !NEEDS_MARKS.test(row);
  });
}

function columnWidths(rows: readonly (readonly string[])[]): readonly number[] {
  const plain = rows.map((cells) => cells.map((cell) => displayWidth(plainCell(cell))));
  return (rows[0] ?? []).map((_, index) => Math.max(1, ...plain.map((cells) => cells[index] ?? 0)));
}

function blockRows({ parts, dialect, prefix, header }: DrawnTable, widths: readonly number[]): RowDrawing {
  const frame = { ...prefix, indent: 0 };
  const lineOf = (cells: readonly string[]): string =>
    dialect.code(withoutFences(alignCells(cells.map(plainCell), widths)));
  const newline = `\n${prefixText(frame, 0)}`;
  // Every message that shows rows shows what they are called.
  const names = [lineOf(header), widths.map((each) => '─'.repeat(each)).join('  ')];
  const opener = dialect.fence === '' ? names : [dialect.fence, ...names];
  parts.open({ opener: [raw(opener.join(newline))], closer: dialect.fence, prefix: frame });
  parts.flush();
  return {
    fits(rows) {
      const needed = columnWidths([header, ...rows]);
      return isNarrow(rows, needed) && needed.every((each, index) => each <= (widths[index] ?? 0));
    },
    row(cells) {
      parts.codeLine();
      parts.put([raw(lineOf(cells))], 'line');
    },
    end: () => parts.close(),
  };
}

function listRows({ parts, dialect, prefix, header }: DrawnTable): RowDrawing {
  let isEmpty = true;
  const item = (groups: readonly (readonly Piece[])[]): void => {
    isEmpty = false;
    parts.line(prefix, 1, 'line');
    parts.lead(raw('- '));
    for (const [place, pieces] of groups.entries()) {
      parts.put([...(place === 0 ? [] : [raw('; ')]), ...pieces], 'word');
    }
  };
  const piecesOf = (cell: string, index: number): readonly Piece[] => {
    const name = header[index] ?? '';
    const value = cell === '' ? [raw('–')] : index === 0 ? boldPieces(dialect, cell) : [inline(cell)];
    return name === '' ? value : [inline(name), raw(': '), ...value];
  };
  return {
    fits: () => true,
    row(cells) {
      if (cells.every((cell) => cell === '')) return;
      const named = cells.map((cell, index) => ({ cell, index }));
      // A column that has no name has nothing to say without a value.
      const filled = named.filter(({ cell, index }) => cell !== '' || (header[index] ?? '') !== '');
      item(filled.map(({ cell, index }) => piecesOf(cell, index)));
    },
    end() {
      const names = header.filter((name) => name !== '');
      if (isEmpty && names.length > 0) {
        item(names.map((name, index) => (index === 0 ? boldPieces(dialect, name) : [inline(name)])));
      }
    },
  };
}

/** A cell as it reads, without marks. */
function plainCell(cell: string): string {
  const place = { lineStart: false, before: '', cell: false, label: false };
  const links = createLinks([]);
  const how = { dialect: plainDialect, links, citations: { met: new Map() }, place, linkRoom: { left: 0 } };
  return renderInline(cell, { ...how, glued: false, bold: false, literal: false });
}
