import { describe, expect, test } from 'vitest';
import {
  isCardDue,
  isEditable,
  isFresh,
  pollPauseMs,
  refusedPollPauseMs,
  retryPauseMs,
  usualTime,
} from '../../../src/core/research/timing.ts';

const alone = { firstMs: 5_000, running: 1, perMinute: 1_000 };
const MINUTE = 60_000;

describe('pauses between looks', () => {
  test('grow from 5 s to 60 s, and by up to a fifth at random', () => {
    const pauses = [1, 2, 3, 4, 5, 6, 7, 8, 1_000_000].map((n) => pollPauseMs(n, alone, 0));
    expect(pauses).toEqual([5_000, 7_500, 11_250, 16_875, 25_313, 37_969, 56_953, 60_000, 60_000]);
    expect(pollPauseMs(1, alone, 1)).toBe(6_000);
    expect(refusedPollPauseMs(alone, 0)).toBe(60_000);
    const later = { ...alone, firstMs: 20_000 };
    expect([1, 2, 3, 4].map((n) => pollPauseMs(n, later, 0))).toEqual([20_000, 30_000, 45_000, 60_000]);
  });

  test('leave each job its share of what all may do together', () => {
    for (const running of [1, 10, 200]) {
      const perMinute = (running * MINUTE) / pollPauseMs(1_000, { ...alone, running, perMinute: 40 }, 0);
      expect(perMinute).toBeLessThanOrEqual(40);
    }
    expect(pollPauseMs(1, { ...alone, running: 200, perMinute: 40 }, 0)).toBe(5 * MINUTE);
  });
});

test('a step is tried again soon, then rarely, and not before the other side wants it, within an hour', () => {
  expect([1, 2, 3, 20].map((n) => retryPauseMs(n, undefined, 1))).toEqual([2_000, 4_000, 8_000, 5 * MINUTE]);
  expect(retryPauseMs(1, undefined, 0)).toBe(1_000);
  expect(retryPauseMs(1, 90_000, 0)).toBe(90_000);
  expect(retryPauseMs(1, 1_000 * 24 * 60 * MINUTE, 0)).toBe(60 * MINUTE);
});

test('an unknown job is too new for ten minutes', () => {
  expect(isFresh(0, 9.9 * MINUTE)).toBe(true);
  expect(isFresh(0, 10 * MINUTE)).toBe(false);
});

describe('progress on a card', () => {
  const due = (age: number, since: number, editableMs = Infinity) =>
    isCardDue({ postedAt: 0, shownAt: age - since }, editableMs, age);

  test('comes every 15 s in the first two minutes, then every minute, and ends after 50', () => {
    expect([due(MINUTE, 14_999), due(MINUTE, 15_000)]).toEqual([false, true]);
    expect([due(3 * MINUTE, 59_999), due(3 * MINUTE, 60_000)]).toEqual([false, true]);
    expect([due(49 * MINUTE, MINUTE), due(50 * MINUTE, MINUTE)]).toEqual([true, false]);
  });

  test('ends earlier where the platform wants that', () => {
    expect(due(6 * MINUTE, MINUTE, 5 * MINUTE)).toBe(false);
    expect(isEditable(0, 5 * MINUTE, 4 * MINUTE)).toBe(true);
  });
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
