import type { PgBoss } from 'pg-boss';
import { sleep } from '../core/concurrency.ts';
import type { Job, Log } from '../core/ports.ts';
import { createBatch } from './batch.ts';
import { RETRY_LIMIT } from './boss.ts';
import type { Claim } from './job-rows.ts';
import type { LoopGauge } from './loop-gauge.ts';
import { createPump } from './pump.ts';
import type { Sql } from './sql.ts';

/** How a job's data is kept, see `Queryable.query` for why it is a string. */
export interface Packed {
  readonly json: string;
}

/** A job this process is working on. */
export interface Run extends Claim {
  readonly abort: AbortController;
  /** When the database last knew that it is ours, by `performance.now`; updated by the pulse. */
  confirmedAt: number;
  /** Somebody else has it now: nothing more is written for it. */
  lost: boolean;
  /** Resolves when the handler has returned and the outcome is written or given up. Never rejects. */
  done: Promise<void>;
}

export interface Dispatcher {
  readonly queue: string;
  readonly runs: ReadonlySet<Run>;
  /** There may be something to fetch. */
  kick(): void;
  /** Fetches nothing any more; resolves once no fetch is under way. */
  close(): Promise<void>;
}

export interface DispatcherOptions {
  readonly boss: PgBoss;
  readonly sql: Sql;
  readonly queue: string;
  readonly slots: number;
  readonly gauge: LoopGauge;
  readonly handler: (job: Job<object>) => Promise<void>;
  /** A job has failed in its last run. */
  readonly onDying: () => void;
  readonly log: Log;
}

/** While the database cannot be reached, outcomes are tried again at this pace. */
const SETTLE_RETRY_MS = 500;

/** At most this many jobs begin in one turn, so that the loop's lateness is seen before more do. */
const MOST_AT_ONCE = 20;
/** While the loop is late one job begins in this time: an overloaded process slows down and never stands still. */
const LATE_PAUSE_MS = 100;

/**
 * One loop per queue that fetches for all free slots at once; it sleeps until it is kicked. Outcomes are written in batches,
 * fenced by the attempt.
 */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { boss, sql, queue, slots, gauge, log } = options;
  const runs = new Set<Run>();
  const settle = createSettling(options);
  let failing = false;

  const start = (id: string, retryCount: number, data: Packed, confirmedAt: number): void => {
    const abort = new AbortController();
    const run: Run = { id, retryCount, abort, confirmedAt, lost: false, done: Promise.resolve() };
    runs.add(run);
    run.done = perform(options.handler, run, data)
      .then((failure) => settle(run, failure))
      .finally(() => {
        runs.delete(run);
        pump.kick();
      });
  };
  const pump = createPump(async () => {
    const isLate = gauge.isLate();
    const free = Math.min(slots - runs.size, isLate ? 1 : MOST_AT_ONCE);
    if (free <= 0) return;
    if (isLate) await sleep(LATE_PAUSE_MS);
    // The heartbeat is written after this: the earlier time is the safe one.
    const before = performance.now();
    try {
      const rows = await boss.fetch<Packed>(queue, { batchSize: free, db: sql.prompt });
      for (const { id, retryCount, data } of rows) start(id, retryCount, data, before);
      if (failing) log.info({ queue }, 'fetching works again');
      failing = false;
      if (rows.length === free) pump.kick();
    } catch (error) {
      if (!failing) log.warn({ queue, err: error }, 'jobs cannot be fetched; trying again');
      failing = true;
    }
  });
  return { queue, runs, kick: pump.kick, close: pump.close };
}

/** Runs the handler. Resolves with what it threw, wrapped, or null. */
async function perform(
  handler: DispatcherOptions['handler'],
  { id, retryCount, abort }: Run,
  packed: Packed,
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

/** Writes outcomes until they are written, or the job is no longer ours. An aborted job is left for whoever aborted it. */
function createSettling({ boss, sql, queue, onDying, log }: DispatcherOptions) {
  const complete = createBatch<Claim>(async (claims) => {
    await boss.complete(queue, [...claims], null, { db: sql.prompt });
  });
  const write = async (run: Run, failure: { error: unknown } | null): Promise<void> => {
    const claim: Claim = { id: run.id, retryCount: run.retryCount };
    if (!failure) return complete(claim);
    const message = failure.error instanceof Error ? failure.error.message : String(failure.error);
    await boss.fail(queue, [claim], { message: message.slice(0, 1000) }, { db: sql.prompt });
    if (run.retryCount >= RETRY_LIMIT) onDying();
  };
  return async (run: Run, failure: { error: unknown } | null): Promise<void> => {
    if (failure && !run.abort.signal.aborted) {
      log.error({ queue, job: run.id, attempt: run.retryCount + 1, err: failure.error }, 'a job failed');
    }
    while (!run.lost && !run.abort.signal.aborted) {
      try {
        return await write(run, failure);
      } catch (error) {
        log.warn({ queue, job: run.id, err: error }, 'an outcome cannot be written; trying again');
        await sleep(SETTLE_RETRY_MS, run.abort.signal);
      }
    }
  };
}
