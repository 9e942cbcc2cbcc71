import { expect, test, vi } from 'vitest';
import { createNames } from '../../../src/core/answering/names.ts';
import type { Turn } from '../../../src/core/types.ts';
import { memoryPlatform } from '../fakes.ts';

const said = (id: string, name: string | null = null): Turn => {
  return { role: 'user', author: { id, name }, text: 'words', at: 0 };
};
const namesOf = (turns: readonly Turn[]) => turns.map(({ author }) => author?.name);

test('names that are known at once are used, others are waited for only as long as said', async () => {
  vi.useFakeTimers();
  const slow = Promise.withResolvers<string>();
  const nameOf = vi.fn(async (_workspace: string, id: string) => (id === 'U1' ? 'Ada' : slow.promise));
  const names = createNames({ ...memoryPlatform(), nameOf }, 'T1');
  const turns = [said('U1'), said('U2'), said('U3', 'Linus')];
  const first = names.complete(turns, 0);
  await vi.advanceTimersByTimeAsync(1);
  expect(namesOf(await first)).toEqual(['Ada', null, 'Linus']);
  const second = names.complete(turns, 2_000);
  slow.resolve('Grace');
  expect(namesOf(await second)).toEqual(['Ada', 'Grace', 'Linus']);
  expect(nameOf).toHaveBeenCalledTimes(2);
  vi.useRealTimers();
});
