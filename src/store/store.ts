import { sleep } from '../core/concurrency.ts';
import type { ModelRateLimiter, RequestRates } from '../core/model-rate-limiter.ts';
import type { Answers, KeyValue, Log, Threads } from '../core/ports.ts';
import type { Researches } from '../core/research/ports.ts';
import { createAnswers } from './answers.ts';
import type { StoreJobs } from './jobs.ts';
import { openJobs } from './jobs.ts';
import { createKeyValue } from './key-value.ts';
import type { Lease, LeaseDuties } from './leases.ts';
import { holdOnlyLease, holdPostgresLease } from './leases.ts';
import { migrate } from './migrations.ts';
import { createModelRateLimiter } from './model-rate-limiter.ts';
import { openPglite } from './pglite.ts';
import { openPostgres } from './postgres.ts';
import { createResearches } from './researches.ts';
import { startSweeping } from './retention.ts';
import type { Sql } from './sql.ts';
import { explainUsing, explainWriting } from './store-error.ts';
import { createThreads } from './threads.ts';

/** Where the store is kept. */
export interface StoreOptions {
  /** A Postgres address, or null for the embedded database. */
  readonly databaseUrl: string | null;
  /** Where the embedded database lives; unused with a `databaseUrl`. */
  readonly dataDir: string;
  readonly log: Log;
}

/** Everything that outlives the process. */
export interface Store {
  readonly kind: 'pglite' | 'postgres';
  readonly jobs: StoreJobs;
  readonly answers: Answers;
  readonly threads: Threads;
  readonly researches: Researches;
  /** The rate limiter of all processes that name the same `account`, which must not tell the key. */
  modelRateLimiter(account: string, rates: RequestRates): ModelRateLimiter;
  /** One key space per namespace; the same namespace twice is the same data. */
  keyValue(namespace: string): KeyValue;
  /** For what only one process at a time may do. */
  holdLease(name: string, duties: LeaseDuties): Lease;
  /** Resolves when the database takes a row within 2 s; rejects with the reason, in words for an operator. */
  ping(): Promise<void>;
  /** Stops the queue if that has not been done and closes the database. Leases are to be stopped before. */
  close(): Promise<void>;
}

const PING_MS = 2_000;
/** A database that does not answer must not keep the process from ending. */
const CLOSE_MS = 4_000;

/**
 * Opens Postgres or the embedded database, brings its tables up to date and starts the queue.
 * @throws {StoreError} with one clear line for every fault an operator can cure, within 5 s
 */
export async function openStore({ databaseUrl, dataDir, log }: StoreOptions): Promise<Store> {
  const sql = databaseUrl === null ? await openPglite(dataDir, log) : await openPostgres(databaseUrl, log);
  let jobs: StoreJobs;
  try {
    await migrate(sql);
    jobs = await openJobs(sql, log);
  } catch (error) {
    await sql.close();
    throw (databaseUrl !== null && explainUsing(databaseUrl, error)) || error;
  }
  const sweeping = startSweeping(sql, log);
  let closing: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    await withTimeout(CLOSE_MS, Promise.all([sweeping.stop(), jobs.close()]));
    await withTimeout(CLOSE_MS, sql.close());
  };
  return {
    kind: sql.kind,
    jobs,
    answers: createAnswers(sql),
    threads: createThreads(sql),
    researches: createResearches(sql, jobs),
    modelRateLimiter: (account, rates) => createModelRateLimiter(sql, account, rates),
    keyValue: (namespace) => createKeyValue(sql, namespace),
    holdLease: (name, duties) =>
      databaseUrl === null ? holdOnlyLease(duties) : holdPostgresLease(databaseUrl, name, duties),
    ping: () => ping(sql),
    close() {
      closing ??= close();
      return closing;
    },
  };
}

async function ping(sql: Sql): Promise<void> {
  const written = createKeyValue(sql, 'ping')
    .set('ping', true)
    .then(() => true);
  const isWritten = await withTimeout(PING_MS, written).catch((error: unknown) => {
    throw new Error(explainWriting(error), { cause: error });
  });
  if (!isWritten) throw new Error('the store does not answer');
}

/** Resolves with the result, or with null when it takes too long. */
async function withTimeout<T>(ms: number, result: Promise<T>): Promise<T | null> {
  const done = new AbortController();
  const late = sleep(ms, done.signal).then(() => null);
  try {
    return await Promise.race([result, late]);
  } finally {
    done.abort();
  }
}
