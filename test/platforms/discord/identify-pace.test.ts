import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createIdentifyPace } from '../../../src/platforms/discord/identify-pace.ts';
import { memoryKeyValue, quietLog } from '../../core/fakes.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** How long after the one before each new session may begin, in seconds; every one is lost again at once. */
async function spacings(sessions: number): Promise<number[]> {
  const store = memoryKeyValue();
  const times: number[] = [];
  for (let session = 0; session <= sessions; session++) {
    // A new process each time: what came before is in the store.
    const pace = createIdentifyPace({ store, botId: 'B', log: quietLog });
    const allowed = pace.waitForIdentify(0, new AbortController().signal);
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    await allowed;
    const past = await store.get<[number, number][]>('identifies:B');
    times.push(past?.at(-1)?.[0] ?? Number.NaN);
    vi.setSystemTime(times.at(-1) ?? 0);
  }
  return times.slice(1).map((time, index) => Math.round((time - (times[index] ?? 0)) / 1_000));
}

test('sessions begin 5 s after each other; many lost in a row slow down, across restarts', async () => {
  const spaced = await spacings(8);
  expect(spaced.slice(0, 4)).toEqual([5, 5, 5, 5]);
  expect(spaced.slice(4)).toEqual([10, 20, 41, 82]);
});
