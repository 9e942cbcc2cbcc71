import { describe, expect, it, vi } from 'vitest';
import type { KeyValue } from '../../src/core/ports.ts';

/** `open` gives the key space of a namespace; `sweep` deletes what has expired and says how many rows are left there. */
export function keyValueContract(
  open: (namespace: string) => KeyValue,
  sweep: (namespace: string) => Promise<number>,
): void {
  describe('key-value', () => {
    it('gives back what was set, exactly, and undefined for the rest', async () => {
      const store = open('exact');
      const value = { text: 'a\u0000b \ud800 :base64: 🎈', list: [1, null, true], nested: { deep: [{}] } };
      await store.set('slack:T1:C1:1700.1', value);
      expect(await store.get('slack:T1:C1:1700.1')).toEqual(value);
      expect(await store.get('slack:T1:C1:1700.2')).toBeUndefined();
    });

    it('replaces a value', async () => {
      const store = open('replace');
      await store.set('key', { old: true });
      await store.set('key', [2]);
      expect(await store.get('key')).toEqual([2]);
    });

    it('reads many keys in the order they were asked for', async () => {
      const store = open('many');
      await store.set('a', 1);
      await store.set('c', 3);
      expect(await store.getMany(['c', 'b', 'a'])).toEqual([3, undefined, 1]);
      expect(await store.getMany([])).toEqual([]);
    });

    it('sets many values at once, replacing what is there, for their time', async () => {
      const store = open('set many');
      await store.set('a', 'old');
      await store.setMany(
        [
          ['a', { new: ['\u0000', 1] }],
          ['b', null],
        ],
        60_000,
      );
      expect(await store.getMany(['a', 'b'])).toEqual([{ new: ['\u0000', 1] }, null]);
      await store.setMany([['a', 'short']], 1);
      await vi.waitFor(async () => expect(await store.get('a')).toBeUndefined());
      expect(await sweep('set many')).toBe(1);
    });

    it('sets none of many values when one cannot be', async () => {
      const store = open('none');
      const twice = ['a', 1] as const;
      // Two values for one key in one statement: the database refuses both.
      await expect(store.setMany([['b', 1], twice, twice], 60_000)).rejects.toThrow();
      expect(await store.getMany(['a', 'b'])).toEqual([undefined, undefined]);
      await expect(store.setMany([['', 1]], 60_000)).rejects.toThrow('must not be empty');
    });

    it('forgets a deleted key, and does not mind an unknown one', async () => {
      const store = open('delete');
      await store.set('key', 1);
      await store.delete('key');
      await store.delete('never there');
      expect(await store.get('key')).toBeUndefined();
    });

    it('keeps namespaces apart', async () => {
      await open('one').set('key', 'first');
      await open('two').set('key', 'second');
      expect(await open('one').get('key')).toBe('first');
      expect(await open('two').get('key')).toBe('second');
    });

    it('forgets a value when its time is up, and the sweep deletes its row', async () => {
      const store = open('expiring');
      await store.set('short', 1, 1);
      await store.set('gone at once', 1, 0);
      await store.set('long', 2, 60_000);
      await vi.waitFor(async () => expect(await store.get('short')).toBeUndefined());
      expect(await store.getMany(['short', 'gone at once', 'long'])).toEqual([undefined, undefined, 2]);
      expect(await sweep('expiring')).toBe(1);
    });

    it('refuses an empty key instead of dropping the write', async () => {
      await expect(open('empty').set('', 1)).rejects.toThrow('must not be empty');
    });
  });
}
