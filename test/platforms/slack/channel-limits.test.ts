/** The rate limit of posts into one channel, which is kept for as long as it says anything. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Failure } from '../../../src/core/failures.ts';
import { RateLimits } from '../../../src/platforms/slack/limits.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test("a channel's Retry-After is heeded, however many other channels are written to meanwhile", async () => {
  const limits = new RateLimits();
  const refusal = new Failure('rate-limited', 'a 429', { retryAfterMs: 60_000 });
  await expect(limits.post('C1', () => Promise.reject(refusal))).rejects.toThrow('a 429');
  vi.advanceTimersByTime(10_000);
  for (let i = 2; i < 600; i++) await limits.post(`C${i}`, async () => {}, true);
  expect(limits.tryAcquirePost('C1')).toBe(false);
  expect(limits.tryAcquirePost('C2')).toBe(true);
  vi.advanceTimersByTime(60_000);
  expect(limits.tryAcquirePost('C1')).toBe(true);
});

test("a post that the channel refuses takes none of the workspace's calls, and the other way round", () => {
  const limits = new RateLimits();
  const workspace = limits.of('chat.postMessage');
  while (limits.tryAcquirePost('C1'));
  expect(workspace.free()).toBe(297);
  workspace.blockFor(10);
  expect(limits.tryAcquirePost('C2')).toBe(false);
  vi.advanceTimersByTime(20);
  for (let i = 0; i < 3; i++) expect(limits.tryAcquirePost('C2')).toBe(true);
});
