import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { holdPostgresLease, type Lease, type LeaseDuties } from '../../src/store/leases.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import type { Sql } from '../../src/store/sql.ts';
import { gate } from '../contracts/jobs.ts';
import { recordingDuties } from '../contracts/leases.ts';
import { quietLog } from '../core/fakes.ts';
import { killChildren, startChild } from './children.ts';
import { createDatabase, onServerOnly, serverUrl, type TestDatabase } from './database.ts';

const patient = { timeout: 30_000 };

/** Each process that waits for a lease marks that with a shared lock. */
async function untilWaiting(sql: Sql, count: number): Promise<void> {
  const waiting = `select 1 from pg_locks l join pg_database d on d.oid = l.database
    where l.locktype = 'advisory' and l.mode = 'ShareLock' and l.granted and d.datname = current_database()`;
  await vi.waitFor(async () => expect(await sql.query(waiting)).toHaveLength(count), patient);
}

describe.skipIf(serverUrl === null)('a lease on Postgres', onServerOnly, () => {
  let database: TestDatabase;
  let sql: Sql;

  beforeAll(async () => {
    database = await createDatabase();
    sql = await openPostgres(database.url, quietLog);
  });
  afterEach(killChildren);
  afterAll(async () => {
    await sql.close();
    await database.drop();
  });

  it('has one owner at a time, and the next one within 15 s after a kill', async () => {
    const child = startChild('lease', database.url);
    await vi.waitFor(() => expect(child.steps).toContainEqual({ acquired: true }), patient);
    const duties = recordingDuties(quietLog);
    const lease = holdPostgresLease(database.url, 'the only one', duties);
    await untilWaiting(sql, 1);
    expect(duties.told).toEqual([]);
    const killed = performance.now();
    await child.kill();
    await vi.waitFor(() => expect(duties.told).toEqual(['acquired']), patient);
    expect(performance.now() - killed).toBeLessThan(15_000);
    await lease.stop();
  }, 60_000);

  it('is taken from a frozen owner, which learns of it when it thaws', async () => {
    const child = startChild('lease', database.url);
    await vi.waitFor(() => expect(child.steps).toContainEqual({ acquired: true }), patient);
    child.process.kill('SIGSTOP');
    const duties = recordingDuties(quietLog);
    const lease = holdPostgresLease(database.url, 'the only one', duties);
    await vi.waitFor(() => expect(duties.told).toEqual(['acquired']), patient);
    child.process.kill('SIGCONT');
    await vi.waitFor(() => expect(child.steps).toContainEqual({ lost: true }), patient);
    await lease.stop();
    await child.kill();
  }, 60_000);

  it('is lost with its connection, and had again', async () => {
    const duties = recordingDuties(quietLog);
    const lease = holdPostgresLease(database.url, 'cut off', duties);
    await vi.waitFor(() => expect(duties.told).toEqual(['acquired']), patient);
    await sql.query(
      `select pg_terminate_backend(l.pid) from pg_locks l join pg_database d on d.oid = l.database
       where l.locktype = 'advisory' and d.datname = current_database()`,
    );
    await vi.waitFor(() => expect(duties.told).toEqual(['acquired', 'lost', 'acquired']), patient);
    await lease.stop();
  }, 60_000);
});

describe.skipIf(serverUrl === null)('a lease that is handed over', onServerOnly, () => {
  let database: TestDatabase;
  let sql: Sql;
  const steps: string[] = [];
  const leases: Lease[] = [];
  const doors: { open(): void }[] = [];

  beforeAll(async () => {
    database = await createDatabase();
    sql = await openPostgres(database.url, quietLog);
  });
  afterEach(async () => {
    for (const door of doors.splice(0)) door.open();
    await Promise.all(leases.splice(0).map((lease) => lease.stop(0)));
    steps.splice(0);
  });
  afterAll(async () => {
    await sql.close();
    await database.drop();
  });

  const shut = (): ReturnType<typeof gate> => {
    const door = gate();
    doors.push(door);
    return door;
  };
  /** What happens to `who` is noted in `steps`; `login` is what it takes until it serves. */
  const hold = (name: string, who: string, login: () => Promise<void> = async () => {}): Lease => {
    const duties: LeaseDuties = {
      log: quietLog,
      async acquired() {
        steps.push(`${who} begins`);
        await login();
        steps.push(`${who} serves`);
      },
      lost: async () => void steps.push(`${who} ends`),
    };
    const lease = holdPostgresLease(database.url, name, duties);
    leases.push(lease);
    return lease;
  };
  /** The first serves; the second, whose login waits for `login`, and more of them stand by. */
  const begin = async (name: string, login: () => Promise<void>, others = 1): Promise<Lease> => {
    const first = hold(name, 'first');
    await vi.waitFor(() => expect(steps).toEqual(['first begins', 'first serves']), patient);
    steps.splice(0);
    for (let n = 0; n < others; n++) hold(name, 'next', login);
    await untilWaiting(sql, others);
    return first;
  };

  it('is served by its owner until the next one serves', async () => {
    const door = shut();
    const first = await begin('overlap', () => door.opened);
    const stopped = first.stop();
    await vi.waitFor(() => expect(steps).toEqual(['next begins']), patient);
    door.open();
    await stopped;
    expect(steps).toEqual(['next begins', 'next serves', 'first ends']);
  });

  it('goes to one of several that wait', async () => {
    const first = await begin('several', async () => {}, 2);
    const began = performance.now();
    await first.stop();
    // It takes a beat of 2 s until one of them finds it, and no longer.
    expect(performance.now() - began).toBeLessThan(6_000);
    expect(steps).toEqual(['next begins', 'next serves', 'first ends']);
  });

  it('is given up at once where nobody waits', async () => {
    const first = await begin('alone', async () => {}, 0);
    const began = performance.now();
    await first.stop();
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(steps).toEqual(['first ends']);
  });

  it('is handed over once it is served, by an owner that is stopped before', async () => {
    const door = shut();
    const first = hold('early', 'first', () => door.opened);
    await vi.waitFor(() => expect(steps).toEqual(['first begins']), patient);
    hold('early', 'next');
    await untilWaiting(sql, 2);
    const stopped = first.stop();
    door.open();
    await stopped;
    expect(steps).toEqual(['first begins', 'first serves', 'next begins', 'next serves', 'first ends']);
  });

  it('is given up in the end when the next one never serves', async () => {
    const door = shut();
    const first = await begin('hanging', () => door.opened);
    const began = performance.now();
    await first.stop(3_000);
    expect(performance.now() - began).toBeGreaterThan(2_900);
    expect(steps).toEqual(['next begins', 'first ends']);
  });

  it('is served by its owner while the next one fails, and tries again', async () => {
    let tries = 0;
    const first = await begin('failing', async () => {
      if (++tries === 1) throw new Error('not at the first try');
    });
    await first.stop();
    expect(steps).toEqual(['next begins', 'next begins', 'next serves', 'first ends']);
  });

  it('is given up when the next one goes away before it serves', async () => {
    const door = shut();
    const first = await begin('leaving', () => door.opened);
    const stopped = first.stop();
    await vi.waitFor(() => expect(steps).toEqual(['next begins']), patient);
    await sql.query(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`);
    door.open();
    await stopped;
    expect(steps.filter((step) => step.startsWith('first'))).toEqual(['first ends']);
  });
});
