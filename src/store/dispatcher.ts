import type { PgBoss } from 'pg-boss';
import { sleep } from '../core/concurrency.ts';
import type { Job, Log } from '../core/ports.ts';
import { RETRY_LIMIT } from './boss.ts';
import type { Claim } from './job-rows.ts';
import type { Sql } from './sql.ts';

/** How a job's data is kept, see `Queryable.query` for why it is a string. */
export interface PackedData {
  readonly json: string;
}

/** A job this process is working on. */
export interface JobRun extends Claim {
  readonly abort: AbortController;
  /** When the database last confirmed that it is ours, by `performance.now`; updated by the heartbeat. */
  confirmedAt: number;
  /** Another process has it now: nothing more is written for it. */
  lost: boolean;
  /** Resolves when the handler has returned and the outcome is written or given up. Never rejects. */
  done: Promise<void>;
}

/** Fetches and runs the jobs of one queue. */
export interface Dispatcher {
  readonly queue: string;
  readonly runs: ReadonlySet<JobRun>;
  /** There may be something to fetch. */
  wake(): void;
  /** Fetches nothing any more; resolves once no fetch is under way. */
  close(): Promise<void>;
}

/** What a dispatcher works with; at most `slots` jobs run at a time. */
export interface DispatcherOptions {
  readonly boss: PgBoss;
  readonly sql: Sql;
  readonly queue: string;
  readonly slots: number;
  readonly handler: (job: Job<object>) => Promise<void>;
  /** A job has failed in its last run. */
  readonly onDying: () => void;
  readonly log: Log;
}

/** While the database cannot be reached, outcomes are tried again at this pace. */
const SETTLE_RETRY_MS = 500;
/**
 * Jobs that begin per fetch. The next fetch waits for a connection behind the statements of what has begun, so a process that
 * cannot keep up begins less. With 1,000 answers at once a limit of 20 had Slack wait for more than 3 s, and none had the last
 * words come up to 14 s late (`npm run bench -- --concurrency 1000`).
 */
const MAX_FETCHED = 5;

/**
 * Fetches jobs of one queue while there are some and slots are free, whenever it is woken, and runs them. pg-boss' own `work()` is not used:
 * it polls once per slot, and a notification wakes every idle slot for one job (12.38).
 */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { boss, sql, queue, slots, log } = options;
  const runs = new Set<JobRun>();
  const state = { isWoken: false, isFetching: false, isFailing: false, isClosed: false };
  let fetching = Promise.resolve();

  const start = (job: FetchedJob, confirmedAt: number): void => {
    const run = startRun(options, job, confirmedAt);
    runs.add(run);
    void run.done.then(() => {
      runs.delete(run);
      wake();
    });
  };
  const fetchOnce = async (count: number): Promise<void> => {
    // The database writes the first heartbeat after this; of the two times the earlier one is the safe one.
    const before = performance.now();
    try {
      const rows = await boss.fetch<PackedData>(queue, { batchSize: count, db: sql });
      for (const row of rows) start(row, before);
      if (rows.length === count) state.isWoken = true;
      if (state.isFailing) log.info({ queue }, 'fetching works again');
      state.isFailing = false;
    } catch (error) {
      if (!state.isFailing) log.warn({ queue, err: error }, 'jobs cannot be fetched; trying again');
      state.isFailing = true;
    }
  };
  const fetchWhileWoken = async (): Promise<void> => {
    state.isFetching = true;
    while (state.isWoken && !state.isClosed && runs.size < slots) {
      state.isWoken = false;
      await fetchOnce(Math.min(slots - runs.size, MAX_FETCHED));
    }
    state.isFetching = false;
  };
  const wake = (): void => {
    state.isWoken = true;
    if (!state.isFetching) fetching = fetchWhileWoken();
  };
  return {
    queue,
    runs,
    wake,
    async close() {
      state.isClosed = true;
      await fetching;
    },
  };
}

interface FetchedJob extends Claim {
  readonly data: PackedData;
}

function startRun(
  options: DispatcherOptions,
  { id, retryCount, data }: FetchedJob,
  confirmedAt: number,
): JobRun {
  const abort = new AbortController();
  const run: JobRun = { id, retryCount, abort, confirmedAt, lost: false, done: Promise.resolve() };
  run.done = runHandler(options.handler, run, data).then((failure) => settle(options, run, failure));
  return run;
}

/** Runs the handler. Resolves with what it threw, wrapped, or null. */
async function runHandler(
  handler: DispatcherOptions['handler'],
  { id, retryCount, abort }: JobRun,
  packed: PackedData,
): Promise<{ error: unknown } | null> {
  try {
    // It is what `enqueue` packed.
    const data = JSON.parse(packed.json) as object;
    await handler({ id, data, attempt: retryCount + 1, signal: abort.signal });
    return null;
  } catch (error) {
    return { error };
  }
}

/**
 * Writes the outcome of a run, again and again until it is written or the job is no longer ours. An aborted job is left to
 * whoever aborted it.
 */
async function settle(
  options: DispatcherOptions,
  run: JobRun,
  failure: { error: unknown } | null,
): Promise<void> {
  const { queue, log } = options;
  if (failure && !run.abort.signal.aborted) {
    log.error({ queue, job: run.id, attempt: run.retryCount + 1, err: failure.error }, 'a job failed');
  }
  while (!run.lost && !run.abort.signal.aborted) {
    try {
      return await writeOutcome(options, run, failure);
    } catch (error) {
      log.warn({ queue, job: run.id, err: error }, 'an outcome cannot be written; trying again');
      await sleep(SETTLE_RETRY_MS, run.abort.signal);
    }
  }
}

async function writeOutcome(
  { boss, sql, queue, onDying }: DispatcherOptions,
  { id, retryCount }: JobRun,
  failure: { error: unknown } | null,
): Promise<void> {
  // With its retry count pg-boss settles this attempt only.
  const claim: Claim = { id, retryCount };
  if (!failure) {
    await boss.complete(queue, claim, null, { db: sql });
    return;
  }
  const message = failure.error instanceof Error ? failure.error.message : String(failure.error);
  await boss.fail(queue, claim, { message: message.slice(0, 1000) }, { db: sql });
  if (retryCount >= RETRY_LIMIT) onDying();
}
