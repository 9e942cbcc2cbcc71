import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { migrate } from '../../src/store/migrations.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import type { Sql } from '../../src/store/sql.ts';
import { quietLog } from '../core/fakes.ts';
import { createDatabase, onServerOnly, serverUrl, type TestDatabase } from './database.ts';

describe.skipIf(serverUrl === null)('migrations', onServerOnly, () => {
  const history = [
    ['create table footnote.first (n int)', 'insert into footnote.first values (1)'],
    ['alter table footnote.first add column m int not null default 2'],
  ];
  let database: TestDatabase;
  let sql: Sql;

  beforeEach(async () => {
    database = await createDatabase();
    sql = await openPostgres(database.url, quietLog);
  });
  afterEach(async () => {
    await sql.close();
    await database.drop();
  });
  const content = (): Promise<readonly object[]> => sql.query('select n, m from footnote.first');

  it('run once each, also when several processes begin at the same moment', async () => {
    await Promise.all([migrate(sql, history), migrate(sql, history), migrate(sql, history)]);
    await migrate(sql, history);
    expect(await content()).toEqual([{ n: 1, m: 2 }]);
    expect(await sql.query('select version from footnote.schema_versions order by version')).toEqual([
      { version: 1 },
      { version: 2 },
    ]);
  });

  it('carry on from an older version', async () => {
    await migrate(sql, history.slice(0, 1));
    await migrate(sql, history);
    expect(await content()).toEqual([{ n: 1, m: 2 }]);
  });

  it('leave nothing behind when they are cut off in the middle, and finish the next time', async () => {
    const slow = [history[0]!, [...history[1]!, 'select pg_sleep(60)']];
    const cut = migrate(sql, slow).catch((error: unknown) => error);
    const kill = `select pg_terminate_backend(pid) as killed from pg_stat_activity
      where datname = current_database() and query = 'select pg_sleep(60)'`;
    await vi.waitFor(async () => expect(await sql.query(kill)).toEqual([{ killed: true }]), 10_000);
    expect(await cut).toBeInstanceOf(Error);
    await migrate(sql, history);
    expect(await content()).toEqual([{ n: 1, m: 2 }]);
  });

  it('refuse a database that is ahead of the code', async () => {
    await migrate(sql, history);
    await expect(migrate(sql, history.slice(0, 1))).rejects.toMatchObject({ code: 'schema-newer' });
  });
});
