/**
 * Measures the service from outside against the stand-ins, next to two baselines in the same run. Figures: docs/performance.md.
 *
 *   npm run bench                         everything (half an hour or more)
 *   npm run bench -- --only limits,cold   some groups
 *   npm run bench -- --short              a small run for CI
 *   npm run bench -- --concurrency 1,10 --tokens 150,600 --who loop,footnote
 *                                         every combination of the given values
 *
 * Ends with 1 when an answer of the service was not whole or the bench itself broke, never because a figure is bad.
 * The Postgres store is used when TEST_DATABASE_URL names a server where databases may be created.
 */
import { parseArgs } from 'node:util';
import { type Load, runCell, type Setting } from './cell.ts';
import { type Child, startChild } from './child.ts';
import { type ColdStart, measureColdStart } from './cold-start.ts';
import { type Figures, middleOf } from './figures.ts';
import type { ModelHandlers } from './model.ts';
import { GROUPS, loadsOf, SHORT, type Values } from './plan.ts';
import { coldTableOf, lineOf, tableOf } from './table.ts';
import { createTemplates } from './templates.ts';
import { MOST_WORDS, slotOf } from './words.ts';

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
    only: { type: 'string' },
    repeat: { type: 'string', default: '1' },
    who: { type: 'string' },
    platform: { type: 'string' },
    store: { type: 'string' },
    concurrency: { type: 'string' },
    limits: { type: 'string' },
    budgets: { type: 'string' },
    tokens: { type: 'string' },
    rate: { type: 'string' },
    latency: { type: 'string' },
    ground: { type: 'string' },
    turns: { type: 'string' },
    stored: { type: 'string' },
  },
});

const HELP = `npm run bench -- [--short] [--only ${[...Object.keys(GROUPS), 'cold'].join(',')}] [--repeat N]

Or every combination of these, values separated by commas:
  --who footnote,loop,bare     the service, a minimal post + edit loop, the openai loop without a platform
  --platform slack,discord
  --store postgres,embedded    postgres needs TEST_DATABASE_URL
  --concurrency 1,10,100       questions at once (spread over 1 s, from 101 on over 2 s, from 501 on over 4 s)
  --limits off,real            the platform's rate limits
  --budgets own,lifted         whether the service keeps to the limits it knows of, or writes as fast as it can
  --tokens 150,600,10000       length of an answer; a token has about five characters
  --rate 10,50,100             tokens a second
  --latency 0,50,150           milliseconds the platform takes for a call
  --ground channel,threads,one-channel,new-threads,replies
                               mentions in channels, in existing threads, or all in one channel without threads; on Discord
                               also each in a channel of its own, where a thread is started or replied to
  --turns 10,1000              turns already in each thread that is asked in
  --stored 10,100000           other threads the store holds`;

/** The values given by hand, or null when there are none. */
function handPicked(): Values | null {
  const list = (text: string | undefined): string[] | undefined => text?.split(',');
  const numbers = (text: string | undefined): number[] | undefined => list(text)?.map(Number);
  const picked = {
    who: list(values.who),
    platform: list(values.platform),
    store: list(values.store),
    concurrency: numbers(values.concurrency),
    limits: list(values.limits),
    budgets: list(values.budgets),
    tokens: numbers(values.tokens),
    tokensPerSecond: numbers(values.rate),
    latencyMs: numbers(values.latency),
    ground: list(values.ground),
    turns: numbers(values.turns),
    stored: numbers(values.stored),
  };
  const given = Object.entries(picked).filter(([, some]) => some !== undefined);
  // Words typed by hand: a wrong one ends the run with the error of whatever does not know it.
  return given.length === 0 ? null : Object.fromEntries(given);
}

const serverUrl = process.env['TEST_DATABASE_URL'] ?? null;

function planned(): Load[] {
  const picked = handPicked();
  const wanted = values.only?.split(',') ?? Object.keys(GROUPS);
  const chosen = picked ? [picked] : values.short ? SHORT : wanted.flatMap((name) => GROUPS[name] ?? []);
  const store = serverUrl === null ? ('embedded' as const) : ('postgres' as const);
  const loads = chosen.flatMap((some) => loadsOf({ ...some, ...(some.store ? {} : { store: [store] }) }));
  const unique = new Map(loads.map((load) => [JSON.stringify(load), load]));
  return [...unique.values()].filter(
    (load) => (load.concurrency + 1) * slotOf(load.tokens) + 1_000 < MOST_WORDS,
  );
}

async function runAll(setting: Setting): Promise<Figures[]> {
  const all: Figures[] = [];
  for (const load of planned()) {
    const runs: Figures[] = [];
    for (let i = 0; i < Number(values.repeat); i++) runs.push(await runCell(load, setting));
    const figures = middleOf(runs);
    all.push(figures);
    console.error(lineOf(figures));
  }
  return all;
}

async function coldStarts(setting: Setting): Promise<ColdStart[]> {
  if (handPicked() || values.short || (values.only && !values.only.split(',').includes('cold'))) return [];
  const starts: ColdStart[] = [];
  const stores = serverUrl === null ? (['embedded'] as const) : (['postgres', 'embedded'] as const);
  for (const platform of ['slack', 'discord'] as const) {
    for (const what of [
      { who: 'loop', platform, store: 'embedded' } as const,
      ...stores.map((store) => ({ who: 'footnote', platform, store }) as const),
    ]) {
      starts.push(await measureColdStart(what, 5, setting));
      console.error(`cold start: ${JSON.stringify(starts.at(-1))}`);
    }
  }
  return starts;
}

async function main(model: Child<ModelHandlers>): Promise<number> {
  const modelUrl = await model.ask('start', undefined);
  const templates = createTemplates(modelUrl, serverUrl);
  try {
    return await report({ serverUrl, model, modelUrl, templates });
  } finally {
    await templates.remove();
  }
}

/** Runs and prints everything; returns the exit code. */
async function report(setting: Setting): Promise<number> {
  if (serverUrl === null) console.error('TEST_DATABASE_URL is not set: the embedded store only');
  const all = await runAll(setting);
  const starts = await coldStarts(setting);
  if (all.length > 0) console.log(tableOf(all));
  if (starts.length > 0) console.log(`\n${coldTableOf(starts)}`);
  for (const figures of all) console.log(JSON.stringify({ bench: figures }));
  for (const start of starts) console.log(JSON.stringify({ coldStart: start }));
  // A baseline may lose answers under real limits; that is a figure, not a fault.
  const lost = all.filter(({ load, whole }) => load.who !== 'loop' && whole < load.concurrency);
  for (const figures of lost) console.error(`not every answer is whole: ${lineOf(figures)}`);
  return lost.length === 0 ? 0 : 1;
}

if (values.help) {
  console.log(HELP);
} else {
  const model = startChild<ModelHandlers>('model.ts');
  try {
    process.exitCode = await main(model);
  } finally {
    await model.end();
  }
}
