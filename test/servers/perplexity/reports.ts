/**
 * What research jobs find out, by words in the question:
 *
 *   long report          60,000 characters with 120 sources; `report 90000` for another length
 *   the special topics   as for answers (`echo`, `hostile`, `no sources`, `out of range`, `empty answer`, …)
 *   anything else        a report of some 2,500 characters that names the question and the earlier ones of its thread
 *
 * When the system prompt asks for a `## Summary`, the report begins with one.
 */
import { longAnswer } from './long-answer.ts';
import { PAGES, type Page } from './sources.ts';
import { quoted, type Said, specialTopic, type Topic } from './topics.ts';

export function reportFor(said: readonly Said[], whole: unknown, system: string): Topic {
  const question = said.at(-1)?.text ?? '';
  const wantsSummary = /## Summary/.test(system);
  const length = /\blong report\b|\breport (\d{4,6})\b/i.exec(question);
  if (length) return longReport(question, Number(length[1] ?? 60_000), wantsSummary);
  const special = specialTopic(said, whole);
  const summary = wantsSummary ? summaryOf(question) : '';
  if (special) return special.text === '' ? special : { ...special, text: summary + special.text };
  const earlier = said.filter((one, index) => one.role === 'user' && index < said.length - 1);
  return topic(summary + reportOn(question, earlier), PAGES);
}

function topic(text: string, sources: readonly Page[]): Topic {
  return { text, sources, isLate: false, related: [] };
}

function summaryOf(question: string): string {
  return [
    '## Summary\n',
    `- The question “${quoted(question)}” can be answered from public figures [1].`,
    '- Output stayed within four percent of the forecast [1][3].',
    '- Growth on the blades, not storms, cost the most hours [2].',
    '- Tidal power still costs about twice as much as offshore wind [5].',
    '- Two in three people on the coast are in favour [4].\n\n',
  ].join('\n');
}

function reportOn(question: string, earlier: readonly Said[]): string {
  const before =
    earlier.length === 0
      ? ''
      : `This goes on from what was asked before: ${earlier.map(({ text }) => `“${quoted(text)}”`).join(', ')}.\n\n`;
  return `# Report\n\n${before}The question was: “${quoted(question)}”.\n\n${longAnswer(2_200)}`;
}

const SOURCES_OF_A_LONG_REPORT = 120;

function longReport(question: string, length: number, wantsSummary: boolean): Topic {
  const pages = Array.from({ length: SOURCES_OF_A_LONG_REPORT }, (_, index) => pageOf(index + 1));
  const findings = pages.map(
    (page, index) =>
      `### Finding ${index + 1}: ${page.title}\n\nThe record of this site is public and was read in full [${index + 1}]. It agrees with the yearly report [1].\n`,
  );
  const head = `${wantsSummary ? summaryOf(question) : ''}# Report\n\n${findings.join('\n')}\n`;
  return topic(head + longAnswer(Math.max(0, length - head.length)), pages);
}

function pageOf(number: number): Page {
  return {
    title: `Site ${number}: ten years of tides [data]`,
    url: `https://site-${number}.example.org/records/${number}?edition=(${number})`,
    date: `2026-${String((number % 12) + 1).padStart(2, '0')}-${String((number % 28) + 1).padStart(2, '0')}`,
    snippet: `Ten years of measurements at site ${number}, hour by hour.`,
  };
}
