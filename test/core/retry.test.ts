import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Failure, type FailureDetails } from '../../src/core/failures.ts';
import { retry } from '../../src/core/retry.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const POLICY = { attempts: 4, baseMs: 2_000, capMs: 60_000, longestWaitMs: 60_000 };

/** Lets a call fail every time; resolves with when it was tried, in milliseconds, and the last error. */
async function tryInVain(details: FailureDetails, policy: Partial<typeof POLICY> = {}) {
  const times: number[] = [];
  const startedAt = performance.now();
  const result = retry({ ...POLICY, ...policy }, () => {
    times.push(performance.now() - startedAt);
    return Promise.reject(new Failure('rate-limited', 'busy', details));
  }).catch((error: unknown) => error);
  await vi.runAllTimersAsync();
  return { times, pauses: times.slice(1).map((at, n) => at - (times[n] ?? 0)), error: await result };
}

describe('retry', () => {
  test('waits at least 2, 4 and 8 s, and up to a quarter longer', async () => {
    const { pauses, error } = await tryInVain({});
    expect(error).toBeInstanceOf(Failure);
    expect(pauses).toHaveLength(3);
    for (const [n, pause] of pauses.entries()) {
      expect(pause).toBeGreaterThanOrEqual(2_000 * 2 ** n);
      expect(pause).toBeLessThanOrEqual(2_500 * 2 ** n);
    }
  });

  test('a wait that the other side asks for is no attempt; each has a limit, and so have all together', async () => {
    const { pauses } = await tryInVain({ retryAfterMs: 5_000 });
    expect(pauses).toEqual(Array.from({ length: 48 }, () => 5_000));
    expect((await tryInVain({ retryAfterMs: 61_000 })).pauses).toEqual([]);
  });

  test.each([0, 10])('a Retry-After of %d ms is backed off from like none', async (retryAfterMs) => {
    const { pauses } = await tryInVain({ retryAfterMs });
    expect(pauses).toHaveLength(3);
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(2_000);
  });

  test('no try is made before a Retry-After of less than a second', async () => {
    const { pauses } = await tryInVain({ retryAfterMs: 900 }, { baseMs: 300, capMs: 300 });
    expect(pauses).toEqual([900, 900, 900]);
  });
});
