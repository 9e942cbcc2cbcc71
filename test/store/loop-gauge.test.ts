import { expect, test, vi } from 'vitest';
import { createLoopGauge } from '../../src/store/loop-gauge.ts';

test('a loop that turns in time is not late, one that stood still is, until it has turned again', async () => {
  const gauge = createLoopGauge();
  await vi.waitFor(() => expect(gauge.isLate()).toBe(false));
  const standStillUntil = performance.now() + 200;
  while (performance.now() < standStillUntil);
  expect(gauge.isLate()).toBe(true);
  await vi.waitFor(() => expect(gauge.isLate()).toBe(false));
  gauge.stop();
});
