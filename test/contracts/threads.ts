import { describe, expect, it } from 'vitest';
import type { Threads } from '../../src/core/ports.ts';
import type { ThreadRef } from '../../src/core/types.ts';
import { deleteExpired } from '../../src/store/retention.ts';
import type { Sql } from '../../src/store/sql.ts';

export function threadsContract(threads: () => Threads, sql: () => Sql): void {
  const thread = (name: string): ThreadRef => ({
    platform: 'slack',
    workspace: 'T1',
    channel: 'C1',
    thread: name,
  });

  const humans = async (place: ThreadRef, person: string) =>
    (await threads().hear(place, person, 1))?.humans ?? null;

  describe('threads', () => {
    it('says null for a thread the bot does not take part in', async () => {
      expect(await threads().hear(thread('foreign'), 'U1', 1)).toBeNull();
    });

    it('counts each speaker once, the one who called included', async () => {
      await threads().join(thread('once'), 'U1', 1);
      expect(await humans(thread('once'), 'U1')).toBe(1);
      expect(await humans(thread('once'), 'U2')).toBe(2);
      expect(await humans(thread('once'), 'U2')).toBe(2);
      await threads().join(thread('once'), 'U3', 1);
      expect(await humans(thread('once'), 'U1')).toBe(3);
    });

    it('keeps threads of the same name in different places apart', async () => {
      await threads().join(thread('same'), 'U1', 1);
      const elsewhere = { ...thread('same'), workspace: 'T2' };
      expect(await threads().hear(elsewhere, 'U1', 1)).toBeNull();
    });

    it('counts everybody who speaks or joins at the same moment', async () => {
      const people = Array.from({ length: 16 }, (_, i) => `U${i}`);
      await Promise.all(people.map((person) => threads().join(thread('rush'), person, 1)));
      const more = Array.from({ length: 16 }, (_, i) => `W${i}`);
      await Promise.all(more.map((person) => threads().hear(thread('rush'), person, 1)));
      expect(await humans(thread('rush'), 'U0')).toBe(32);
    });

    it('says when the newest message before was said, of bots and of whoever joins too', async () => {
      const place = thread('times');
      await threads().join(place, 'U1', 10);
      expect(await threads().hear(place, 'U1', 20)).toMatchObject({ before: 10 });
      expect(await threads().hear(place, null, 40)).toMatchObject({ before: 20, humans: 1, isFirst: false });
      // An older one that comes late is news to the next; the same one again is not.
      expect(await threads().hear(place, 'U1', 30)).toMatchObject({ before: 40 });
      expect(await threads().hear(place, 'U1', 45)).toMatchObject({ before: 41 });
      expect(await threads().hear(place, 'U1', 45)).toMatchObject({ before: 45 });
      await threads().join(place, 'U2', 50);
      expect(await threads().hear(place, 'U1', 60)).toMatchObject({ before: 50 });
    });

    it('of messages heard at the same moment each but the first hears of another', async () => {
      const place = thread('at once');
      await threads().join(place, 'U1', 1);
      const heard = await Promise.all(
        Array.from({ length: 8 }, (_, n) => threads().hear(place, 'U1', 2 + n)),
      );
      expect(heard.filter((one) => one?.before === 1)).toHaveLength(1);
    });

    it('knows who spoke first, and whether somebody was told', async () => {
      const place = thread('first');
      await threads().join(place, 'U1', 1);
      expect(await threads().hear(place, 'U2', 2)).toMatchObject({ isFirst: false, isTold: false });
      expect(await threads().hear(place, 'U1', 3)).toMatchObject({ isFirst: true, isTold: false });
      await threads().told(place);
      expect(await threads().hear(place, 'U1', 4)).toMatchObject({ isFirst: true, isTold: true });
    });

    it('stops counting at 50 speakers', async () => {
      for (let i = 0; i < 52; i++) await threads().join(thread('crowd'), `U${i}`, 1);
      expect(await humans(thread('crowd'), 'one more')).toBe(50);
    });

    it('forgets threads nobody has spoken in for 90 days', async () => {
      await threads().join(thread('old'), 'U1', 1);
      await threads().join(thread('new'), 'U1', 1);
      await sql().query(
        "update footnote.threads set touched_at = now() - interval '91 days' where thread like '%old%'",
      );
      await deleteExpired(sql(), new AbortController().signal);
      expect(await threads().hear(thread('old'), 'U1', 1)).toBeNull();
      expect(await humans(thread('new'), 'U1')).toBe(1);
    });
  });
}
