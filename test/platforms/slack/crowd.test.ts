import { expect, test } from 'vitest';
import { leastGapMs } from '../../../src/platforms/slack/reply.ts';

test('the more answers grow, the less often each of them is written', () => {
  expect([1, 50, 100, 200, 1_000].map((active) => leastGapMs('stream', active))).toEqual([
    700, 700, 1_000, 2_000, 2_000,
  ]);
  expect([1, 100, 150].map((active) => leastGapMs('edit', active))).toEqual([1_200, 1_200, 1_500]);
});
