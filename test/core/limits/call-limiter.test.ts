import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CallLimiter, gapMs, type Priority } from '../../../src/core/limits/call-limiter.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const LIMIT = { limit: 3, windowMs: 1_000 };

describe('a budget', () => {
  test('allows its limit in any window and never more', async () => {
    const budget = new CallLimiter(LIMIT, () => Date.now());
    const taken: number[] = [];
    for (let i = 0; i < 9; i++) void budget.acquire('progress').then(() => taken.push(Date.now()));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(taken).toHaveLength(9);
    for (let i = 3; i < taken.length; i++) expect(taken[i]! - taken[i - 3]!).toBeGreaterThanOrEqual(1_000);
  });

  test('keeps reserved calls from progress and gives them to finals', () => {
    const budget = new CallLimiter(LIMIT, () => Date.now());
    expect([budget.reserve(), budget.reserve(), budget.reserve(), budget.reserve()]).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(budget.tryAcquire('progress')).toBe(false);
    expect(budget.tryAcquire('final')).toBe(true);
    budget.release();
    expect(budget.tryAcquire('progress')).toBe(true);
  });

  test('serves finals before progress that waited longer', async () => {
    const budget = new CallLimiter({ limit: 1, windowMs: 1_000 }, () => Date.now());
    const order: string[] = [];
    budget.tryAcquire('final');
    void budget.acquire('progress').then(() => order.push('progress'));
    void budget.acquire('final').then(() => order.push('final'));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(order).toEqual(['final', 'progress']);
  });

  test('first and last words of others go before those of an owner who has had much of it', async () => {
    const budget = new CallLimiter({ limit: 10, windowMs: 1_000 }, () => Date.now());
    const order: string[] = [];
    const ask = (priority: Priority, owner: string): void =>
      void budget
        .acquire(priority, undefined, undefined, owner)
        .then(() => order.push(`${owner} ${priority}`));
    for (let n = 0; n < 30; n++) ask('final', 'ann');
    await vi.advanceTimersByTimeAsync(0);
    expect(order).toHaveLength(10);
    ask('first', 'bob');
    ask('final', 'cid');
    ask('progress', 'dan');
    await vi.advanceTimersByTimeAsync(1_500);
    expect(order.slice(10, 13)).toEqual(['cid final', 'bob first', 'ann final']);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(order.at(-1)).toBe('dan progress');
    expect(order).toHaveLength(33);
  });

  test('nothing is taken before a Retry-After has passed', async () => {
    const budget = new CallLimiter(LIMIT, () => Date.now());
    budget.blockFor(5_000);
    let takenAt = 0;
    const start = Date.now();
    void budget.acquire('final').then(() => (takenAt = Date.now()));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(takenAt - start).toBeGreaterThanOrEqual(5_000);
  });

  test('an aborted wait takes nothing', async () => {
    const budget = new CallLimiter({ limit: 1, windowMs: 1_000 }, () => Date.now());
    budget.tryAcquire('progress');
    const controller = new AbortController();
    const waiting = budget.acquire('progress', controller.signal);
    controller.abort();
    await waiting;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(budget.tryAcquire('progress')).toBe(true);
  });
});

describe('a budget whose calls are settled', () => {
  /** Makes calls that take between `least` and `most` ms, arriving at any moment of that; returns when they arrived. */
  async function arrivals(count: number, least: number, most: number): Promise<number[]> {
    const budget = new CallLimiter({ limit: 10, windowMs: 1_000, isSettled: true }, () => Date.now());
    let seed = 1;
    const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    const arrived: number[] = [];
    const call = async (): Promise<void> => {
      await budget.acquire('progress');
      const takesMs = least + random() * (most - least);
      const onTheWayMs = takesMs * random();
      setTimeout(() => void arrived.push(Date.now()), onTheWayMs);
      setTimeout(() => budget.settle(), takesMs);
    };
    await Promise.all([
      ...Array.from({ length: count }, call),
      vi.advanceTimersByTimeAsync((count / 10) * (1_000 + most) + 2_000),
    ]);
    return arrived.sort((a, b) => a - b);
  }

  test('never lets more than its limit arrive in a window, however long the way is', async () => {
    const arrived = await arrivals(200, 5, 900);
    expect(arrived).toHaveLength(200);
    for (let i = 10; i < arrived.length; i++)
      expect(arrived[i]! - arrived[i - 10]!).toBeGreaterThanOrEqual(1_000);
  });

  test('wastes no more of a window than its calls take', async () => {
    const arrived = await arrivals(200, 40, 60);
    expect(arrived.at(-1)! - arrived[0]!).toBeLessThan(19 * 1_070);
  });

  test('forgets a call that nobody settled', async () => {
    const budget = new CallLimiter({ limit: 1, windowMs: 1_000, isSettled: true }, () => Date.now());
    expect(budget.tryAcquire('final')).toBe(true);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(budget.tryAcquire('final')).toBe(false);
    await vi.advanceTimersByTimeAsync(11_000);
    expect(budget.tryAcquire('final')).toBe(true);
  });
});

