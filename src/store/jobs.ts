import type { PgBoss } from 'pg-boss';
import { createKeyedQueue, sleep } from '../core/concurrency.ts';
import type { Job, Jobs, Log, NextJob } from '../core/ports.ts';
import { ownerKey } from '../core/types.ts';
import { ensureQueue, startBoss } from './boss.ts';
import type { OnDead } from './dead-jobs.ts';
import { createDispatcher, type Dispatcher } from './dispatcher.ts';
import { countWaiting, type OwnerLimits } from './fair-claim.ts';
import { startHeartbeat } from './heartbeat.ts';
import { countKey, failOver, findAbandoned, type PackedData, replaceData } from './job-rows.ts';
import type { Queryable, Sql } from './sql.ts';

/** Aborted handlers get this long to return before their jobs are handed to others. */
const ABORT_PATIENCE_MS = 1_000;

/** A job that runs for longer costs little; many of them, such as endless streams, must not keep all others waiting. */
const SLOT_MS = 60_000;

interface WorkOptions<T> {
  /** Told of a job that has had all its runs, before its key is released. */
  readonly onDead?: OnDead<T>;
  /** A job that has run for so many milliseconds goes on without its slot; a minute when left out. */
  readonly slotMs?: number;
  /** With limits, slots are given in fair order; without, in the order of the jobs. */
  readonly limits?: OwnerLimits;
}

/** The queue, with what takes jobs from it. */
export interface StoreJobs extends Jobs {
  /** Starts taking jobs, as many at a time in this process as there are slots. A handler that throws has its job run again later. */
  work<T extends object>(
    queue: string,
    slots: number,
    handler: Handler<T>,
    options?: WorkOptions<T>,
  ): Promise<void>;
  /**
   * Runs statements and puts `next` into the queue in one transaction: both are on disk, or neither. Nothing is enqueued when
   * `run` returns null. Unlike `enqueue` it keeps no order between calls of the same moment.
   */
  enqueueWith<T>(next: readonly NextJob[], run: (tx: Queryable) => Promise<T | null>): Promise<T | null>;
  /** Takes no new jobs, waits up to `graceMs` for running ones, then aborts them and leaves them to be taken up again. */
  stop(graceMs: number): Promise<void>;
  /** After `stop`: ends what runs in the background. */
  close(): Promise<void>;
}

/**
 * The queue on pg-boss, strictly in order per key. A job whose process dies is run again: on Postgres by another process
 * within some 12 s, on PGlite as soon as the process is back.
 */
export async function openJobs(sql: Sql, log: Log): Promise<StoreJobs> {
  const dispatchers = new Map<string, Dispatcher>();
  const wake = (queue: string | null): void => {
    for (const dispatcher of dispatchers.values()) {
      if (queue === null || dispatcher.queue === queue) dispatcher.wake();
    }
  };
  const boss = await startBoss(sql, wake, log);
  const heartbeat = startHeartbeat(sql, boss, dispatchers, log);
  const ensure = createEnsure(boss, sql);
  let stopping: Promise<void> | null = null;

  const jobs: StoreJobs = {
    ...createSender({ sql, boss, ensure, wake }),
    depth: (queue, key) => countKey(sql, queue, key),
    waiting: (queue, owner) => countWaiting(sql, queue, owner),
    replace: (queue, id, data, which) =>
      replaceData(sql, queue, id, { json: JSON.stringify(data) }, which === 'waiting'),
    async knows(queue, id) {
      await ensure(queue);
      return (await boss.findJobs(queue, { id, db: sql })).length > 0;
    },
    async work<T extends object>(
      queue: string,
      slots: number,
      handler: Handler<T>,
      { onDead, limits, slotMs = SLOT_MS }: WorkOptions<T> = {},
    ) {
      await ensure(queue);
      if (sql.kind === 'pglite') {
        // The data directory has no other owner: what counts as running was cut off when the last process ended.
        await failOver(sql, boss, queue, await findAbandoned(sql, queue, 0), 'the process was stopped');
      }
      // The casts: what a queue carries has one type, and its senders keep to it.
      const handlers = { handler: handler as Handler<object>, onDead: onDead as OnDead<object> | undefined };
      dispatchers.set(queue, createDispatcher({ boss, sql, queue, slots, slotMs, limits, ...handlers, log }));
      wake(queue);
    },
    stop(graceMs) {
      stopping ??= drain({ sql, boss, dispatchers: [...dispatchers.values()], log }, graceMs);
      return stopping;
    },
    async close() {
      await jobs.stop(0);
      await heartbeat.stop();
      await boss.stop({ graceful: false });
    },
  };
  return jobs;
}

