import type { Source } from '../core/types.ts';
import { clean } from './clean.ts';
import type { Dialect } from './dialects.ts';
import { cutText, escapeLabel, escapeText } from './text.ts';
import { canonicalUrl, linkTarget, siteOf } from './urls.ts';

/** How much of a title is shown, in characters. */
const MAX_TITLE = 80;

/**
 * The sources under an answer, one a line, in order of first use: number, linked title, site, date. `cited`: their numbers;
 * when the text cites none, the first sources stand for it. Two numbers of one page share a line. Empty without sources.
 */
export function sourceLines(
  dialect: Dialect,
  sources: readonly Source[],
  cited: readonly number[],
  max = 5,
): string {
  const used = cited.flatMap((number) => sources.find((source) => source.number === number) ?? []);
  const pages = new Map<string, Source>();
  for (const source of used.length > 0 ? used : sources) {
    const page = canonicalUrl(source.url) ?? `${source.number}`;
    if (!pages.has(page)) pages.set(page, source);
  }
  const lines = [...pages.values()].slice(0, max).map((source) => sourceLine(dialect, source));
  // Two spaces make Slack's Markdown keep the line break.
  return lines.join(dialect.name === 'slack' ? '  \n' : '\n');
}

/** How much of a snippet is shown, in characters. */
const MAX_SNIPPET = 200;

/** Every source with what the page says, in messages of at most `room` each; at least one message. */
export function sourcePages(dialect: Dialect, sources: readonly Source[], room: number): readonly string[] {
  const entries = sources.map((source) => {
    const words = clean(source.snippet ?? '')
      .replace(/\s+/g, ' ')
      .trim();
    const quoted = words === '' ? '' : `\n> ${escapeText(dialect, cutText(words, MAX_SNIPPET))}`;
    return `${sourceLine(dialect, source)}${quoted}`;
  });
  const pages: string[] = [];
  for (const entry of entries) {
    const last = pages.at(-1);
    const joined = `${last}\n\n${entry}`;
    if (last !== undefined && dialect.measure(joined) <= room) pages.splice(-1, 1, joined);
    else pages.push(entry);
  }
  return pages.length > 0 ? pages : ['This answer used no web sources.'];
}

function sourceLine(dialect: Dialect, source: Source): string {
  const site = siteOf(source.url);
  const words = clean(source.title).replace(/\s+/g, ' ').trim();
  const titled = escapeLabel(dialect, cutText(words, MAX_TITLE));
  const title = words === '' ? shownSite(dialect, site) || 'Untitled' : titled;
  const target = linkTarget(source.url);
  const linked = target === null ? title : dialect.link(title, target);
  const date = shortDate(source.date);
  const about = [shownSite(dialect, site), date ?? ''].filter((word) => word !== '').join(' · ');
  const small = dialect.name === 'discord' ? '-# ' : '';
  return `${small}${source.number} · ${linked}${about === '' ? '' : ` — ${about}`}`;
}

/** Slack would make a link of a bare domain, which may be another page than the source. */
function shownSite(dialect: Dialect, site: string): string {
  if (site === '') return '';
  if (dialect.name === 'slack') return dialect.codeSpan(site);
  return dialect.escape(site, { lineStart: false, before: ' ', cell: false, label: false });
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `3 Nov 2026` from an ISO date or time; null when it is neither. */
function shortDate(date: string | null): string | null {
  const found = /^(\d{4})-(\d{2})-(\d{2})(?:T|\s|$)/.exec(date ?? '');
  if (found === null) return null;
  const month = MONTHS[Number(found[2]) - 1];
  const day = Number(found[3]);
  return month === undefined || day < 1 || day > 31 ? null : `${day} ${month} ${found[1]}`;
}
