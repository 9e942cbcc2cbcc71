import { sleep } from '../../src/core/concurrency.ts';
import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';
import { type ServiceProcess, startService } from '../support/service.ts';
import {
  type DiscordSide,
  type Side,
  type SlackSide,
  startDiscordSide,
  startSlackSide,
} from '../support/sides.ts';
import { withDatabase } from './database.ts';
import type { ChaosRun, Outcome } from './run.ts';
import { eventually, peakMemoryMb, seconds, timeAlone, timeOne } from './timing.ts';

/** How much longer than alone a question of somebody else may take. */
const LONGEST = 3;
const MOST_MEMORY_MB = 400;
/**
 * The limits of the model's API are lifted: a new key has 50 requests a minute, and everybody would wait for those. How they are
 * shared is what `model-rate` is about.
 */
export const UNLIMITED_MODEL = { PERPLEXITY_REQUESTS_PER_SECOND: '0', PERPLEXITY_REQUESTS_PER_MINUTE: '0' };

/** One person asks all the time; the questions of others, on both platforms, are timed. */
interface Flood {
  readonly on: 'slack' | 'discord';
  readonly replicas: number;
  readonly databaseUrl: string | null;
  readonly mentions: number;
  readonly overMs: number;
}

/**
 * 300 mentions by one person within a second, and 2,000 within a minute, under the platforms' real limits: others are answered
 * in at most three times their time alone, what is over the limit is not billed, the flooder is told once, and memory stays
 * bounded.
 */
export async function flood({ isShort, databaseUrl }: ChaosRun): Promise<Outcome[]> {
  const size = isShort ? { mentions: 300, overMs: 10_000 } : { mentions: 2_000, overMs: 60_000 };
  const outcomes: Outcome[] = [];
  for (const on of ['slack', 'discord'] as const) {
    outcomes.push(await floodOne({ on, replicas: 1, databaseUrl: null, mentions: 300, overMs: 1_000 }));
    outcomes.push(await floodOne({ on, replicas: 1, databaseUrl: null, ...size }));
    for (const replicas of databaseUrl ? (isShort ? [2] : [1, 2]) : []) {
      const run = (url: string) => floodOne({ on, replicas, databaseUrl: url, ...size });
      outcomes.push(await withDatabase(databaseUrl ?? '', run));
    }
  }
  return outcomes;
}

async function floodOne(plan: Flood): Promise<Outcome> {
  const slack = await startSlackSide({ limits: 'real' });
  const discord = await startDiscordSide({ limits: 'real' });
  const perplexity = await startPerplexityServer({ tokensPerSecond: 60, firstTokenMs: 200 });
  const { databaseUrl } = plan;
  const store = databaseUrl ? { databaseUrl } : {};
  const options = { ...slack.connection, ...discord.connection, ...store, perplexity, env: UNLIMITED_MODEL };
  const services = await Promise.all(Array.from({ length: plan.replicas }, () => startService(options)));
  try {
    return await measure(plan, { slack, discord, perplexity, services });
  } finally {
    await Promise.all(services.map((service) => service.kill('SIGKILL')));
    await Promise.all([slack.close(), discord.close(), perplexity.close()]);
  }
}

interface Scene {
  readonly slack: SlackSide;
  readonly discord: DiscordSide;
  readonly perplexity: PerplexityServer;
  readonly services: readonly ServiceProcess[];
}

async function measure(plan: Flood, scene: Scene): Promise<Outcome> {
  const { slack, discord, perplexity, services } = scene;
  const flooded = plan.on === 'slack' ? slack : discord;
  const alone = { slack: await timeAlone(slack), discord: await timeAlone(discord) };
  const before = perplexity.requests.length;
  const flooding = ask(flooded, plan);
  // When the first answers are under way and questions wait.
  await sleep(plan.overMs / 10);
  const times: { readonly side: Side; readonly ms: number }[] = [];
  for (let n = 0; n < 5; n++) {
    const asked = [slack, discord].map(async (side) => ({ side, ms: await timeOne(side, 1 + (n % 2)) }));
    times.push(...(await Promise.all(asked)));
  }
  await flooding;
  const isIdle = (): boolean => perplexity.requests.every(({ state }) => state !== 'open');
  await eventually(
    async () => isIdle() && (await sum(services, 'answers', '')) >= (await accepted(services)),
  );
  const [taken, refused] = [await accepted(services), await sum(services, 'messages', 'over-limit')];
  const asked = perplexity.requests.length;
  const told = countTold(scene, plan.on);
  const memory = services.map(peakMemoryMb);
  const factors = times.map(({ side, ms }) => ms / alone[side.name]);
  const faults = [
    ...times.filter(({ side, ms }) => ms > LONGEST * alone[side.name]).map((time) => tooLate(time, alone)),
    ...(asked === taken ? [] : [`${asked} model requests for ${taken} accepted questions`]),
    ...(refused > 0 && told !== 1 ? [`the flooder was told ${told} times`] : []),
    ...memory.filter((mb) => mb > MOST_MEMORY_MB).map((mb) => `${Math.round(mb)} MB of memory`),
  ];
  const figures = [
    `alone ${seconds(alone.slack)} and ${seconds(alone.discord)}`,
    `others at most ${Math.max(...factors).toFixed(2)} times that`,
    `${asked - before - times.length} of the flooder's answered, ${refused} refused, told ${told} times`,
    `${Math.round(Math.max(...memory))} MB`,
  ].join('; ');
  const where = `${plan.databaseUrl ? 'Postgres' : 'embedded'}, ${plan.replicas} process(es)`;
  return { check: `flood of ${plan.mentions} on ${plan.on}, ${where}`, figures, faults };
}

async function ask(side: Side, { mentions, overMs }: Flood): Promise<void> {
  const startedAt = performance.now();
  for (let n = 0; n < mentions; n++) {
    side.mention(`flood ${n} of many`, 0);
    await sleep(Math.max(0, startedAt + ((n + 1) * overMs) / mentions - performance.now()));
  }
}

function tooLate({ side, ms }: { side: Side; ms: number }, alone: Readonly<Record<string, number>>): string {
  return `on ${side.name} somebody else's question took ${seconds(ms)}, alone ${seconds(alone[side.name] ?? 0)}`;
}

async function accepted(services: readonly ServiceProcess[]): Promise<number> {
  return sum(services, 'messages', 'accepted');
}

/** The sum of a counter over all processes, of one result where it is given. */
async function sum(services: readonly ServiceProcess[], counter: string, result: string): Promise<number> {
  let total = 0;
  for (const { port } of services) {
    const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const lines = page.split('\n').filter((line) => line.startsWith(`footnote_${counter}_total{`));
    for (const line of lines)
      if (result === '' || line.includes(`result="${result}"`)) total += Number(line.split(' ').at(-1));
  }
  return total;
}

/** How often the flooder reads that too many wait. */
function countTold({ slack, discord }: Scene, on: Flood['on']): number {
  const isIt = (text: string): boolean => text.includes('questions waiting here');
  if (on === 'slack') return slack.shownAlone(0).filter(isIt).length;
  return discord.server.history('general').filter(({ content }) => isIt(content)).length;
}
