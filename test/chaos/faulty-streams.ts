import { sleep } from '../../src/core/concurrency.ts';
import { startPerplexityServer } from '../servers/perplexity/server.ts';
import { NO_PERSONAL_LIMITS, startService } from '../support/service.ts';
import { areEnded, type Place, type Side, startDiscordSide, startSlackSide } from '../support/sides.ts';
import { peakMemoryMb, timeOne, UNLIMITED_MODEL } from './flood.ts';
import type { ChaosRun, Outcome } from './run.ts';

/** What happens to a stream, or in its place; the endless ones included. */
const FAULTS = `silence-first keepalive cut-first error-first cut clean-cut silence keepalive-middle malformed
  empty-event error-event endless-event endless-stream odd crlf comments split length
  content-filter failed reset silence-headers endless-html endless-json endless-error html json`.split(/\s+/);
const ALL_WITHIN_MS = 10 * 60_000;
const OTHERS_WITHIN_MS = 30_000;
const MOST_MEMORY_MB = 500;

/** 1,000 streams that go wrong: all end, whole or explained, within ten minutes, and others are answered meanwhile. */
export async function faultyStreams({ isShort }: ChaosRun): Promise<Outcome[]> {
  const sides = [await startSlackSide(), await startDiscordSide()];
  const perplexity = await startPerplexityServer({ tokensPerSecond: 60, firstTokenMs: 200 });
  const connections: object = Object.assign({}, ...sides.map(({ connection }) => connection));
  // A few people stand for many here.
  const env = { ...UNLIMITED_MODEL, ...NO_PERSONAL_LIMITS };
  const service = await startService({ ...connections, perplexity, env });
  try {
    const startedAt = performance.now();
    const asked: { readonly side: Side; readonly place: Place; readonly text: string }[] = [];
    const count = isShort ? FAULTS.length * 4 : 1_000;
    for (let n = 0; n < count; n++) {
      const text = `Number ${n}, fault:${FAULTS[n % FAULTS.length]}`;
      for (const side of sides.filter((_, i) => i === n % 2))
        asked.push({ side, place: side.mention(text, 0), text });
      await sleep(20);
    }
    const times: number[] = [];
    let open = asked;
    while (open.length > 0 && performance.now() - startedAt < ALL_WITHIN_MS) {
      for (const side of sides) if (times.length < 10) times.push(await timeOne(side, 1));
      await sleep(1_000);
      open = open.filter(({ side, place }) => !areEnded(side.posts(place), 1));
    }
    const slowest = Math.max(...times);
    const memory = peakMemoryMb(service);
    const faults = [
      ...open.map(({ side, text }) => `on ${side.name} "${text}" has not ended`),
      ...(slowest > OTHERS_WITHIN_MS ? [`another's question took ${Math.round(slowest)} ms`] : []),
      ...(memory > MOST_MEMORY_MB ? [`${Math.round(memory)} MB of memory`] : []),
    ];
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    const others = `others in ${(slowest / 1000).toFixed(1)} s at most`;
    const figures = `${count} streams, all over in ${seconds} s; ${others}; ${Math.round(memory)} MB`;
    return [{ check: 'faulty streams', figures, faults }];
  } finally {
    await service.kill('SIGKILL');
    await Promise.all([...sides.map((side) => side.close()), perplexity.close()]);
  }
}