type Handler<T> = (job: Job<T>) => Promise<void>;

interface SenderDeps {
  readonly sql: Sql;
  readonly boss: PgBoss;
  readonly ensure: (queue: string) => Promise<void>;
  readonly wake: (queue: string) => void;
}

/** The database counts a delay from the moment of the insert, in whole milliseconds: so much later the job is surely due. */
const DUE_MARGIN_MS = 5;

function createSender({ sql, boss, ensure, wake }: SenderDeps): Pick<StoreJobs, 'enqueue' | 'enqueueWith'> {
  const inOrder = createKeyedQueue();
  // What another process delayed is found by the regular fetch.
  const wakeWhenDue = (queue: string, delayMs = 0): void => {
    if (delayMs <= 0) wake(queue);
    else setTimeout(wake, delayMs + DUE_MARGIN_MS, queue).unref();
  };
  return {
    async enqueue(queue, data, options) {
      await ensure(queue);
      const job = { queue, data, options };
      const key = `${queue} ${options.key}`;
      const sending = inOrder(key, () => send(boss, sql, job));
      // The next of this key waits: jobs are ordered by the database's clock, which counts whole milliseconds on PGlite.
      void inOrder(key, nextMillisecond);
      const isNew = await sending;
      if (isNew) wakeWhenDue(queue, options.delayMs);
      return isNew;
    },
    async enqueueWith(next, run) {
      // Before the transaction: on the embedded database everything else waits for its end.
      for (const { queue } of next) await ensure(queue);
      const result = await sql.tx(async (tx) => {
        const result = await run(tx);
        if (result === null) return null;
        for (const job of next) await send(boss, tx, job);
        return result;
      });
      if (result !== null) for (const { queue, options } of next) wakeWhenDue(queue, options.delayMs);
      return result;
    },
  };
}

async function nextMillisecond(): Promise<void> {
  const now = Date.now();
  while (Date.now() === now) await sleep(1);
}

async function send(boss: PgBoss, db: Queryable, { queue, data, options }: NextJob): Promise<boolean> {
  const packed: PackedData = { json: JSON.stringify(data) };
  const { id, key, delayMs = 0, owner } = options;
  const startAfter = delayMs > 0 ? { startAfter: delayMs / 1000 } : {};
  const tier = owner?.channel ? { tier: owner.channel } : {};
  const group = owner ? { group: { id: ownerKey(owner), ...tier } } : {};
  return (await boss.send(queue, packed, { id, singletonKey: key, db, ...startAfter, ...group })) !== null;
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

interface DrainDeps {
  readonly sql: Sql;
  readonly boss: PgBoss;
  readonly dispatchers: readonly Dispatcher[];
  readonly log: Log;
}

/** Stops taking jobs. What is left of the running jobs is due for other processes at once. */
async function drain({ sql, boss, dispatchers, log }: DrainDeps, graceMs: number): Promise<void> {
  await Promise.all(dispatchers.map((each) => each.close()));
  await untilSettled(dispatchers, graceMs);
  const left = dispatchers.map(({ queue, runs }) => ({ queue, runs: [...runs] }));
  for (const run of left.flatMap(({ runs }) => runs)) run.abort.abort();
  await untilSettled(dispatchers, ABORT_PATIENCE_MS);
  for (const { queue, runs } of left) {
    try {
      await failOver(sql, boss, queue, runs, 'its process was stopped');
    } catch (error) {
      log.warn({ queue, err: error }, 'jobs cannot be handed over; others take them up after a while');
    }
  }
}

/** Resolves when all runs have ended, or after `withinMs`. */
async function untilSettled(dispatchers: readonly Dispatcher[], withinMs: number): Promise<void> {
  const done = new AbortController();
  void Promise.all(dispatchers.map((each) => each.settled())).then(() => done.abort());
  await sleep(withinMs, done.signal);
}
