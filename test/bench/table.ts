/** How figures are written down: one Markdown table, one line of JSON per cell. */
import type { Load } from './cell.ts';
import type { ColdStart } from './cold-start.ts';
import type { Figures } from './figures.ts';
import { BASE } from './plan.ts';
import type { Spread } from './statistics.ts';

type Column = readonly [title: string, cell: (figures: Figures, all: readonly Figures[]) => string];

const COLUMNS: readonly Column[] = [
  ['who', ({ load }) => load.who],
  ['on', ({ load }) => placeOf(load)],
  ['at once', ({ load }) => String(load.concurrency)],
  ['load', ({ load }) => differences(load)],
  ['whole', ({ load, whole }) => `${whole}/${load.concurrency}`],
  ['to model', ({ toModel }) => spread(toModel)],
  ['first text', ({ firstText }) => spread(firstText)],
  ['text lag', ({ textLag }) => number(textLag?.p50)],
  ['completion', ({ completion }) => spread(completion)],
  ['calls', ({ callsPerAnswer }) => number(callsPerAnswer)],
  ['429', ({ refused }) => String(refused)],
  ['asked', ({ load, modelRequests }) => (modelRequests / load.concurrency).toFixed(2)],
  ['ack p95', ({ ack }) => number(ack?.p95)],
  ['CPU ms', ({ cpuPerAnswerMs }) => number(cpuPerAnswerMs)],
  ['× bare', (figures, all) => timesBare(figures, all)],
  ['µs/token', ({ cpuPerTokenUs }) => number(cpuPerTokenUs)],
  ['DB ms', ({ databaseCpuPerAnswerMs }) => number(databaseCpuPerAnswerMs)],
  ['core %', ({ cpuShare }) => number(cpuShare === null ? null : cpuShare * 100)],
  ['loop p99', ({ loop }) => number(loop?.p99)],
  ['RSS MB', ({ rssIdleMb, rssPeakMb }) => `${number(rssIdleMb)}→${number(rssPeakMb)}`],
  ['MB each', ({ rssPerAnswerMb }) => rssPerAnswerMb?.toFixed(2) ?? ''],
  ['stand-ins late', ({ standIns }) => `${number(standIns.modelLateP95)}/${number(standIns.platformLoop)}`],
];

/** All cells as one Markdown table. */
export function tableOf(all: readonly Figures[]): string {
  return markdown(
    COLUMNS.map(([title]) => title),
    all.map((figures) => COLUMNS.map(([, cell]) => cell(figures, all))),
  );
}

/** One line while running. */
export function lineOf(figures: Figures): string {
  const { load, whole, toModel, firstText, completion, refused, cpuPerAnswerMs } = figures;
  const name = `${load.who} on ${placeOf(load)}, ${load.concurrency} at once ${differences(load)}`;
  return `${name}: ${whole} whole, to model ${spread(toModel)}, first ${spread(firstText)}, completion ${spread(completion)}, ${refused} × 429, ${number(cpuPerAnswerMs)} ms CPU`;
}

/** The table of cold starts. */
export function coldTableOf(starts: readonly ColdStart[]): string {
  const baseline = (start: ColdStart): number | undefined =>
    starts.find(({ who, platform }) => who === 'loop' && platform === start.platform)?.readyMs;
  return markdown(
    ['who', 'on', 'ready ms', '× loop', 'RSS MB'],
    starts.map((start) => {
      const loop = baseline(start);
      const times = loop === undefined ? '' : (start.readyMs / loop).toFixed(2);
      const place = start.who === 'footnote' ? `${start.platform}, ${start.store}` : start.platform;
      return [start.who, place, number(start.readyMs), times, number(start.rssMb)];
    }),
  );
}

function markdown(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = titles.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [line(titles), rule, ...rows.map(line)].join('\n');
}

function placeOf({ who, platform, store }: Load): string {
  if (who === 'bare') return '-';
  return who === 'loop' ? platform : `${platform}, ${store}`;
}

const NAMES: Readonly<Partial<Record<keyof Load, (value: Load[keyof Load]) => string>>> = {
  limits: (value) => `limits ${value}`,
  budgets: (value) => `budgets ${value}`,
  tokens: (value) => `${value} tokens`,
  tokensPerSecond: (value) => `${value}/s`,
  latencyMs: (value) => `latency ${value} ms`,
  ground: (value) => (value === 'replies' ? 'without threads' : `in ${String(value).replace('-', ' ')}`),
  turns: (value) => `${value} turns`,
  stored: (value) => `${value} stored`,
};

/** In what a load differs from the usual one. */
function differences(load: Load): string {
  const usual: Load = load.who === 'bare' ? { ...BASE, latencyMs: 0 } : BASE;
  return Object.entries(NAMES)
    .filter(([name]) => load[name as keyof Load] !== usual[name as keyof Load])
    .map(([name, write]) => write(load[name as keyof Load]))
    .join(', ');
}

function timesBare({ load, cpuPerAnswerMs }: Figures, all: readonly Figures[]): string {
  const bare = all.find(
    (other) =>
      other.load.who === 'bare' &&
      other.load.concurrency === load.concurrency &&
      other.load.tokens === load.tokens &&
      other.load.tokensPerSecond === load.tokensPerSecond,
  );
  if (!bare?.cpuPerAnswerMs || cpuPerAnswerMs === null) return '';
  return (cpuPerAnswerMs / bare.cpuPerAnswerMs).toFixed(2);
}

/** Middle / slow end / worst. */
function spread(value: Spread | null): string {
  return value === null ? '' : `${number(value.p50)} / ${number(value.p95)} / ${number(value.max)}`;
}

function number(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '';
  return Math.abs(value) < 10 ? value.toFixed(1) : value.toFixed(0);
}
