import type { PgBoss } from 'pg-boss';
import { sleep } from '../core/concurrency.ts';
import type { Job, Log } from '../core/ports.ts';
import { RETRY_LIMIT } from './boss.ts';
import { type OnDead, watchDeadJobs } from './dead-jobs.ts';
import { claimFairly, type FetchedJob, type OwnerLimits } from './fair-claim.ts';
import type { Claim, PackedData } from './job-rows.ts';
import { repeat } from './repeat.ts';
import type { Sql } from './sql.ts';

/** A job this process is working on. */
interface JobRun extends Claim {
  /** Aborted when the process stops or another one has the job, or may have it: nothing more is written for it then. */
  readonly abort: AbortController;
  /** When the database last confirmed that it is ours, by `performance.now`; updated by the heartbeat. */
  confirmedAt: number;
  holdsSlot: boolean;
  /** Resolves when the handler has returned and the outcome is written or given up. Never rejects. */
  done: Promise<void>;
}

/** Fetches and runs the jobs of one queue, and has the dead ones explained. */
export interface Dispatcher {
  readonly queue: string;
  readonly runs: ReadonlySet<JobRun>;
  /** There may be something to fetch. */
  wake(): void;
  /** Fetches nothing any more; resolves once no fetch is under way. */
  close(): Promise<void>;
  /** After `close`: resolves when the runs have ended, and the explanation of a dead job that is under way. */
  settled(): Promise<void>;
}

/** What a dispatcher works with; at most `slots` jobs hold a slot at a time. */
export interface DispatcherOptions {
  readonly boss: PgBoss;
  readonly sql: Sql;
  readonly queue: string;
  readonly slots: number;
  /** A job that has run for so many milliseconds goes on without its slot. */
  readonly slotMs: number;
  readonly handler: (job: Job<object>) => Promise<void>;
  readonly onDead: OnDead<object> | undefined;
  readonly limits: OwnerLimits | undefined;
  readonly log: Log;
}

/** While the database cannot be reached, outcomes are tried again at this pace. */
const SETTLE_RETRY_MS = 500;
/** What every wake-up missed (due retries, lost notifications) is found this late. */
const POLL_MS = 2_000;
/** A job wakes its own process twice: when it is stored, and by the notification to all, which comes a moment later. */
const GATHER_MS = 2;
/**
 * Jobs that begin per fetch. The next fetch waits for a connection behind the statements of what has begun, so a process that
 * cannot keep up begins less. With 1,000 answers at once a limit of 20 had Slack wait for more than 3 s, and none had the last
 * words come up to 14 s late (`npm run bench -- --concurrency 1000`).
 */
const MAX_FETCHED = 5;

/** So many jobs run for each slot at most, those without a slot included: each has its answer in memory. */
const RUNS_PER_SLOT = 4;

/**
 * Fetches jobs of one queue while there are some and slots are free, whenever it is woken and every 2 s, and runs them. pg-boss'
 * own `work()` is not used: it polls once per slot, and a notification wakes every idle slot for one job (12.38).
 */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { sql, queue, slots, onDead, log } = options;
  const runs = new Set<JobRun>();
  const claim = createClaim(options);
  const fetchAll = async (stopped: AbortSignal): Promise<void> => {
    for (let isMore = true; isMore && !stopped.aborted; ) {
      const held = [...runs].filter(({ holdsSlot }) => holdsSlot).length;
      const count = Math.min(slots - held, RUNS_PER_SLOT * slots - runs.size, MAX_FETCHED);
      if (count <= 0) return claim.skip();
      // The database writes the first heartbeat after this; of the two times the earlier one is the safe one.
      const before = performance.now();
      const rows = await claim.next(count);
      for (const row of rows) start(row, before);
      isMore = rows.length === count;
    }
  };
  const fetching = repeat(POLL_MS, fetchAll, log, { task: 'fetching jobs', queue }, GATHER_MS);
  const dead = watchDeadJobs(sql, queue, onDead, fetching.wake, log);
  // Waking costs statements.
  const wakeForWaiting = (): void => {
    if (claim.isMoreWaiting()) fetching.wake();
  };
  const onSlotFree = ({ id }: JobRun): void => {
    claim.free(id);
    wakeForWaiting();
  };
  const start = (job: FetchedJob, confirmedAt: number): void => {
    const run = startRun(options, job, confirmedAt, { onSlotFree, onDied: dead.wake });
    runs.add(run);
    void run.done.then(() => {
      runs.delete(run);
      wakeForWaiting();
    });
  };
  return {
    queue,
    runs,
    wake: fetching.wake,
    close: fetching.stop,
    async settled() {
      await Promise.all([dead.stop(), ...[...runs].map(({ done }) => done)]);
    },
  };
}

