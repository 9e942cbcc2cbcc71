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

  describe('threads', () => {
    it('says null for a thread the bot does not take part in', async () => {
      expect(await threads().hear(thread('foreign'), 'U1')).toBeNull();
    });

    it('counts each speaker once, the one who called included', async () => {
      await threads().join(thread('once'), 'U1');
      expect(await threads().hear(thread('once'), 'U1')).toBe(1);
      expect(await threads().hear(thread('once'), 'U2')).toBe(2);
      expect(await threads().hear(thread('once'), 'U2')).toBe(2);
      await threads().join(thread('once'), 'U3');
      expect(await threads().hear(thread('once'), 'U1')).toBe(3);
    });

    it('keeps threads of the same name in different places apart', async () => {
      await threads().join(thread('same'), 'U1');
      const elsewhere = { ...thread('same'), workspace: 'T2' };
      expect(await threads().hear(elsewhere, 'U1')).toBeNull();
    });

    it('counts everybody who speaks or joins at the same moment', async () => {
      const people = Array.from({ length: 16 }, (_, i) => `U${i}`);
      await Promise.all(people.map((person) => threads().join(thread('rush'), person)));
      const more = Array.from({ length: 16 }, (_, i) => `W${i}`);
      await Promise.all(more.map((person) => threads().hear(thread('rush'), person)));
      expect(await threads().hear(thread('rush'), 'U0')).toBe(32);
    });

    it('stops counting at 50 speakers', async () => {
      for (let i = 0; i < 52; i++) await threads().join(thread('crowd'), `U${i}`);
      expect(await threads().hear(thread('crowd'), 'one more')).toBe(50);
    });

    it('forgets threads nobody has spoken in for 90 days', async () => {
      await threads().join(thread('old'), 'U1');
      await threads().join(thread('new'), 'U1');
      await sql().query(
        "update footnote.threads set touched_at = now() - interval '91 days' where thread like '%old%'",
      );
      await deleteExpired(sql(), new AbortController().signal);
      expect(await threads().hear(thread('old'), 'U1')).toBeNull();
      expect(await threads().hear(thread('new'), 'U1')).toBe(1);
    });
  });
}
