import { expect, test } from 'vitest';
import { createPace } from '../../src/perplexity/pace.ts';

test('a few streams are read token by token, many rest between their reads, and no rest is long', () => {
  const pace = createPace();
  const ends: (() => void)[] = [];
  const restAt = (streams: number): number => {
    while (ends.length < streams) ends.push(pace.begin());
    while (ends.length > streams) ends.pop()?.();
    return pace.restMs();
  };
  expect([1, 10].map(restAt)).toEqual([0, 0]);
  expect([11, 100, 1_000].map(restAt)).toEqual([25, 50, 100]);
  expect(restAt(3)).toBe(0);
});

test('a stream that ends twice counts once', () => {
  const pace = createPace();
  const ends = Array.from({ length: 12 }, () => pace.begin());
  ends[0]?.();
  ends[0]?.();
  expect(pace.restMs()).toBe(25);
});
