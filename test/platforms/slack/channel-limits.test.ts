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

/** Whether a post into the channel may be made now; then it is. */
function canPost(limits: RateLimits, channel: string): Promise<boolean> {
  return limits.post(channel, async () => true, 'progress').catch(() => false);
}

test("a channel's Retry-After is heeded, however many other channels are written to meanwhile", async () => {
  const limits = new RateLimits();
  const refusal = new Failure('rate-limited', 'a 429', { retryAfterMs: 240_000 });
  await expect(limits.post('C1', () => Promise.reject(refusal))).rejects.toThrow('a 429');
  for (let i = 2; i < 602; i++) {
    expect(await canPost(limits, `C${i}`)).toBe(true);
    vi.advanceTimersByTime(300);
  }
  expect(await canPost(limits, 'C1')).toBe(false);
  expect(await canPost(limits, 'C2')).toBe(true);
  vi.advanceTimersByTime(60_000);
  expect(await canPost(limits, 'C1')).toBe(true);
});

test("a post that the channel refuses takes none of the workspace's calls, and the other way round", async () => {
  const limits = new RateLimits();
  const workspace = limits.of('chat.postMessage');
  while (await canPost(limits, 'C1'));
  expect(workspace.free()).toBe(297);
  workspace.blockFor(10);
  expect(await canPost(limits, 'C2')).toBe(false);
  vi.advanceTimersByTime(20);
  for (let i = 0; i < 3; i++) expect(await canPost(limits, 'C2')).toBe(true);
});
