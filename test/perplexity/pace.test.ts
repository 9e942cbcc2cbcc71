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
  expect([11, 100, 1_000].map(restAt)).toEqual([25, 100, 200]);
  expect(restAt(3)).toBe(0);
});

test('rests that end at about the same time end together', async () => {
  let now = 1_000;
  const pace = createPace(() => now);
  for (let stream = 0; stream < 20; stream++) pace.begin();
  const first = pace.rest();
  now = 1_010;
  expect(pace.rest()).toBe(first);
  now = 1_020;
  expect(pace.rest()).not.toBe(first);
  await first;
  now = 1_000;
  expect(pace.rest()).not.toBe(first);
});

test('a stream that ends twice counts once', () => {
  const pace = createPace();
  const ends = Array.from({ length: 12 }, () => pace.begin());
  ends[0]?.();
  ends[0]?.();
  expect(pace.restMs()).toBe(25);
});
