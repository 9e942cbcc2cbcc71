import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ThreadRef } from '../../src/core/types.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { deleteExpired } from '../../src/store/retention.ts';
import { quietLog } from '../core/fakes.ts';
import { createDatabase, onServerOnly, serverUrl, type TestDatabase } from './database.ts';
import { assemble, type Parts } from './parts.ts';

describe.skipIf(serverUrl === null)('what is past its time', onServerOnly, () => {
  const thread: ThreadRef = { platform: 'slack', workspace: 'T1', channel: 'C1', thread: '1.0' };
  const AGE = "update footnote.threads set touched_at = now() - interval '91 days'";
  let database: TestDatabase;
  let parts: Parts;

  beforeAll(async () => {
    database = await createDatabase();
    parts = await assemble(await openPostgres(database.url, quietLog));
  });
  afterAll(async () => {
    await parts.close();
    await database.drop();
  });

  it('is deleted in slices, all of it', async () => {
    const { sql } = parts;
    await sql.query(`insert into footnote.key_values (namespace, key, value, expires_ms)
      select 'many', n::text, '', 1 from generate_series(1, 1200) n`);
    await deleteExpired(sql, new AbortController().signal);
    expect(await sql.query('select 1 from footnote.key_values')).toEqual([]);
  });

  it('stays when somebody renews it at the same moment', async () => {
    const { sql, threads } = parts;
    await threads.join(thread, 'U1', 1);
    await sql.query(AGE);
    const waiting = `select 1 from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and query like '%delete from%'`;
    let deleting = Promise.resolve();
    await sql.tx(async (tx) => {
      await tx.query('update footnote.threads set touched_at = now()');
      deleting = deleteExpired(sql, new AbortController().signal);
      await vi.waitFor(async () => expect(await sql.query(waiting)).toHaveLength(1), { timeout: 5_000 });
    });
    await deleting;
    expect(await threads.hear(thread, 'U1', 1)).toMatchObject({ humans: 1 });
    await sql.query(AGE);
    await deleteExpired(sql, new AbortController().signal);
    expect(await threads.hear(thread, 'U1', 1)).toBeNull();
  });
});
