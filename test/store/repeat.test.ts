import { expect, onTestFinished, test, vi } from 'vitest';
import { repeat } from '../../src/store/repeat.ts';
import { quietLog } from '../core/fakes.ts';

function setup(task: () => Promise<void> = async () => {}) {
  vi.useFakeTimers();
  const run = vi.fn<() => Promise<void>>(task);
  const repetition = repeat(1_000, run, quietLog, { task: 'counting' }, 2);
  onTestFinished(async () => {
    const stopped = repetition.stop();
    await vi.runAllTimersAsync();
    await stopped;
    vi.useRealTimers();
  });
  return { repetition, run };
}

test('it runs every so often, and at once when it is woken', async () => {
  const { repetition, run } = setup();
  await vi.advanceTimersByTimeAsync(1_010);
  expect(run).toHaveBeenCalledTimes(1);
  repetition.wake();
  await vi.advanceTimersByTimeAsync(10);
  expect(run).toHaveBeenCalledTimes(2);
});

test('what wakes it within a moment is one run', async () => {
  const { repetition, run } = setup();
  repetition.wake();
  await vi.advanceTimersByTimeAsync(1);
  repetition.wake();
  await vi.advanceTimersByTimeAsync(10);
  expect(run).toHaveBeenCalledTimes(1);
});

test('what wakes it while it runs has it run once more', async () => {
  const ends: (() => void)[] = [];
  const { repetition, run } = setup(() => new Promise((resolve) => ends.push(resolve)));
  repetition.wake();
  await vi.advanceTimersByTimeAsync(10);
  repetition.wake();
  repetition.wake();
  for (const end of ends.splice(0)) end();
  await vi.advanceTimersByTimeAsync(10);
  expect(run).toHaveBeenCalledTimes(2);
  for (const end of ends.splice(0)) end();
  await vi.advanceTimersByTimeAsync(10);
  expect(run).toHaveBeenCalledTimes(2);
});