/** Takes the next jobs: fairly where the queue has limits, else in their order. */
function createClaim({ boss, sql, queue, limits }: DispatcherOptions) {
  let freed: readonly string[] = [];
  let isMoreWaiting = true;
  return {
    async next(count: number): Promise<readonly FetchedJob[]> {
      if (!limits) return boss.fetch<PackedData>(queue, { batchSize: count, db: sql });
      const telling = freed;
      const claimed = await claimFairly({ boss, sql, queue, limits }, count, telling);
      freed = freed.slice(telling.length);
      isMoreWaiting = claimed.isMoreWaiting;
      return claimed.jobs;
    },
    /** This job of ours no longer counts as running. The other processes learn it with the next claim. */
    free(id: string): void {
      if (limits) freed = [...freed, id];
    },
    /** Without a free slot nobody looks whether something waits. */
    skip: () => void (isMoreWaiting = true),
    /** Whether jobs may wait that the last claim did not take; what is due later is found when it is. */
    isMoreWaiting: () => isMoreWaiting,
  };
}

function startRun(
  options: DispatcherOptions,
  { id, retryCount, data }: FetchedJob,
  confirmedAt: number,
  { onSlotFree, onDied }: { readonly onSlotFree: (run: JobRun) => void; readonly onDied: () => void },
): JobRun {
  const abort = new AbortController();
  const run: JobRun = { id, retryCount, abort, confirmedAt, holdsSlot: true, done: Promise.resolve() };
  const releaseSlot = (): void => {
    if (!run.holdsSlot) return;
    run.holdsSlot = false;
    onSlotFree(run);
  };
  const long = setTimeout(releaseSlot, options.slotMs).unref();
  run.done = runHandler(options.handler, run, data, releaseSlot)
    .then((failure) => settle(options, run, failure))
    .then(() => {
      clearTimeout(long);
      if (retryCount >= RETRY_LIMIT) onDied();
    });
  return run;
}

/** Runs the handler. Resolves with what it threw, wrapped, or null. */
async function runHandler(
  handler: DispatcherOptions['handler'],
  { id, retryCount, abort }: JobRun,
  packed: PackedData,
  releaseSlot: () => void,
): Promise<{ error: unknown } | null> {
  try {
    // It is what `enqueue` packed.
    const data = JSON.parse(packed.json) as object;
    await handler({ id, data, attempt: retryCount + 1, signal: abort.signal, releaseSlot });
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
  { boss, sql, queue, log }: DispatcherOptions,
  run: JobRun,
  failure: { error: unknown } | null,
): Promise<void> {
  const { signal } = run.abort;
  if (failure && !signal.aborted) {
    log.error({ queue, job: run.id, attempt: run.retryCount + 1, err: failure.error }, 'a job failed');
  }
  while (!signal.aborted) {
    try {
      // With its retry count pg-boss settles this attempt only.
      await (failure
        ? boss.fail(queue, run, { message: describe(failure.error) }, { db: sql })
        : boss.complete(queue, run, null, { db: sql }));
      return;
    } catch (error) {
      log.warn({ queue, job: run.id, err: error }, 'an outcome cannot be written; trying again');
      await sleep(SETTLE_RETRY_MS, signal);
    }
  }
}

function describe(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 1000);
}
