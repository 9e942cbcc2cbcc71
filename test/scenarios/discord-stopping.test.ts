/** A service that is told to stop while its database is slow or gone: what was said on Discord meanwhile is answered once. */
import { Client } from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { startPerplexityServer } from '../servers/perplexity/server.ts';
import { createDatabase, onServerOnly, serverUrl, type TestDatabase } from '../store/database.ts';
import { type ServiceProcess, startService } from '../support/service.ts';
import { areEnded, type DiscordSide, type Place, startDiscordSide, until } from '../support/sides.ts';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const GRACE_S = 3;

/** Whatever the database does. */
async function stopInTime(service: ServiceProcess): Promise<void> {
  const since = performance.now();
  expect(await service.stop()).toBe(0);
  expect(performance.now() - since).toBeLessThan((GRACE_S + 2) * 1_000);
}

interface Stage {
  readonly side: DiscordSide;
  readonly database: TestDatabase;
  start(): Promise<ServiceProcess>;
}

async function setUp(): Promise<Stage> {
  const database = await createDatabase();
  const side = await startDiscordSide();
  const perplexity = await startPerplexityServer({ tokensPerSecond: 200 });
  ends.push(
    () => database.drop(),
    () => side.close(),
    () => perplexity.close(),
  );
  return {
    side,
    database,
    async start() {
      const env = { SHUTDOWN_GRACE_SECONDS: String(GRACE_S) };
      const service = await startService({ ...side.connection, perplexity, databaseUrl: database.url, env });
      ends.push(() => service.kill('SIGKILL'));
      return service;
    },
  };
}

async function connect(url: string): Promise<Client> {
  const client = new Client(url);
  // A test that ends the database's connections ends this one as well.
  client.on('error', () => undefined);
  await client.connect();
  ends.push(() => client.end().catch(() => undefined));
  return client;
}

/** Keeps every table from being read or written until it is let go. */
async function lockTables(url: string): Promise<() => Promise<unknown>> {
  const client = await connect(url);
  const { rows } = await client.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname not in ('pg_catalog', 'information_schema')`,
  );
  await client.query('begin');
  await client.query(`lock table ${rows.map(({ name }) => name).join(', ')} in access exclusive mode`);
  return () => client.query('rollback');
}

/** Resolves once statements of the service, other than those that fetch jobs, wait for a table. */
async function waitForBlocked(url: string): Promise<void> {
  const client = await connect(url);
  const blocked = async (): Promise<number> => {
    const { rows } = await client.query<{ count: number }>(
      `select count(*)::int as count from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock' and query not ilike '%skip locked%'`,
    );
    return rows[0]?.count ?? 0;
  };
  await expect.poll(blocked, { timeout: 10_000 }).toBeGreaterThan(0);
}

async function answeredOnce(side: DiscordSide, places: readonly Place[]): Promise<void> {
  for (const place of places) await until(side, 'the answer', 30_000, () => areEnded(side.posts(place), 1));
  for (const place of places) expect(side.posts(place)).toHaveLength(1);
}

describe.skipIf(serverUrl === null)('SIGTERM', onServerOnly, () => {
  test('while the store is slow: what is said is answered once after the restart', async () => {
    const { side, database, start } = await setUp();
    const service = await start();
    const before = side.mention('before');
    await answeredOnce(side, [before]);
    const unlock = await lockTables(database.url);
    const said = [side.mention('one'), side.mention('two', 1), side.direct('three', 2)];
    await waitForBlocked(database.url);
    const stopped = service.stop();
    await expect.poll(() => service.log.some(({ msg }) => msg === 'stopping')).toBe(true);
    await unlock();
    await stopped;
    await start();
    await answeredOnce(side, [before, ...said]);
  });

  test('while the store takes nothing: what is said is answered once after the restart', async () => {
    const { side, database, start } = await setUp();
    const service = await start();
    await answeredOnce(side, [side.mention('before')]);
    const unlock = await lockTables(database.url);
    const said = [side.mention('one'), side.mention('two', 1)];
    await waitForBlocked(database.url);
    await stopInTime(service);
    said.push(side.mention('while nobody listens'));
    await unlock();
    await start();
    await answeredOnce(side, said);
  });

  test('while the store is gone: what is said is answered once after the restart', async () => {
    const { side, database, start } = await setUp();
    const service = await start();
    await answeredOnce(side, [side.mention('before')]);
    const { pathname } = new URL(database.url);
    const admin = await connect(serverUrl ?? '');
    await admin.query(`alter database ${pathname.slice(1)} allow_connections false`);
    await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
      pathname.slice(1),
    ]);
    const said = [side.mention('one'), side.mention('two', 1)];
    await stopInTime(service);
    said.push(side.mention('while nobody listens'));
    await admin.query(`alter database ${pathname.slice(1)} allow_connections true`);
    await start();
    await answeredOnce(side, said);
  });
});