describe('a budget that is used up by progress', () => {
  function crowded(limit: { limit: number; windowMs: number; evenFrom?: number }) {
    const budget = new CallLimiter(limit, () => Date.now());
    // Each of more writers than there are calls takes the next one as soon as it had one.
    const write = async (): Promise<void> => {
      for (;;) await budget.acquire('progress');
    };
    for (let i = 0; i < 30; i++) void write();
    return budget;
  }

  async function waitedMs(budget: ReturnType<typeof crowded>, priority: 'final' | 'later'): Promise<number> {
    const from = Date.now();
    let took = Number.POSITIVE_INFINITY;
    void budget.acquire(priority).then(() => (took = Date.now() - from));
    await vi.advanceTimersByTimeAsync(15_000);
    return took;
  }

  test('has a call for the end of an answer at every moment', async () => {
    for (const atMs of [1_500, 1_850, 2_300, 2_900, 3_333]) {
      const budget = crowded({ limit: 20, windowMs: 1_000, evenFrom: 5 });
      await vi.advanceTimersByTimeAsync(atMs);
      expect(await waitedMs(budget, 'final')).toBeLessThan(120);
    }
  });

  test('spreads it, but not at the cost of calls', async () => {
    const budget = new CallLimiter({ limit: 20, windowMs: 1_000, evenFrom: 5 }, () => Date.now());
    const taken: number[] = [];
    for (let i = 0; i < 200; i++) void budget.acquire('progress').then(() => taken.push(Date.now()));
    await vi.advanceTimersByTimeAsync(20_000);
    expect(taken).toHaveLength(200);
    expect(taken.at(-1)! - taken[0]!).toBeLessThan(10 * 1_300);
    for (let i = 21; i < taken.length; i++) expect(taken[i]! - taken[i - 1]!).toBeLessThan(150);
  });

  test('leaves what can wait for later, but not forever', async () => {
    const budget = crowded({ limit: 3, windowMs: 1_000 });
    const took = await waitedMs(budget, 'later');
    expect(took).toBeGreaterThan(9_000);
    expect(took).toBeLessThan(12_000);
  });
});

describe('calls that wait', () => {
  test('go by priority, and within one by when the answer they are for began to need them', async () => {
    const limiter = new CallLimiter({ limit: 1, windowMs: 1_000 }, () => Date.now());
    limiter.tryAcquire('progress');
    const taken: string[] = [];
    const startedAt = Date.now();
    const wait = (name: string, priority: Priority, since: number): void =>
      void limiter.acquire(priority, undefined, startedAt + since).then(() => taken.push(name));
    wait('links', 'later', 0);
    wait('more words', 'progress', 0);
    wait('first words', 'first', 0);
    wait('end of B', 'final', 2);
    wait('end of A', 'final', 1);
    wait('end of C', 'final', 3);
    wait('second part of A', 'final', 1);
    await vi.advanceTimersByTimeAsync(10_000);
    const ends = ['end of A', 'second part of A', 'end of B', 'end of C'];
    expect(taken).toEqual([...ends, 'first words', 'more words', 'links']);
  });

  test('leave to the end and the first words of answers what is theirs alone', () => {
    const limiter = new CallLimiter({ limit: 3, windowMs: 1_000, urgentOnly: 2 }, () => Date.now());
    expect(limiter.tryAcquire('progress')).toBe(true);
    expect(limiter.tryAcquire('progress')).toBe(false);
    expect(limiter.tryAcquire('later')).toBe(false);
    expect(limiter.tryAcquire('first')).toBe(true);
    expect(limiter.tryAcquire('final')).toBe(true);
    expect(limiter.tryAcquire('final')).toBe(false);
  });

  test.each([true, false])('one given back is free at once (settled: %s)', (isSettled) => {
    const limiter = new CallLimiter({ limit: 1, windowMs: 1_000, isSettled }, () => Date.now());
    expect(limiter.tryAcquire('final')).toBe(true);
    expect(limiter.tryAcquire('final')).toBe(false);
    limiter.cancel();
    expect(limiter.tryAcquire('final')).toBe(true);
  });

  test('are spread over what is not reserved', async () => {
    const limiter = new CallLimiter({ limit: 5, windowMs: 5_000, evenFrom: 0 }, () => Date.now());
    limiter.reserve();
    const taken: number[] = [];
    const startedAt = Date.now();
    const write = async (): Promise<void> => {
      for (;;) {
        await limiter.acquire('progress');
        taken.push(Date.now() - startedAt);
      }
    };
    void write();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(taken[0]).toBe(0);
    for (const [i, at] of taken.entries()) expect(at - (taken[i - 1] ?? -1_400)).toBeGreaterThan(1_200);
    for (const [i, at] of taken.entries()) expect(at - (taken[i - 1] ?? 0)).toBeLessThan(1_500);
  });
});

test('the pause between writes widens with the number of answers and the load', () => {
  const limit = { limit: 100, windowMs: 60_000 };
  expect(gapMs(limit, 1, 0, 500)).toBe(500);
  expect(gapMs(limit, 30, 0.1, 500)).toBe(5_400);
  expect(gapMs(limit, 30, 0.9, 500)).toBe(19_800);
});
