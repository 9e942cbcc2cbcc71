import { formatElapsed, formatTime } from '../answering/messages.ts';
import { questionText } from '../answering/prompt.ts';
import { plural } from '../answering/view.ts';
import type { Source } from '../types.ts';
import type { Report, ResearchRecord } from './ports.ts';

const MAX_TITLE = 200;

/** Writes the report as a Markdown file: the question, date, duration and cost, the text, every source. */
export function reportFile(record: ResearchRecord, report: Report): { name: string; text: string } {
  const { name, question, begunAt, endedAt } = record;
  const end = endedAt ?? begunAt;
  const facts = [
    formatTime(end),
    formatElapsed(end - begunAt),
    plural(report.sources.length, 'source'),
    formatCost(report),
    name,
  ];
  const text = [
    `# ${oneLine(questionText(question), MAX_TITLE)}`,
    `Deep research · ${facts.filter((fact) => fact !== null).join(' · ')}`,
    removeDeceivingCharacters(report.text).trim(),
    ...(report.sources.length > 0 ? ['## Sources', report.sources.map(formatSource).join('\n')] : []),
  ].join('\n\n');
  return { name: `research-${name}.md`, text: `${text}\n` };
}

/** `$0.41`; null when the API did not say. */
export function formatCost({ usage }: Report): string | null {
  const cost = usage?.cost ?? null;
  return cost === null ? null : `$${cost.toFixed(cost < 0.1 ? 3 : 2)}`;
}

function formatSource({ number, title, url, date }: Source): string {
  const site = URL.canParse(url) ? new URL(url).hostname.replace(/^www\./, '') : '';
  const about = [oneLine(title, MAX_TITLE) || site, site, date?.slice(0, 10)].filter(Boolean).join(' · ');
  // A line break in an address could imitate another source.
  return `${number}. ${about} · <${url.replaceAll(/[\s<>]/g, encodeURIComponent)}>`;
}

/** Control and bidi characters, which make a file read differently from what it contains. */
const DECEIVING = /[[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]--[\n\t]]/gv;

function removeDeceivingCharacters(text: string): string {
  return text.replaceAll(/\r\n?|[\u2028\u2029]/g, '\n').replaceAll(DECEIVING, '');
}

function oneLine(text: string, most: number): string {
  const line = text.replaceAll(/[\p{C}\p{Z}\s]+/gu, ' ').trim();
  return line.length > most ? `${line.slice(0, most).trimEnd()}…` : line;
}

const MAX_LINES = 5;
const MAX_CHARS = 1_200;

/**
 * Takes the section "Summary" of a report, else its first sentences: at most five lines and 1,200 characters, cut between
 * words and never inside a citation marker.
 */
export function summarise(report: string): string {
  const lines = report.split('\n').map((line) => line.trim());
  const heading = lines.findIndex((line) =>
    /^(?:#{1,6}\s*)?\*{0,2}(?:executive\s+)?summary\s*:?\s*\*{0,2}\s*:?\s*#*$/i.test(line),
  );
  if (heading >= 0) {
    const rest = lines.slice(heading + 1);
    const end = rest.findIndex((line) => /^#{1,6}\s/.test(line));
    const summary = dropTablesAndCode(end < 0 ? rest : rest.slice(0, end));
    if (summary.length > 0) return shorten(summary.slice(0, MAX_LINES).join('\n'));
  }
  return shorten(firstSentences(dropTablesAndCode(lines).filter((line) => !/^#{1,6}\s/.test(line))));
}

/** Tables, code and rules make no sense in part. */
function dropTablesAndCode(lines: readonly string[]): string[] {
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
  // A short first line says little alone.
  return first.length >= 200 ? first : [first, ...more.slice(0, MAX_LINES - 1)].join('\n');
}

function shorten(text: string): string {
  if (text.length <= MAX_CHARS) return text;
  const cut = text.slice(0, MAX_CHARS);
  const sentence = Math.max(...['. ', '! ', '? ', '.\n', '] '].map((end) => cut.lastIndexOf(end))) + 1;
  if (sentence > MAX_CHARS / 2) return cut.slice(0, sentence).trimEnd();
  return `${cut
    .slice(0, Math.max(cut.lastIndexOf(' '), 1))
    .replace(/\[\d*$/, '')
    .trimEnd()}…`;
}
