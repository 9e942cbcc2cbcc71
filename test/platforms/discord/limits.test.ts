import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createRateLimits, editIn, postIn } from '../../../src/platforms/discord/limits.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const CHANNEL = '100000000000000001';
const EDIT = { method: 'PATCH', route: `/channels/${CHANNEL}/messages/100000000000000002` };

test('a call counts in its bucket for a window after it was answered', async () => {
  const limits = createRateLimits();
  const { edits, posts } = limits.ofChannel(CHANNEL);
  expect(limits.tryAcquire(EDIT, 'final')).toBe(true);
  await vi.advanceTimersByTimeAsync(9_000);
  expect(edits.free()).toBe(4);
  limits.settle(EDIT);
  await vi.advanceTimersByTimeAsync(4_900);
  expect([edits.free(), posts.free(), limits.all.free()]).toEqual([4, 5, 49]);
  await vi.advanceTimersByTimeAsync(200);
  expect(edits.free()).toBe(5);
});

test('a call that cannot be had in one of its limits costs nothing', async () => {
  const limits = createRateLimits();
  const { posts } = limits.ofChannel(CHANNEL);
  limits.blockFor('all', 1_000);
  expect(limits.tryAcquire(postIn(CHANNEL), 'final')).toBe(false);
  const stopped = AbortSignal.timeout(500);
  const waiting = limits.acquire(postIn(CHANNEL), { priority: 'final', signal: stopped });
  await vi.advanceTimersByTimeAsync(600);
  expect(await waiting).toBe(false);
  expect(posts.free()).toBe(5);
});

test('progress in a channel is spread over the edits that no end needs', async () => {
  const limits = createRateLimits();
  for (let ends = 0; ends < 3; ends++) limits.ofChannel(CHANNEL).edits.reserve();
  const edited: number[] = [];
  const startedAt = performance.now();
  const edit = async (): Promise<void> => {
    for (;;) {
      await limits.acquire(editIn(CHANNEL), { priority: 'progress' });
      edited.push(performance.now() - startedAt);
      limits.settle(editIn(CHANNEL));
    }
  };
  void edit();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(edited.length).toBeGreaterThanOrEqual(11);
  for (const [i, at] of edited.entries()) expect(at - (edited[i - 1] ?? -2_500)).toBeGreaterThan(2_400);
});
