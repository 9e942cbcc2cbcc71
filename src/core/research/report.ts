import { questionText } from '../composing.ts';
import { elapsed, sayWhen } from '../explaining.ts';
import type { Source } from '../types.ts';
import type { Report, ResearchRecord } from './ports.ts';

const LONGEST_TITLE = 200;

/** The whole report as a Markdown file: what was asked, when, how long it took and what it cost, the text, every source. */
export function reportFile(record: ResearchRecord, report: Report): { name: string; text: string } {
  const { name, question, begunAt, endedAt } = record;
  const end = endedAt ?? begunAt;
  const facts = [sayWhen(end), elapsed(end - begunAt), counted(report.sources), costOf(report), name];
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
