import { describe, expect, test } from 'vitest';
import { createHistory } from '../../../src/core/answering/history.ts';
import { memoryKeyValue, question, THREAD } from '../fakes.ts';
import { done, setup, sources, text } from './setup.ts';

type Call = (...args: never[]) => Promise<unknown>;

/**
 * The line with a process that dies at its write number `fatal`, before the write takes effect or right after it: from then
 * on no call is ever answered. Every write is named in `writes`.
 */
function dyingLine(fatal: number, when: 'before' | 'after') {
  const fixture = setup([sources, text('Tall'), text(' [1].'), done]);
  const { deps, platform } = fixture;
  const keyValue = memoryKeyValue();
  Object.assign(deps, { history: createHistory(keyValue, { window: 20, ttlMs: 1_000 }) });
  const writes: string[] = [];
  let die: () => void = () => {};
  const died = new Promise<void>((resolve) => {
    die = resolve;
  });
  let isDead = false;
  const revivals: (() => void)[] = [];
  const watch = <T extends object>(owner: T, names: readonly (keyof T & string)[]): void => {
    for (const name of names) {
      const original = owner[name] as Call;
      const dying: Call = async (...args) => {
        if (isDead) return new Promise(() => {});
        writes.push(name);
        const isFatal = writes.length === fatal;
        if (isFatal && when === 'before') return end();
        const result = await original.apply(owner, args);
        return isFatal ? end() : result;
      };
      Object.assign(owner, { [name]: dying });
      revivals.push(() => Object.assign(owner, { [name]: original }));
    }
  };
  const end = (): Promise<never> => {
    isDead = true;
    die();
    return new Promise(() => {});
  };
  watch(deps.answers, ['begin', 'posted', 'opened', 'conclude', 'delivered']);
  watch(keyValue, ['set', 'setMany']);
  const { reply } = platform;
  platform.reply = (asked, start) => {
    const made = reply.call(platform, asked, start);
    watch(made, ['show']);
    return made;
  };
  return {
    ...fixture,
    writes,
    died,
    revive() {
      platform.reply = reply;
      for (const revival of revivals) revival();
    },
  };
}

async function countWrites(): Promise<number> {
  const line = dyingLine(0, 'before');
  await line.run(question());
  return line.writes.length;
}

describe('a process that dies', async () => {
  const count = await countWrites();

  test('has enough writes to die at', () => {
    expect(count).toBeGreaterThanOrEqual(6);
  });

  const points = Array.from({ length: count }, (_, index) => index + 1);
  test.each(points.flatMap((point) => [[point, 'before'] as const, [point, 'after'] as const]))(
    'at write %i, %s it takes effect, leaves one whole answer, remembered once',
    async (point, when) => {
      const line = dyingLine(point, when);
      await Promise.race([line.run(question()), line.died]);
      const isConcluded = line.deps.answers.records.get(question().id)?.conclusion != null;
      line.revive();
      await line.run(question(), 2);
      expect(line.last(question())).toMatchObject({ state: 'done', text: 'Tall [1].' });
      expect(line.deps.answers.records.get(question().id)?.delivered).toBe(true);
      const { exchanges, newest } = await line.deps.history.read(THREAD);
      expect(exchanges).toBe(1);
      expect(newest.map((turn) => turn.text)).toEqual(['How tall is it?', 'Tall [1].']);
      // What was concluded has been paid for: it is not asked again.
      if (isConcluded) expect(line.model.requests).toHaveLength(1);
    },
  );
});
