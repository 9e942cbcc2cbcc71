import { expect, test } from 'vitest';
import { formatDuration, formatElapsed } from '../../../src/core/answering/messages.ts';

test('a wait is rounded up, so that nobody comes back too early; what has passed is told as it was', () => {
  const times = [400, 44_600, 71_000, 359_000, 3_661_000, 7_200_000];
  expect(times.map(formatDuration)).toEqual(['1 s', '45 s', '2 min', '6 min', '2 h', '2 h']);
  expect(times.map(formatElapsed)).toEqual(['1 s', '45 s', '1 min', '6 min', '1 h 1 min', '2 h']);
});

test('no wait is told as longer than a day', () => {
  expect([1e12, Infinity, Number.NaN, -5].map(formatDuration)).toEqual(['24 h', '24 h', '1 s', '1 s']);
});
