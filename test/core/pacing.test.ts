import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createBudget, gapMs } from '../../src/core/pacing.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const LIMIT = { limit: 3, windowMs: 1_000 };

describe('a budget', () => {
  test('allows its limit in any window and never more', async () => {
    const budget = createBudget(LIMIT, () => Date.now());
    const taken: number[] = [];
    for (let i = 0; i < 9; i++) void budget.take('progress').then(() => taken.push(Date.now()));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(taken).toHaveLength(9);
    for (let i = 3; i < taken.length; i++) expect(taken[i]! - taken[i - 3]!).toBeGreaterThanOrEqual(1_000);
  });

  test('keeps reserved calls from progress and gives them to finals', () => {
    const budget = createBudget(LIMIT, () => Date.now());
    expect([budget.reserve(), budget.reserve(), budget.reserve(), budget.reserve()]).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(budget.tryTake('progress')).toBe(false);
    expect(budget.tryTake('final')).toBe(true);
    budget.release();
    expect(budget.tryTake('progress')).toBe(true);
  });

  test('serves finals before progress that waited longer', async () => {
    const budget = createBudget({ limit: 1, windowMs: 1_000 }, () => Date.now());
    const order: string[] = [];
    budget.tryTake('final');
    void budget.take('progress').then(() => order.push('progress'));
    void budget.take('final').then(() => order.push('final'));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(order).toEqual(['final', 'progress']);
  });

  test('nothing is taken before a Retry-After has passed', async () => {
    const budget = createBudget(LIMIT, () => Date.now());
    budget.blockFor(5_000);
    let takenAt = 0;
    const start = Date.now();
    void budget.take('final').then(() => (takenAt = Date.now()));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(takenAt - start).toBeGreaterThanOrEqual(5_000);
  });

  test('an aborted wait takes nothing', async () => {
    const budget = createBudget({ limit: 1, windowMs: 1_000 }, () => Date.now());
    budget.tryTake('progress');
    const controller = new AbortController();
    const waiting = budget.take('progress', controller.signal);
    controller.abort();
    await waiting;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(budget.tryTake('progress')).toBe(true);
  });
});

test('the pause between writes widens with the number of answers and the load', () => {
  const limit = { limit: 100, windowMs: 60_000 };
  expect(gapMs(limit, 1, 0, 500)).toBe(500);
  expect(gapMs(limit, 30, 0.1, 500)).toBe(5_400);
  expect(gapMs(limit, 30, 0.9, 500)).toBe(19_800);
});
