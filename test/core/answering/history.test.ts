import { describe, expect, test } from 'vitest';
import { createHistory } from '../../../src/core/answering/history.ts';
import type { Turn } from '../../../src/core/types.ts';
import { memoryKeyValue, THREAD } from '../fakes.ts';

const turn = (text: string): Turn => ({ role: 'user', author: null, text, at: 0 });

function setup(window = 3) {
  const store = memoryKeyValue();
  return { store, history: createHistory(store, { window, ttlMs: 1_000 }) };
}

describe('history', () => {
  test('a thread nothing is known of is empty', async () => {
    const { history } = setup();
    expect(await history.read(THREAD)).toMatchObject({ root: [], newest: [], exchanges: 0, omitted: 0 });
  });

  test('keeps the first exchange and the newest ones in order', async () => {
    const { history } = setup();
    for (let n = 0; n < 10; n++) await history.append(THREAD, `q${n}`, [turn(`t${n}`)], false);
    const window = await history.read(THREAD);
    expect(window.root.map((t) => t.text)).toEqual(['t0']);
    expect(window.newest.map((t) => t.text)).toEqual(['t7', 't8', 't9']);
    expect(window).toMatchObject({ exchanges: 10, omitted: 6 });
  });

  test('an exchange appended again replaces itself', async () => {
    const { history } = setup();
    await history.append(THREAD, 'q1', [turn('one')], false);
    await history.append(THREAD, 'q2', [turn('first try')], false);
    await history.append(THREAD, 'q2', [turn('second try')], false);
    const window = await history.read(THREAD);
    expect(window.newest.map((t) => t.text)).toEqual(['one', 'second try']);
    expect(window.exchanges).toBe(2);
  });

  test('reading costs the same for 10 and for 1,000 exchanges', async () => {
    const readsAfter = async (exchanges: number): Promise<number> => {
      const { store, history } = setup(5);
      for (let n = 0; n < exchanges; n++) await history.append(THREAD, `q${n}`, [turn('t')], false);
      const before = store.reads();
      await history.read(THREAD);
      return store.reads() - before;
    };
    expect(await readsAfter(1_000)).toBe(await readsAfter(10));
  });

  test('remembers that people were told of the trimming', async () => {
    const { history } = setup();
    await history.append(THREAD, 'q1', [turn('one')], true);
    await history.append(THREAD, 'q2', [turn('two')], false);
    expect((await history.read(THREAD)).toldTrimmed).toBe(true);
  });
});
