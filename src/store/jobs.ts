import type { Db, PgBoss } from 'pg-boss';
import { sleep } from '../core/concurrency.ts';
import type { Job, Jobs, Log, NextJob } from '../core/ports.ts';
import { type Alarms, createAlarms } from './alarms.ts';
import { ensureQueue, startBoss } from './boss.ts';
import type { Dispatcher, Packed } from './dispatcher.ts';
import { createDispatcher } from './dispatcher.ts';
import type { Janitor, OnDead } from './janitor.ts';
import { startJanitor } from './janitor.ts';
import { abandoned, type Claim, countKey, failOver, isKnown } from './job-rows.ts';
import { createKeyOrder } from './key-order.ts';
import { createLoopGauge } from './loop-gauge.ts';
import { startPulse } from './pulse.ts';
import type { Queryable, Sql } from './sql.ts';

/** Aborted handlers get this long to return before their jobs are handed to others. */
const ABORT_PATIENCE_MS = 1_500;

/** The queue, with what the port leaves to the implementation. */
export interface StoreJobs extends Jobs {
  /** As the port says. `onDead` is told of a job that has had all its runs, before its key is released. */
  work<T extends object>(
    queue: string,
    slots: number,
    handler: Handler<T>,
    onDead?: OnDead<T>,
  ): Promise<void>;
  /**
   * Runs statements and puts `next` into the queue in one transaction: both are on disk, or neither. Nothing is enqueued when
   * `run` returns null. Unlike `enqueue` it keeps no order between calls of the same moment.
   */
  with<T>(next: readonly NextJob[], run: (tx: Queryable) => Promise<T | null>): Promise<T | null>;
  /** After `stop`: ends what runs in the background. */
  close(): Promise<void>;
}

/**
 * The queue on pg-boss, strictly in order per key. A job whose process dies is run again: on Postgres by another process
 * within some 12 s, on PGlite as soon as the process is back.
 */
export async function openJobs(sql: Sql, log: Log): Promise<StoreJobs> {
  const dispatchers = new Map<string, Dispatcher>();
  const janitors: Janitor[] = [];
  const wake = (queue: string | null): void => {
    for (const dispatcher of dispatchers.values()) {
      if (queue === null || dispatcher.queue === queue) dispatcher.kick();
    }
  };
  const { boss, channel } = await startBoss(sql, wake, log);
  const pulse = startPulse(sql, boss, dispatchers, log);
  const ensure = createEnsure(boss, sql);
  const gauge = createLoopGauge();
  const alarms = createAlarms(wake);
  let stopping: Promise<void> | null = null;

  const jobs: StoreJobs = {
    ...createSending({ sql, boss, ensure, alarms }),
    depth: (queue, key) => countKey(sql, queue, key),
    knows: (queue, id) => isKnown(sql, queue, id),
    async work<T extends object>(queue: string, slots: number, handler: Handler<T>, onDead?: OnDead<T>) {
      await ensure(queue);
      if (sql.kind === 'pglite') await recover(sql, boss, queue);
      // The casts: what a queue carries has one type, and its senders keep to it.
      const janitor = startJanitor(sql, queue, onDead as OnDead<object> | undefined, () => wake(queue), log);
      const run = handler as Handler<object>;
      const onDying = janitor.kick;
      janitors.push(janitor);
      dispatchers.set(
        queue,
        createDispatcher({ boss, sql, queue, slots, gauge, handler: run, onDying, log }),
      );
      wake(queue);
    },
    stop(graceMs) {
      stopping ??= drain({ sql, boss, dispatchers, janitors, channel, log }, graceMs);
      return stopping;
    },
    async close() {
      await jobs.stop(0);
      await pulse.stop();
      alarms.close();
      gauge.stop();
      await boss.stop({ graceful: false });
    },
  };
  return jobs;
}

type Handler<T> = (job: Job<T>) => Promise<void>;

interface SendingParts {
  readonly sql: Sql;
  readonly boss: PgBoss;
  readonly ensure: (queue: string) => Promise<void>;
  readonly alarms: Alarms;
}

