import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createIdentifyThrottler } from '../../../src/platforms/discord/identify-throttler.ts';
import { memoryKeyValue, quietLog } from '../../core/fakes.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** When each new session may begin, in seconds; every one is lost again at once. A new process knows the others from the store. */
async function begin(sessions: number, isRestarted = true): Promise<number[]> {
  const store = memoryKeyValue();
  const start = () => createIdentifyThrottler({ store, botId: 'B', log: quietLog });
  const times: number[] = [];
  let throttler = start();
  for (let session = 0; session < sessions; session++) {
    if (isRestarted) throttler = start();
    const allowed = throttler.waitForIdentify(0, new AbortController().signal);
    void allowed.then(() => times.push(Date.now() / 1_000));
    // Not all timers: a client that another file of this worker left behind would set new ones for ever.
    while (times.length === session) await vi.advanceTimersToNextTimerAsync();
  }
  return times;
}

function gaps(times: readonly number[]): number[] {
  return times.slice(1).map((time, index) => Math.round(time - (times[index] ?? 0)));
}

test('sessions of one process begin 5 s after each other', async () => {
  expect(gaps(await begin(4, false))).toEqual([5, 5, 5]);
});

test('a restart does not wait, but many sessions lost in a row slow down', async () => {
  const spaced = gaps(await begin(38));
  expect(spaced.slice(0, 29)).toEqual(Array.from({ length: 29 }, () => 0));
  expect(spaced[29]).toBe(5);
  expect(spaced.slice(30)).toEqual([10, 20, 41, 82, 120, 120, 120]);
});

test('a loop of a whole day stays below the 1,000 sessions that Discord allows', async () => {
  const times = await begin(990);
  expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(24 * 3_600);
});
