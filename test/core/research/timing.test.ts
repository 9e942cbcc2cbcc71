import { describe, expect, test } from 'vitest';
import { pollPauseMs, retryPauseMs, usualTime } from '../../../src/core/research/timing.ts';

const MINUTE = 60_000;

test('pauses between looks grow from 5 s to 60 s, and by up to a fifth at random', () => {
  const pauses = [1, 2, 3, 4, 5, 6, 7, 8, 1_000_000].map((n) => pollPauseMs(n, 5_000, 0));
  expect(pauses).toEqual([5_000, 7_500, 11_250, 16_875, 25_313, 37_969, 56_953, 60_000, 60_000]);
  expect(pollPauseMs(1, 5_000, 1)).toBe(6_000);
  expect([1, 2, 3, 4].map((n) => pollPauseMs(n, 20_000, 0))).toEqual([20_000, 30_000, 45_000, 60_000]);
});

test('a step is tried again soon, then rarely, and not before the other side wants it, within an hour', () => {
  expect([1, 2, 3, 20].map((n) => retryPauseMs(n, undefined, 1))).toEqual([2_000, 4_000, 8_000, 5 * MINUTE]);
  expect(retryPauseMs(1, undefined, 0)).toBe(1_000);
  expect(retryPauseMs(1, 90_000, 0)).toBe(90_000);
  expect(retryPauseMs(1, 1_000 * 24 * 60 * MINUTE, 0)).toBe(60 * MINUTE);
});

describe('the usual time', () => {
  test('is not known before a few jobs have finished', () => {
    expect(usualTime([])).toBe('a few minutes');
    expect(usualTime([MINUTE, 2 * MINUTE])).toBe('a few minutes');
  });

  test('is the middle half of what was seen', () => {
    const minutes = [1, 3, 4, 5, 8, 90].map((n) => n * MINUTE);
    expect(usualTime(minutes)).toBe('usually 3–8 min');
    expect(usualTime([20_000, 20_000, 20_000])).toBe('usually 1 min');
  });
});
