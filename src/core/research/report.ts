import { formatElapsed, formatTime } from '../answering/messages.ts';
import { questionText } from '../answering/prompt.ts';
import type { Source } from '../types.ts';
import type { Report, ResearchRecord } from './ports.ts';

const LONGEST_TITLE = 200;

/** The whole report as a Markdown file: what was asked, when, how long it took and what it cost, the text, every source. */
export function reportFile(record: ResearchRecord, report: Report): { name: string; text: string } {
  const { name, question, begunAt, endedAt } = record;
  const end = endedAt ?? begunAt;
  const facts = [
    formatTime(end),
    formatElapsed(end - begunAt),
    counted(report.sources),
    costOf(report),
    name,
  ];
  const text = [
    `# ${oneLine(questionText(question), LONGEST_TITLE)}`,
    `Deep research · ${facts.filter((fact) => fact !== null).join(' · ')}`,
    visible(report.text).trim(),
    ...(report.sources.length > 0 ? ['## Sources', report.sources.map(entry).join('\n')] : []),
  ].join('\n\n');
  return { name: `research-${name}.md`, text: `${text}\n` };
}

/** `62 sources`. */
export function counted({ length }: readonly Source[]): string {
  return length === 1 ? '1 source' : `${length} sources`;
}

/** `$0.41`; null when the API did not say. */
export function costOf({ usage }: Report): string | null {
  const cost = usage?.cost ?? null;
  return cost === null ? null : `$${cost.toFixed(cost < 0.1 ? 3 : 2)}`;
}

function entry({ number, title, url, date }: Source): string {
  const site = URL.canParse(url) ? new URL(url).hostname.replace(/^www\./, '') : '';
  const about = [oneLine(title, LONGEST_TITLE) || site, site, date?.slice(0, 10)].filter(Boolean).join(' · ');
  // A line break in an address would let it pose as an entry of its own.
  return `${number}. ${about} · <${url.replaceAll(/[\s<>]/g, encodeURIComponent)}>`;
}

/** Controls and marks that turn the direction of what follows make a file read differently from what it says. */
const DECEIVING = /[[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]--[\n\t]]/gv;

function visible(text: string): string {
  return text.replaceAll(/\r\n?|[\u2028\u2029]/g, '\n').replaceAll(DECEIVING, '');
}

function oneLine(text: string, most: number): string {
  const line = text.replaceAll(/[\p{C}\p{Z}\s]+/gu, ' ').trim();
  return line.length > most ? `${line.slice(0, most).trimEnd()}…` : line;
}

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
