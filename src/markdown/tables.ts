/** Cells of a row, `\|` read as a bar. */
export function readCells(row: string): readonly string[] {
  const inner = row
    .trim()
    .replace(/^\|/, '')
    .replace(/(?<!\\)\|$/, '');
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/\\\|/g, '|'));
}

/** Whether a line is the one under a table's header, with as many cells. */
export function isDelimiter(line: string, cells: number): boolean {
  return (
    /^[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/.test(line) &&
    readCells(line).length === cells
  );
}

/** A row with exactly as many cells as the header; what is too much joins the last. */
export function fitCells(cells: readonly string[], count: number): readonly string[] {
  if (cells.length <= count) return [...cells, ...Array.from({ length: count - cells.length }, () => '')];
  return [...cells.slice(0, count - 1), cells.slice(count - 1).join(' ')];
}

/** How many columns of a fixed-width font the text takes. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const char of text) {
    if (/[\p{M}\p{DI}]/u.test(char)) continue;
    width +=
      /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\uff00-\uff60]/u.test(
        char,
      )
        ? 2
        : 1;
  }
  return width;
}

/** One line of a table drawn with spaces; a cell wider than its column moves the rest. */
export function alignCells(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, index) => cell + ' '.repeat(Math.max(0, (widths[index] ?? 0) - displayWidth(cell))))
    .join('  ')
    .trimEnd();
}
