/** The part of a report that fits into a message. */

const MOST_LINES = 5;
const MOST_CHARS = 1_200;

/**
 * What stands under the report's heading "Summary", else its first sentences: at most five lines and 1,200 characters, cut
 * between words and never inside a citation marker.
 */
export function summaryOf(report: string): string {
  const lines = report.split('\n').map((line) => line.trim());
  const heading = lines.findIndex((line) =>
    /^(?:#{1,6}\s*)?\*{0,2}(?:executive\s+)?summary\s*:?\s*\*{0,2}\s*:?\s*#*$/i.test(line),
  );
  if (heading >= 0) {
    const rest = lines.slice(heading + 1);
    const end = rest.findIndex((line) => /^#{1,6}\s/.test(line));
    const summary = readable(end < 0 ? rest : rest.slice(0, end));
    if (summary.length > 0) return shortened(summary.slice(0, MOST_LINES).join('\n'));
  }
  return shortened(firstSentences(readable(lines).filter((line) => !/^#{1,6}\s/.test(line))));
}

/** Without what only makes sense as a whole: tables, code, rules. */
function readable(lines: readonly string[]): string[] {
  let isCode = false;
  return lines.filter((line) => {
    if (/^(?:```|~~~)/.test(line)) {
      isCode = !isCode;
      return false;
    }
    return !isCode && line !== '' && !line.startsWith('|') && !/^(?:[-*_]\s*){3,}$/.test(line);
  });
}

function firstSentences(lines: readonly string[]): string {
  const [first = '', ...more] = lines;
  // A list or a short first line says little by itself.
  const text = first.length >= 200 ? first : [first, ...more.slice(0, MOST_LINES - 1)].join('\n');
  return text;
}

function shortened(text: string): string {
  if (text.length <= MOST_CHARS) return text;
  const cut = text.slice(0, MOST_CHARS);
  const sentence = Math.max(...['. ', '! ', '? ', '.\n', '] '].map((end) => cut.lastIndexOf(end))) + 1;
  if (sentence > MOST_CHARS / 2) return cut.slice(0, sentence).trimEnd();
  return `${cut
    .slice(0, Math.max(cut.lastIndexOf(' '), 1))
    .replace(/\[\d*$/, '')
    .trimEnd()}…`;
}
