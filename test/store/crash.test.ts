import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openStore } from '../../src/store/store.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { quietLog } from '../core/fakes.ts';
import { prepareDataDir } from '../support/data-dir.ts';
import { type Child, killChildren, startChild } from './children.ts';
import { createDatabase, onServerOnly, serverUrl } from './database.ts';
import { temporaryDir } from './parts.ts';

const patient = { timeout: 120_000 };
const quick = { ...patient, interval: 2 };
const said = (child: Child, what: string): unknown[] =>
  child.steps.flatMap((step) => (what in step ? [step[what]] : []));

describe('a data directory whose process is killed', () => {
  afterEach(killChildren);

  it('keeps every accepted job, runs what was cut off again at once, and can be killed while it is made', async () => {
    const dir = temporaryDir();
    onTestFinished(dir.remove);
    // While the database is being made, then while it is opened for the first time, before or amid the migrations.
    for (const file of ['database.new/PG_VERSION', 'database.new/global/pg_control', 'database']) {
      const young = startChild('hold', null, dir.path);
      await vi.waitFor(() => expect(existsSync(join(dir.path, file))).toBe(true), quick);
      await young.kill();
    }
    const child = startChild('enqueue', null, dir.path);
    await vi.waitFor(() => expect(said(child, 'accepted').length).toBeGreaterThan(40), patient);
    await child.kill();

    const store = await openStore({ databaseUrl: null, dataDir: dir.path, log: quietLog });
    const again: string[] = [];
    const accepted = said(child, 'accepted') as string[];
    for (const [n, id] of accepted.entries()) {
      expect(await store.jobs.enqueue('killed', { id }, { id, key: `k${n % 3}` })).toBe(false);
    }
    await store.jobs.work<{ id: string }>('killed', 4, async ({ data }) => void again.push(data.id));
    const missing = (): string[] => {
      const ran = new Set([...(said(child, 'ran') as string[]), ...again]);
      return accepted.filter((id) => !ran.has(id));
    };
    await vi.waitFor(() => expect(missing()).toEqual([]), patient);
    await store.close();
  }, 400_000);

  it('starts a running job again at once, with the next attempt', async () => {
    const dir = temporaryDir();
    onTestFinished(dir.remove);
    await prepareDataDir(dir.path);
    const first = await openStore({ databaseUrl: null, dataDir: dir.path, log: quietLog });
    const id = '00000000-0000-5000-8000-00000000000a';
    await first.jobs.enqueue('taken-over', {}, { id, key: 'k' });
    await first.close();
    const child = startChild('work', null, dir.path);
    await vi.waitFor(() => expect(said(child, 'started')).toEqual([id]), patient);
    await child.kill();

    const store = await openStore({ databaseUrl: null, dataDir: dir.path, log: quietLog });
    const began = performance.now();
    const attempts: number[] = [];
    await store.jobs.work('taken-over', 1, async ({ attempt }) => void attempts.push(attempt));
    await vi.waitFor(() => expect(attempts).toEqual([2]), patient);
    expect(performance.now() - began).toBeLessThan(2_000);
    await store.close();
  }, 300_000);
});

describe('a process that is killed while a job is delayed', () => {
  afterEach(killChildren);

  it('on the embedded database: its successor begins the job when it is due', async () => {
    const dir = temporaryDir();
    onTestFinished(dir.remove);
    await prepareDataDir(dir.path);
    await expectDelayed(null, dir.path);
  }, 300_000);

  it.skipIf(serverUrl === null)(
    'on Postgres: another process begins it when it is due',
    { ...onServerOnly, timeout: 300_000 },
    async () => {
      const database = await createDatabase();
      await expectDelayed(database.url, '');
      await database.drop();
    },
  );
});

/** Kills a process after it has delayed a job by 2.5 s; another must begin that job once, on time. */
async function expectDelayed(databaseUrl: string | null, dataDir: string): Promise<void> {
  const child = startChild('delay', databaseUrl, dataDir);
  await vi.waitFor(() => expect(said(child, 'accepted')).toHaveLength(1), quick);
  const due = performance.now() + 2_500;
  await child.kill();
  expect(said(child, 'ran')).toEqual([]);
  const store = await openStore({ databaseUrl, dataDir, log: quietLog });
  const ran: number[] = [];
  await store.jobs.work('delayed', 1, async () => void ran.push(performance.now()));
  const [id] = said(child, 'accepted') as string[];
  expect(await store.jobs.enqueue('delayed', {}, { id: id ?? '', key: 'k' })).toBe(false);
  const openedAt = performance.now();
  await vi.waitFor(() => expect(ran).toHaveLength(1), patient);
  expect(ran[0]! - due).toBeGreaterThan(-100);
  // Nobody in this process has been told: the regular round finds it, every 2 s.
  expect(ran[0]! - Math.max(due, openedAt)).toBeLessThan(3_000);
  await store.close();
}

describe('a data directory in use', () => {
  const dir = temporaryDir();
  afterEach(killChildren);
  afterAll(dir.remove);

  it('refuses a second process with one clear line, and is free once the first is killed', async () => {
    await prepareDataDir(dir.path);
    const child = startChild('hold', null, dir.path);
    await vi.waitFor(() => expect(said(child, 'ready')).toEqual([true]), patient);
    const second = openStore({ databaseUrl: null, dataDir: dir.path, log: quietLog });
    const error = await second.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ code: 'data-dir-locked' });
    expect(String(error)).toMatch(/already in use by another Footnote.*DATA_DIR/);
    expect(String(error)).not.toContain('\n');
    await child.kill();
    const store = await openStore({ databaseUrl: null, dataDir: dir.path, log: quietLog });
    await store.ping();
    await store.close();
  }, 300_000);
});
