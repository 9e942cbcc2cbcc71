import { expect, test } from 'vitest';
import { onDemand } from '../../src/core/concurrency.ts';

test('begins once for all who ask, and again after a failure', async () => {
  let begun = 0;
  const get = onDemand(async () => {
    begun++;
    if (begun === 1) throw new Error('not yet');
    return begun;
  });
  expect(await Promise.allSettled([get(), get()])).toMatchObject([
    { status: 'rejected' },
    { status: 'rejected' },
  ]);
  expect(begun).toBe(1);
  expect(await Promise.all([get(), get()])).toEqual([2, 2]);
  expect(await get()).toBe(2);
});
