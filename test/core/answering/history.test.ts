import { describe, expect, test } from 'vitest';
import { createHistory } from '../../../src/core/answering/history.ts';
import type { Turn } from '../../../src/core/types.ts';
import { memoryKeyValue, THREAD } from '../fakes.ts';

const turn = (text: string): Turn => ({ role: 'user', author: null, text, at: 0 });

const asked = (id: string, askedAt = Number(id.slice(1))) => ({ id, askedAt });

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
    for (let n = 0; n < 10; n++) await history.append(THREAD, asked(`q${n}`), [turn(`t${n}`)]);
    const window = await history.read(THREAD);
    expect(window.root.map((t) => t.text)).toEqual(['t0']);
    expect(window.newest.map((t) => t.text)).toEqual(['t7', 't8', 't9']);
    expect(window).toMatchObject({ exchanges: 10, omitted: 6 });
  });

  test('an exchange appended again changes nothing', async () => {
    const { history } = setup();
    await history.append(THREAD, asked('q1'), [turn('one')]);
    await history.append(THREAD, asked('q2'), [turn('first try')]);
    await history.append(THREAD, asked('q2'), [turn('second try')]);
    const window = await history.read(THREAD);
    expect(window.newest.map((t) => t.text)).toEqual(['one', 'first try']);
    expect(window.exchanges).toBe(2);
  });

  test('reading costs the same for 10 and for 1,000 exchanges', async () => {
    const readsAfter = async (exchanges: number): Promise<number> => {
      const { store, history } = setup(5);
      for (let n = 0; n < exchanges; n++) await history.append(THREAD, asked(`q${n}`), [turn('t')]);
      const before = store.reads();
      await history.read(THREAD);
      return store.reads() - before;
    };
    expect(await readsAfter(1_000)).toBe(await readsAfter(10));
  });

  test('knows the newest question, also when the report of an older one comes later', async () => {
    const { history } = setup();
    expect((await history.read(THREAD)).mark).toBeNull();
    await history.append(THREAD, asked('q5'), [turn('five')]);
    await history.append(THREAD, asked('q9'), [turn('nine')]);
    await history.append(THREAD, asked('q7'), [turn('a report')]);
    expect((await history.read(THREAD)).mark).toEqual({ question: 'q9', at: 9 });
  });

  test('forgets a question with its answer, and leaves what others said before it', async () => {
    const { history } = setup();
    const turns: Turn[] = [
      { ...turn('others'), id: 'o1' },
      { ...turn('more'), id: 'o2' },
      { ...turn('deleted'), id: 'q1' },
      { ...turn('answer'), role: 'assistant' },
    ];
    await history.append(THREAD, asked('q1'), turns);
    await history.append(THREAD, asked('q2'), [{ ...turn('two'), id: 'q2' }]);
    expect(await history.find('q1')).toEqual([THREAD]);
    await history.forget('q1');
    expect((await history.read(THREAD)).newest.map(({ text }) => text)).toEqual(['others', 'more', 'two']);
    expect((await history.read(THREAD)).mark).toEqual({ question: 'q2', at: 2 });
    expect(await history.find('q1')).toEqual([]);
    await history.forget('o1');
    expect((await history.read(THREAD)).newest.map(({ text }) => text)).toEqual(['more', 'two']);
  });

  test('a question that was read as said before its report came is not there twice', async () => {
    const { history } = setup();
    const research = { ...turn('research: cities'), id: 'q1' };
    await history.append(THREAD, asked('q2'), [
      research,
      { ...turn('two'), id: 'q2' },
      { ...turn('answer'), role: 'assistant' },
    ]);
    await history.append(THREAD, asked('q1'), [research, { ...turn('report'), role: 'assistant' }]);
    const said = (await history.read(THREAD)).newest.map(({ text }) => text);
    expect(said).toEqual(['two', 'answer', 'research: cities', 'report']);
  });

  test('remembers that people were told of the trimming', async () => {
    const { history } = setup();
    await history.append(THREAD, asked('q1'), [turn('one')], { isTold: true });
    await history.append(THREAD, asked('q2'), [turn('two')]);
    expect((await history.read(THREAD)).trimmed).toEqual({ isCut: false, isTold: true });
  });
});
