import { sleep } from '../../src/core/concurrency.ts';
import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';
import { type ServiceProcess, startService } from '../support/service.ts';
import {
  areEnded,
  FIRST_OF_CROWD,
  type Place,
  type Side,
  startDiscordSide,
  startSlackSide,
} from '../support/sides.ts';
import { UNLIMITED_MODEL } from './flood.ts';
import type { ChaosRun, Outcome } from './run.ts';
import { median, peakMemoryMb, seconds, timeAlone, timeOne } from './timing.ts';

/** What happens to a stream, or in its place; the endless ones included. */
const FAULTS = `silence-first keepalive cut-first error-first cut clean-cut silence keepalive-middle malformed
  empty-event error-event endless-event endless-stream odd crlf comments split length
  content-filter failed reset silence-headers endless-html endless-json endless-error html json`.split(/\s+/);
const ALL_WITHIN_MS = 10 * 60_000;
/** How much longer than alone half of the others' questions may take. */
const LONGEST = 3;
/** In milliseconds. So soon each of them is asked of the model, whatever the slots are doing. */
const ASKED_WITHIN_MS = 5_000;
/** In milliseconds. So soon each of them is answered. */
const ANSWERED_WITHIN_MS = 30_000;
const MOST_MEMORY_MB = 600;
/**
 * In milliseconds. Slack takes 300 messages a minute in a workspace: were more asked for, everybody's answers would wait for those,
 * and nothing else could be seen.
 */
const ASKED_OVER_MS = 120_000;
/** Each asks two or three times, below the limits of one person; no channel alone could show all the answers in time. */
const CROWD = { people: 200, channels: 30 };

/**
 * 1,000 streams that go wrong, asked for within two minutes: all end, whole or explained, within ten, and others are answered
 * meanwhile. Under the platforms' real limits and the default settings.
 */
export async function faultyStreams({ isShort }: ChaosRun): Promise<Outcome[]> {
  const options = { limits: 'real', crowd: CROWD } as const;
  const sides = [await startSlackSide(options), await startDiscordSide(options)];
  const perplexity = await startPerplexityServer({ tokensPerSecond: 60, firstTokenMs: 200 });
  const connections: object = Object.assign({}, ...sides.map(({ connection }) => connection));
  const service = await startService({ ...connections, perplexity, env: UNLIMITED_MODEL });
  try {
    return [await measure({ sides, service, perplexity }, isShort ? FAULTS.length * 4 : 1_000)];
  } finally {
    await service.kill('SIGKILL');
    await Promise.all([...sides.map((side) => side.close()), perplexity.close()]);
  }
}

interface Scene {
  readonly sides: readonly Side[];
  readonly service: ServiceProcess;
  readonly perplexity: PerplexityServer;
}

interface Asked {
  readonly side: Side;
  readonly place: Place;
  readonly text: string;
}

/** Somebody else's questions, one after the other; times in milliseconds. */
interface Other {
  readonly side: Side;
  readonly alone: number;
  readonly asked: number[];
  readonly answered: number[];
}

async function measure({ sides, service, perplexity }: Scene, count: number): Promise<Outcome> {
  const others = await Promise.all(
    sides.map(async (side) => ({ side, alone: await timeAlone(side), asked: [], answered: [] })),
  );
  const startedAt = performance.now();
  let open: readonly Asked[] | null = null;
  const isOver = (): boolean => open?.length === 0 || performance.now() - startedAt > ALL_WITHIN_MS;
  const asking = others.map(async (other) => {
    for (let n = 0; !isOver(); n++) {
      await askOther(other, n, perplexity);
      await sleep(1_000);
    }
  });
  open = await askAll(sides, count);
  while (!isOver()) {
    await sleep(1_000);
    open = open.filter(({ side, place }) => !areEnded(side.posts(place), 1));
  }
  const ms = performance.now() - startedAt;
  await Promise.all(asking);
  const memory = peakMemoryMb(service);
  const faults = [
    ...open.map(({ side, text }) => `on ${side.name} "${text}" has not ended`),
    ...others.flatMap(faultsOf),
    ...(memory > MOST_MEMORY_MB ? [`${Math.round(memory)} MB of memory`] : []),
  ];
  const figures = [`${count} streams, all over in ${seconds(ms)}`, ...others.map(describe)];
  return { check: 'faulty streams', figures: [...figures, `${Math.round(memory)} MB`].join('; '), faults };
}

async function askOther(other: Other, n: number, perplexity: PerplexityServer): Promise<void> {
  const text = `How high is tower ${n} on ${other.side.name}?`;
  const from = Date.now();
  other.answered.push(await timeOne(other.side, n % 2, text));
  const request = perplexity.requests.findLast(({ body }) => JSON.stringify(body).includes(text));
  other.asked.push((request?.at ?? Number.POSITIVE_INFINITY) - from);
}

function faultsOf({ side, alone, asked, answered }: Other): string[] {
  const [half, last, longest] = [median(answered), Math.max(...asked), Math.max(...answered)];
  return [
    ...(half > LONGEST * alone
      ? [`half of others' questions on ${side.name} took ${seconds(half)} and more`]
      : []),
    ...(last > ASKED_WITHIN_MS
      ? [`another's question on ${side.name} was asked after ${seconds(last)}`]
      : []),
    ...(longest > ANSWERED_WITHIN_MS ? [`another's question on ${side.name} took ${seconds(longest)}`] : []),
  ];
}

function describe({ side, alone, asked, answered }: Other): string {
  const half = `half in ${seconds(median(answered))} (alone ${seconds(alone)})`;
  const most = `the last in ${seconds(Math.max(...answered))}, asked of the model within ${seconds(Math.max(...asked))}`;
  return `${answered.length} of others on ${side.name}: ${half}, ${most}`;
}

async function askAll(sides: readonly Side[], count: number): Promise<Asked[]> {
  const asked: Asked[] = [];
  const startedAt = performance.now();
  for (let n = 0; n < count; n++) {
    const text = `Number ${n}, fault:${FAULTS[n % FAULTS.length]}`;
    for (const side of sides.filter((_, i) => i === n % sides.length)) {
      const round = Math.floor(n / sides.length);
      const person = FIRST_OF_CROWD + (round % CROWD.people);
      asked.push({ side, text, place: side.mention(text, person, `channel-${round % CROWD.channels}`) });
    }
    await sleep(Math.max(0, startedAt + ((n + 1) * ASKED_OVER_MS) / 1_000 - performance.now()));
  }
  return asked;
}
