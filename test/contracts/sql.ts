import { describe, expect, it } from 'vitest';
import type { Queryable, Sql } from '../../src/store/sql.ts';

/** What both databases must do alike. */
export function sqlContract(sql: () => Sql): void {
  describe('sql', () => {
    it('binds texts, numbers, nulls and lists', async () => {
      const [row] = await sql().query(
        'select $1::text as text, $2::int + 1 as number, $3::text as nothing, $4::text[] as list',
        ["it's", 41, null, ['a', 'b"c']],
      );
      expect(row).toEqual({ text: "it's", number: 42, nothing: null, list: ['a', 'b"c'] });
    });

    it('goes on working after a statement has failed', async () => {
      await expect(sql().query('select 1 / 0')).rejects.toThrow('division by zero');
      expect(await sql().query('select 1 as one')).toEqual([{ one: 1 }]);
    });

    it('keeps all of a transaction, and resolves with its result', async () => {
      const result = await sql().tx(async (tx) => {
        await tx.query('create table footnote.kept (n int)');
        await tx.query('insert into footnote.kept values (1), (2)');
        return 'done';
      });
      expect(result).toBe('done');
      expect(await sql().query('select n from footnote.kept order by n')).toEqual([{ n: 1 }, { n: 2 }]);
      await sql().query('drop table footnote.kept');
    });

    it('runs the transactions of one lock one after the other', async () => {
      let running = 0;
      let most = 0;
      const run = async (tx: Queryable): Promise<void> => {
        most = Math.max(most, ++running);
        await tx.query('select pg_sleep(0.02)');
        running--;
      };
      await Promise.all([1, 2, 3].map(() => sql().tx(run, { lock: "anybody's" })));
      expect(most).toBe(1);
    });

    it('keeps nothing of a transaction that throws', async () => {
      const failed = sql().tx(async (tx) => {
        await tx.query('create table footnote.dropped (n int)');
        throw new Error('changed my mind');
      });
      await expect(failed).rejects.toThrow('changed my mind');
      const [row] = await sql().query("select to_regclass('footnote.dropped') as name");
      expect(row).toEqual({ name: null });
    });
  });
}
