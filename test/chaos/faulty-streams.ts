import { sleep } from '../../src/core/concurrency.ts';
import { startPerplexityServer } from '../servers/perplexity/server.ts';
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
/** How much longer than alone a question of somebody else may take. */
const LONGEST = 3;
const MOST_MEMORY_MB = 500;
/** Each asks two or three times, below the limits of one person; no channel alone could show all the answers in time. */
const CROWD = { people: 200, channels: 30 };

/**
 * 1,000 streams that go wrong, asked for within some 20 s: all end, whole or explained, within ten minutes, and others are answered
 * meanwhile. Under the platforms' real limits and the default settings.
 */
export async function faultyStreams({ isShort }: ChaosRun): Promise<Outcome[]> {
  const options = { limits: 'real', crowd: CROWD } as const;
  const sides = [await startSlackSide(options), await startDiscordSide(options)];
  const perplexity = await startPerplexityServer({ tokensPerSecond: 60, firstTokenMs: 200 });
  const connections: object = Object.assign({}, ...sides.map(({ connection }) => connection));
  const service = await startService({ ...connections, perplexity, env: UNLIMITED_MODEL });
  try {
    return [await measure(sides, service, isShort ? FAULTS.length * 4 : 1_000)];
  } finally {
    await service.kill('SIGKILL');
    await Promise.all([...sides.map((side) => side.close()), perplexity.close()]);
  }
}

interface Asked {
  readonly side: Side;
  readonly place: Place;
  readonly text: string;
}

async function measure(sides: readonly Side[], service: ServiceProcess, count: number): Promise<Outcome> {
  const others = await Promise.all(
    sides.map(async (side) => ({ side, alone: await timeAlone(side), times: [] as number[] })),
  );
  const startedAt = performance.now();
  let open = await askAll(sides, count);
  const isOver = (): boolean => open.length === 0 || performance.now() - startedAt > ALL_WITHIN_MS;
  const asking = others.map(async ({ side, times }) => {
    for (let n = 0; !isOver(); n++) {
      times.push(await timeOne(side, n % 2));
      await sleep(1_000);
    }
  });
  while (!isOver()) {
    await sleep(1_000);
    open = open.filter(({ side, place }) => !areEnded(side.posts(place), 1));
  }
  const ms = performance.now() - startedAt;
  await Promise.all(asking);
  const memory = peakMemoryMb(service);
  const faults = [
    ...open.map(({ side, text }) => `on ${side.name} "${text}" has not ended`),
    ...others.flatMap(({ side, alone, times }) =>
      times
        .filter((time) => time > LONGEST * alone)
        .map((time) => `on ${side.name} another's question took ${seconds(time)}, alone ${seconds(alone)}`),
    ),
    ...(memory > MOST_MEMORY_MB ? [`${Math.round(memory)} MB of memory`] : []),
  ];
  const told = others.map(({ side, alone, times }) => {
    const [half, most] = [seconds(median(times)), seconds(Math.max(...times))];
    return `${times.length} of others on ${side.name} in ${half}, at most ${most}, alone ${seconds(alone)}`;
  });
  const figures = [`${count} streams, all over in ${seconds(ms)}`, ...told, `${Math.round(memory)} MB`];
  return { check: 'faulty streams', figures: figures.join('; '), faults };
}

async function askAll(sides: readonly Side[], count: number): Promise<Asked[]> {
  const asked: Asked[] = [];
  for (let n = 0; n < count; n++) {
    const text = `Number ${n}, fault:${FAULTS[n % FAULTS.length]}`;
    for (const side of sides.filter((_, i) => i === n % sides.length)) {
      const round = Math.floor(n / sides.length);
      const person = FIRST_OF_CROWD + (round % CROWD.people);
      asked.push({ side, text, place: side.mention(text, person, `channel-${round % CROWD.channels}`) });
    }
    await sleep(20);
  }
  return asked;
}
