import { describe, expect, test, vi } from 'vitest';
import { createHistory } from '../../../src/core/answering/history.ts';
import { recallThread } from '../../../src/core/answering/recall.ts';
import type { Turn } from '../../../src/core/types.ts';
import { memoryKeyValue, memoryPlatform, question, THREAD } from '../fakes.ts';

const never = new AbortController().signal;
const said = (text: string, fields: Partial<Turn> = {}): Turn => {
  return { id: text, role: 'user', author: { id: 'U2', name: 'Grace' }, text, at: 0, ...fields };
};
/** A follow-up in a thread whose question `q1`, asked at 100, is remembered. */
const followUp = question({ id: 'q2', trigger: 'thread', askedAt: 200, message: null });

async function setup(thread: readonly Turn[], isKnown = true) {
  const history = createHistory(memoryKeyValue(), { window: 20, ttlMs: 1_000 });
  if (isKnown) await history.append(THREAD, { id: 'q1', askedAt: 100 }, [said('q1')]);
  const platform = { ...memoryPlatform(), readThread: vi.fn(async () => ({ turns: thread, isCut: true })) };
  return {
    platform,
    recall: (heardAt?: number) => recallThread({ history, platform }, followUp, heardAt, never),
  };
}

describe('what was said in a thread', () => {
  test('is not read where nobody has spoken since the last question', async () => {
    const { platform, recall } = await setup([said('never')]);
    const { history, said: part } = await recall(100);
    expect(history.newest).toMatchObject([{ text: 'q1' }]);
    expect(part.turns).toEqual([]);
    expect(platform.readThread).not.toHaveBeenCalled();
  });

  test.each([150, undefined])(
    'is read since the last question where others may have spoken: %s',
    async (at) => {
      const own = said('an answer', { role: 'assistant' });
      const { platform, recall } = await setup([said('q1'), own, said('the flamingo is pink')]);
      const { said: part, allSaid } = await recall(at);
      expect(part).toMatchObject({ turns: [{ text: 'the flamingo is pink' }], isCut: true });
      expect(await allSaid()).toEqual(part);
      expect(platform.readThread).toHaveBeenCalledExactlyOnceWith(followUp, 100 - 60_000, expect.anything());
    },
  );

  test('is read whole, our own messages too, in a thread that is not known', async () => {
    const own = said('an answer', { role: 'assistant' });
    const { platform, recall } = await setup([said('before'), own], false);
    expect((await recall(150)).said.turns).toHaveLength(2);
    expect(platform.readThread).toHaveBeenCalledExactlyOnceWith(followUp, null, expect.anything());
  });

  test('that comes too late for the answer is there to be remembered', async () => {
    vi.useFakeTimers();
    const { platform, recall } = await setup([]);
    const reading = Promise.withResolvers<{ turns: Turn[]; isCut: boolean }>();
    platform.readThread.mockReturnValue(reading.promise);
    const recalling = recall(150);
    await vi.advanceTimersByTimeAsync(2_000);
    const { said: part, allSaid } = await recalling;
    expect(part.turns).toEqual([]);
    reading.resolve({ turns: [said('late')], isCut: false });
    expect((await allSaid()).turns).toMatchObject([{ text: 'late' }]);
    vi.useRealTimers();
  });
});
