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
