import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openStore, type Store } from '../../src/store/store.ts';
import { question, quietLog } from '../core/fakes.ts';
import { createDatabase, onServerOnly, serverUrl, type TestDatabase } from './database.ts';

/** A network between us and the database that can be cut, or swallow everything without a word. */
async function openNetwork(databaseUrl: string) {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let silent = false;
  const server = createServer((near) => {
    const far = connect(Number(target.port || 5432), target.hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (data) => void (silent || to.write(data)));
      from.on('close', () => to.destroy());
      from.on('error', () => to.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  return {
    url: url.href,
    cut,
    swallow: () => void (silent = true),
    restore() {
      cut();
      silent = false;
    },
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

describe.skipIf(serverUrl === null)('a database that goes away', onServerOnly, () => {
  const patient = { timeout: 40_000 };
  let database: TestDatabase;
  let network: Awaited<ReturnType<typeof openNetwork>>;
  let store: Store;

  beforeAll(async () => {
    database = await createDatabase();
    network = await openNetwork(database.url);
    store = await openStore({ databaseUrl: network.url, dataDir: '', log: quietLog });
  });
  afterAll(async () => {
    await store.close();
    await network.close();
    await database.drop();
  });

  it('is used again after all connections were cut, and running jobs are not run twice', async () => {
    const attempts: string[] = [];
    let finish = (): void => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    await store.jobs.work('cut', 2, async ({ id, attempt }) => {
      attempts.push(`${id} ${attempt}`);
      await finished;
    });
    const [first, second] = [randomUUID(), randomUUID()];
    await store.jobs.enqueue('cut', {}, { id: first, key: 'first' });
    await vi.waitFor(() => expect(attempts).toEqual([`${first} 1`]), patient);
    network.cut();
    finish();
    await vi.waitFor(() => store.jobs.enqueue('cut', {}, { id: second, key: 'second' }), patient);
    await vi.waitFor(() => expect(attempts).toEqual([`${first} 1`, `${second} 1`]), patient);
    await vi.waitFor(async () => expect(await store.jobs.depth('cut', 'first')).toBe(0), patient);
  }, 60_000);

  it('fails reads instead of looking empty, and everything within its limit', async () => {
    const history = store.keyValue('history');
    await history.set('thread', ['a turn']);
    await store.jobs.work('unanswered', 1, async () => {});
    // So many connections are open then: making one has a longer limit.
    await Promise.all(Array.from({ length: 12 }, () => history.get('thread')));
    network.swallow();
    const began = performance.now();
    const took = async (failing: Promise<unknown>): Promise<number> => {
      await expect(failing).rejects.toThrow(/timeout|does not answer/i);
      return performance.now() - began;
    };
    const options = { id: randomUUID(), key: 'k' };
    const limits = { perPerson: 2, perWorkspace: 10 };
    const times = await Promise.all([
      took(store.ping()),
      took(history.get('thread')),
      took(store.answers.find('a question')),
      took(store.jobs.enqueue('unanswered', {}, options)),
      took(store.jobs.depth('unanswered', 'k')),
      took(store.researches.create(question(), 'R-0001', limits)),
      took(store.jobs.enqueueWith([{ queue: 'unanswered', data: {}, options }], async () => 'changed')),
    ]);
    expect(times[0]).toBeLessThan(4_000);
    // The limit of a statement is 8 s; a transaction is rolled back for a second more.
    expect(Math.max(...times)).toBeLessThan(13_000);
    network.restore();
    await vi.waitFor(async () => expect(await history.get('thread')).toEqual(['a turn']), patient);
  }, 60_000);

  it('makes a job stop once its claim may have run out, and has it run again later', async () => {
    const steps: string[] = [];
    await store.jobs.work('silent', 1, async ({ attempt, signal }) => {
      steps.push(`run ${attempt}`);
      if (attempt > 1) return;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      steps.push('aborted');
    });
    await store.jobs.enqueue('silent', {}, { id: randomUUID(), key: 'k' });
    await vi.waitFor(() => expect(steps).toEqual(['run 1']), patient);
    network.swallow();
    const began = performance.now();
    await vi.waitFor(() => expect(steps).toEqual(['run 1', 'aborted']), patient);
    expect(performance.now() - began).toBeLessThan(13_000);
    network.restore();
    await vi.waitFor(() => expect(steps).toEqual(['run 1', 'aborted', 'run 2']), patient);
  }, 60_000);
});
