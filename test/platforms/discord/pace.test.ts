import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createPaces } from '../../../src/platforms/discord/pace.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const CHANNEL = '100000000000000001';
const NEVER = new AbortController().signal;

function crowd(size: number): object[] {
  return Array.from({ length: size }, () => ({}));
}

describe('the pace of a channel', () => {
  /** How long after a write the next edit of an answer is due while so many grow in all and a good part of the calls is used. */
  async function gapMs(growing: number): Promise<number> {
    const paces = createPaces();
    for (const answer of crowd(growing)) paces.growing.add(answer);
    const pace = paces.of(CHANNEL);
    // Taken and not answered: they count until they are.
    for (let i = 0; i < 25; i++) paces.all.tryAcquire('final');
    pace.wrote();
    const from = performance.now();
    let took = Number.POSITIVE_INFINITY;
    void pace.due('edit', {}, NEVER).then(() => (took = performance.now() - from));
    await vi.advanceTimersByTimeAsync(10_000);
    return took;
  }

  test('widens with the number of answers', async () => {
    expect(await gapMs(1)).toBeCloseTo(1_200, -2);
    expect(await gapMs(100)).toBeGreaterThan(2_000);
  });

  test('leaves one message for the end of every other answer in it', () => {
    const { create, growing, isDue } = createPaces().of(CHANNEL);
    const [one = {}, two = {}, three = {}] = crowd(3);
    for (const answer of [one, two, three]) growing.add(answer);
    create.tryAcquire('progress');
    create.tryAcquire('progress');
    expect(isDue('create', one)).toBe(true);
    create.tryAcquire('progress');
    expect(isDue('create', one)).toBe(false);
    growing.delete(two);
    expect(isDue('create', one)).toBe(true);
    // Sources under an answer whose words are there leave one for the other two.
    growing.add(two);
    growing.delete(one);
    expect(isDue('create', one)).toBe(false);
  });
});

test('a call counts in its bucket for a window after it was answered', async () => {
  const paces = createPaces();
  const { edit, create } = paces.of(CHANNEL);
  edit.tryAcquire('final');
  paces.all.tryAcquire('final');
  await vi.advanceTimersByTimeAsync(9_000);
  expect(edit.free()).toBe(4);
  paces.settle('PATCH', `/channels/${CHANNEL}/messages/100000000000000002`);
  await vi.advanceTimersByTimeAsync(4_900);
  expect([edit.free(), create.free(), paces.all.free()]).toEqual([4, 5, 49]);
  await vi.advanceTimersByTimeAsync(200);
  expect(edit.free()).toBe(5);
});
