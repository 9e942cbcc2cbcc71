import type { IIdentifyThrottler } from 'discord.js';
import { createKeyedQueue, sleep } from '../../core/concurrency.ts';
import type { KeyValue, Log } from '../../core/ports.ts';

/** Discord takes one IDENTIFY per 5 s (and shard group). */
const SPACING_MS = 5_100;
/** Discord resets the token of a bot that begins more than 1,000 sessions in a day: some 40 an hour. */
const WINDOW_MS = 60 * 60_000;
/** A busy hour's restarts; more are a loop. With the longest wait there are at most some 35 an hour. */
const ORDINARY = 30;
const LONGEST_MS = 2 * 60_000;

/**
 * Paces new sessions, across restarts: a crash loop would use up what Discord allows in a day within two hours. Resuming costs
 * nothing and is not paced.
 */
export function createIdentifyThrottler(options: {
  readonly store: KeyValue;
  readonly botId: string;
  readonly log: Log;
}): IIdentifyThrottler {
  const { store, botId, log } = options;
  const key = `identifies:${botId}`;
  const runInOrder = createKeyedQueue();
  let lastHere = 0;
  const wait = async (shard: number, signal: AbortSignal): Promise<void> => {
    const past = (await store.get<readonly [number, number][]>(key).catch(() => undefined)) ?? [];
    const recent = past.filter(([at]) => Date.now() - at < WINDOW_MS);
    const own = recent.filter(([, other]) => other === shard).length;
    const loopMs = own < ORDINARY ? 0 : Math.min(LONGEST_MS, SPACING_MS * 2 ** (own - ORDINARY));
    // Discord answers a restart that comes too soon with an invalid session, and discord.js tries again: no start waits for that.
    const spacedAt = lastHere + SPACING_MS;
    const waitMs = Math.max(spacedAt, (recent.at(-1)?.[0] ?? 0) + loopMs) - Date.now();
    if (loopMs > 0) log.warn({ shard, waitMs: loopMs }, 'many new gateway sessions: slowing down');
    await sleep(Math.max(0, waitMs), signal);
    if (signal.aborted) throw new Error('connection closed while waiting to identify');
    lastHere = Date.now();
    await store.set(key, [...recent, [lastHere, shard]], WINDOW_MS).catch(() => {});
  };
  return { waitForIdentify: (shard, signal) => runInOrder(key, () => wait(shard, signal)) };
}
