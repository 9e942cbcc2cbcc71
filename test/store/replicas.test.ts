import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { openJobs, type StoreJobs } from '../../src/store/jobs.ts';
import { migrate } from '../../src/store/migrations.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import type { Sql } from '../../src/store/sql.ts';
import { openStore } from '../../src/store/store.ts';
import { gate } from '../contracts/jobs.ts';
import { quietLog } from '../core/fakes.ts';
import { killChildren, startChild } from './children.ts';
import { createDatabase, onServerOnly, serverUrl, type TestDatabase } from './database.ts';

interface Numbered {
  readonly key: string;
  readonly n: number;
}

describe.skipIf(serverUrl === null)('two processes on one Postgres', onServerOnly, () => {
  // Less than a test may take, so that a failure shows what was there instead.
  const patient = { timeout: 12_000 };
  let database: TestDatabase;
  let sql: Sql;
  let first: StoreJobs;
  let second: StoreJobs;

  beforeAll(async () => {
    database = await createDatabase();
    sql = await openPostgres(database.url, quietLog);
    await migrate(sql);
    [first, second] = await Promise.all([openJobs(sql, quietLog), openJobs(sql, quietLog)]);
  });
  afterEach(killChildren);
  afterAll(async () => {
    await Promise.all([first.close(), second.close()]);
    await sql.close();
    await database.drop();
  });

  it('may open an empty database at the same moment', async () => {
    const fresh = await createDatabase();
    const options = { databaseUrl: fresh.url, dataDir: '', log: quietLog };
    const stores = await Promise.all([openStore(options), openStore(options), openStore(options)]);
    const ran: string[] = [];
    for (const [i, store] of stores.entries()) {
      await store.jobs.work(`of-${i}`, 1, async () => void ran.push(`of-${i}`));
      await store.jobs.enqueue(`of-${i}`, {}, { id: randomUUID(), key: 'k' });
      await store.keyValue('common').set(`from ${i}`, i);
    }
    await vi.waitFor(() => expect(ran.toSorted()).toEqual(['of-0', 'of-1', 'of-2']), patient);
    for (const store of stores) {
      expect(await store.keyValue('common').getMany(['from 0', 'from 1', 'from 2'])).toEqual([0, 1, 2]);
    }
    await Promise.all(stores.map((store) => store.close()));
    const again = await openPostgres(fresh.url, quietLog);
    const versions = await again.query('select version from footnote.schema_versions order by version');
    expect(versions).toEqual(versions.map((_, i) => ({ version: i + 1 })));
    expect(versions.length).toBeGreaterThan(0);
    await again.close();
    await fresh.drop();
  });

  it('keep the order within each key and share the keys', async () => {
    const log: string[] = [];
    const running = new Map<string, number>();
    const workers = new Set<string>();
    let overlaps = 0;
    const handler =
      (worker: string) =>
      async ({ data: { key, n } }: { data: Numbered }): Promise<void> => {
        const already = running.get(key) ?? 0;
        if (already > 0) overlaps++;
        running.set(key, already + 1);
        workers.add(worker);
        log.push(`${key}${n}`);
        await sql.query('select pg_sleep(0.02)');
        running.set(key, (running.get(key) ?? 1) - 1);
      };
    await first.work<Numbered>('shared', 3, handler('first'));
    await second.work<Numbered>('shared', 3, handler('second'));
    const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
    for (let n = 0; n < 8; n++) {
      await Promise.all(
        keys.map((key, i) =>
          (i % 2 ? first : second).enqueue('shared', { key, n }, { id: randomUUID(), key }),
        ),
      );
    }
    await vi.waitFor(() => expect(log).toHaveLength(48), patient);
    for (const key of keys) {
      const order = log.filter((entry) => entry.startsWith(key));
      expect(order).toEqual(Array.from({ length: 8 }, (_, n) => `${key}${n}`));
    }
    expect(overlaps).toBe(0);
    expect([...workers].sort((a, b) => a.localeCompare(b))).toEqual(['first', 'second']);
  });

  it('keep the limit of a person together, to the last place', async () => {
    const owner = { platform: 'slack', workspace: 'T1', person: 'U1' } as const;
    const door = gate();
    let running = 0;
    let most = 0;
    const workers: string[] = [];
    const handler = (worker: string) => async (): Promise<void> => {
      running++;
      most = Math.max(most, running);
      workers.push(worker);
      // Neither has the slots for so many alone.
      if (running === 3) door.open();
      await door.opened;
      await sql.query('select pg_sleep(0.02)');
      running--;
    };
    for (let n = 0; n < 40; n++)
      await first.enqueue('limited', { n }, { id: randomUUID(), key: `k${n}`, owner });
    const limits = { perPerson: 3, perChannel: 0, perWorkspace: 0 };
    await Promise.all([
      first.work('limited', 2, handler('first'), { limits }),
      second.work('limited', 2, handler('second'), { limits }),
    ]);
    await vi.waitFor(() => expect(workers).toHaveLength(40), patient);
    expect(most).toBe(3);
    expect(new Set(workers).size).toBe(2);
  });

  it('hear of each other’s jobs without waiting for the next round', async () => {
    const seen: number[] = [];
    await second.work<Numbered>('announced', 1, async ({ data }) => void seen.push(data.n));
    const began = performance.now();
    // A worker that only polls starts each of these 2 s after the one before.
    for (let n = 0; n < 5; n++) {
      await first.enqueue('announced', { key: 'k', n }, { id: randomUUID(), key: 'k' });
      await vi.waitFor(() => expect(seen).toContain(n), { timeout: 10_000, interval: 5 });
    }
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it('abort a job that was taken away, whose late end then changes nothing', async () => {
    const door = gate();
    const aborted: boolean[] = [];
    const attempts: number[] = [];
    const handler = async (job: { attempt: number; signal: AbortSignal }): Promise<void> => {
      attempts.push(job.attempt);
      if (job.attempt > 1) return door.opened;
      await new Promise((resolve) => job.signal.addEventListener('abort', resolve));
      aborted.push(true);
    };
    const id = randomUUID();
    await first.work('stolen', 1, handler);
    await first.enqueue('stolen', {}, { id, key: 'k' });
    await vi.waitFor(() => expect(attempts).toEqual([1]), patient);
    await second.work('stolen', 1, handler);
    // As another process would after 10 s without a heartbeat.
    await sql.query("update pgboss.job set state = 'retry', start_after = now() where id = $1", [id]);
    await vi.waitFor(() => expect([aborted, attempts]).toEqual([[true], [1, 2]]), patient);
    expect(await first.depth('stolen', 'k')).toBe(1);
    door.open();
    await vi.waitFor(async () => expect(await first.depth('stolen', 'k')).toBe(0), patient);
  });

  it('keep a running job while everything else waits for a connection', async () => {
    const door = gate();
    const seen: string[] = [];
    await first.work('busy', 1, async ({ attempt, signal }) => {
      seen.push(`run ${attempt}`);
      signal.addEventListener('abort', () => seen.push('aborted'));
      await door.opened;
    });
    await first.enqueue('busy', {}, { id: randomUUID(), key: 'k' });
    await vi.waitFor(() => expect(seen).toEqual(['run 1']), patient);
    // For 14 s all 15 connections are in use: longer than a job may be without a heartbeat.
    await Promise.all(Array.from({ length: 15 * 14 }, () => sql.query('select pg_sleep(1)')));
    expect(seen).toEqual(['run 1']);
    door.open();
    await vi.waitFor(async () => expect(await first.depth('busy', 'k')).toBe(0), patient);
  }, 60_000);

  it('take over the job of a killed one within 15 s, and keep their own meanwhile', async () => {
    const door = gate();
    const attempts = new Map<string, number[]>();
    await first.work('taken-over', 2, async ({ id, attempt }) => {
      attempts.set(id, [...(attempts.get(id) ?? []), attempt]);
      await door.opened;
    });
    const mine = randomUUID();
    await first.enqueue('taken-over', {}, { id: mine, key: 'mine' });
    await vi.waitFor(() => expect(attempts.get(mine)).toEqual([1]), patient);
    const others = [randomUUID(), randomUUID(), randomUUID()];
    for (const id of others) await first.enqueue('taken-over', {}, { id, key: id });
    const child = startChild('work', database.url);
    await vi.waitFor(() => expect(child.steps.some((step) => 'started' in step)).toBe(true), patient);
    const held = child.steps.flatMap((step) => ('started' in step ? [String(step.started)] : []));
    const killed = performance.now();
    await child.kill();
    door.open();
    await vi.waitFor(() => expect(held.map((id) => attempts.get(id))).toEqual(held.map(() => [2])), patient);
    expect(performance.now() - killed).toBeLessThan(15_000);
    expect(attempts.get(mine)).toEqual([1]);
  }, 60_000);
});
