import type { IIdentifyThrottler } from '@discordjs/ws';
import { sleep } from '../../core/concurrency.ts';
import type { KeyValue, Log } from '../../core/ports.ts';

/** Discord takes one IDENTIFY per 5 s (and shard group). */
const SPACING_MS = 5_100;
const WINDOW_MS = 10 * 60_000;
/** So many in a window are an ordinary day's restarts; more are a loop. */
const ORDINARY = 4;
const LONGEST_MS = 2 * 60_000;

/**
 * Paces new sessions, across restarts: Discord resets a bot's token after 1,000 in a day, which a crash loop reaches within
 * hours. Resuming costs nothing and is not paced.
 */
export function createIdentifyPace(options: {
  readonly store: KeyValue;
  readonly botId: string;
  readonly log: Log;
}): IIdentifyThrottler {
  const { store, botId, log } = options;
  const key = `identifies:${botId}`;
  let turn: Promise<void> = Promise.resolve();
  const wait = async (shard: number, signal: AbortSignal): Promise<void> => {
    const past = (await store.get<readonly [number, number][]>(key).catch(() => undefined)) ?? [];
    const recent = past.filter(([at]) => Date.now() - at < WINDOW_MS);
    const own = recent.filter(([, other]) => other === shard).length;
    const loopMs = own < ORDINARY ? 0 : Math.min(LONGEST_MS, SPACING_MS * 2 ** (own - ORDINARY));
    const last = recent.at(-1)?.[0] ?? 0;
    const waitMs = Math.max(SPACING_MS, loopMs) - (Date.now() - last);
    if (loopMs > 0) log.warn({ shard, waitMs: loopMs }, 'many new gateway sessions: slowing down');
    await sleep(Math.max(0, waitMs), signal);
    if (signal.aborted) throw new Error('connection closed while waiting to identify');
    await store.set(key, [...recent, [Date.now(), shard]], WINDOW_MS).catch(() => {});
  };
  return {
    waitForIdentify(shard, signal) {
      const mine = turn.then(() => wait(shard, signal));
      turn = mine.catch(() => {});
      return mine;
    },
  };
}