function createSending({ sql, boss, ensure, alarms }: SendingParts): Pick<StoreJobs, 'enqueue' | 'with'> {
  const inOrder = createKeyOrder();
  return {
    async enqueue(queue, data, options) {
      await ensure(queue);
      const job = { queue, data, options };
      const isNew = await inOrder(`${queue} ${options.key}`, () => send(boss, sql.prompt, job));
      if (isNew) alarms.set(queue, options.delayMs ?? 0);
      return isNew;
    },
    async with(next, run) {
      // Before the transaction: on the embedded database everything else waits for its end.
      for (const { queue } of next) await ensure(queue);
      const result = await sql.tx(async (tx) => {
        const result = await run(tx);
        if (result === null) return null;
        const db: Db = {
          executeSql: async (text, values) => ({ rows: [...(await tx.query(text, values))] }),
        };
        for (const job of next) await send(boss, db, job);
        return result;
      });
      if (result !== null) for (const { queue, options } of next) alarms.set(queue, options.delayMs ?? 0);
      return result;
    },
  };
}

async function send(boss: PgBoss, db: Db, { queue, data, options }: NextJob): Promise<boolean> {
  const packed: Packed = { json: JSON.stringify(data) };
  const { id, key, delayMs = 0 } = options;
  const startAfter = delayMs > 0 ? { startAfter: delayMs / 1000 } : {};
  return (await boss.send(queue, packed, { id, singletonKey: key, db, ...startAfter })) !== null;
}

/** Creates each queue once; a failed creation is tried again with the next use. */
function createEnsure(boss: PgBoss, sql: Sql): (queue: string) => Promise<void> {
  const queues = new Map<string, Promise<void>>();
  return (queue) => {
    const known = queues.get(queue);
    if (known) return known;
    const created = ensureQueue(boss, queue, sql);
    queues.set(queue, created);
    created.catch(() => queues.delete(queue));
    return created;
  };
}

/** The data directory is ours alone: what is marked as running was cut off when our predecessor ended. */
async function recover(sql: Sql, boss: PgBoss, queue: string): Promise<void> {
  await failOver(sql, boss, queue, await abandoned(sql, queue, 0), 'the process was stopped');
}

interface Running {
  readonly sql: Sql;
  readonly boss: PgBoss;
  readonly dispatchers: ReadonlyMap<string, Dispatcher>;
  readonly janitors: readonly Janitor[];
  channel(): string | null;
  readonly log: Log;
}

/** The port's `stop`. Jobs keep their heartbeats meanwhile; what is left over is due for others at once. */
async function drain(running: Running, graceMs: number): Promise<void> {
  const all = [...running.dispatchers.values()];
  await Promise.all([...all.map((each) => each.close()), ...running.janitors.map((each) => each.stop())]);
  await settled(all, graceMs);
  const left = all
    .map(({ queue, runs }) => ({ queue, runs: [...runs] }))
    .filter(({ runs }) => runs.length > 0);
  for (const run of left.flatMap(({ runs }) => runs)) run.abort.abort();
  await settled(all, ABORT_PATIENCE_MS);
  for (const { queue, runs } of left) {
    await handOver(running, queue, runs).catch((error: unknown) => {
      running.log.warn(
        { queue, err: error },
        'jobs cannot be handed over; others take them up after a while',
      );
    });
  }
}

async function handOver(
  { sql, boss, channel }: Running,
  queue: string,
  claims: readonly Claim[],
): Promise<void> {
  await failOver(sql, boss, queue, claims, 'its process was stopped');
  const notify = channel();
  if (notify) await sql.query('select pg_notify($1, $2)', [notify, queue]);
}

async function settled(dispatchers: readonly Dispatcher[], withinMs: number): Promise<void> {
  const done = new AbortController();
  const runs = dispatchers.flatMap(({ runs }) => [...runs]);
  void Promise.all(runs.map((run) => run.done)).then(() => done.abort());
  await sleep(withinMs, done.signal);
}
