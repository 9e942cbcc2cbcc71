import type { Log } from '../core/ports.ts';
import { claimDead, type DeadRow, releaseKey } from './job-rows.ts';
import { type Repetition, repeat } from './repeat.ts';
import type { Sql } from './sql.ts';

/** A job that has failed as often as it may. */
interface DeadJob<T> {
  readonly id: string;
  readonly data: T;
  /** How many runs it has had. */
  readonly attempts: number;
}

/** Called for a dead job before its key is released; at least once, and again later when it rejects. */
export type OnDead<T> = (job: DeadJob<T>) => Promise<void>;

const ROUND_MS = 15_000;
/** Longer than an explanation takes to be posted. */
const LEASE_MS = 60_000;
/** A key whose dead job cannot be explained is released all the same. */
const GIVE_UP_MS = 5 * 60_000;

/**
 * Looks for dead jobs at once, when woken and every 15 s: tells `onDead` (which explains the failure to the asker), then
 * releases the key that the job blocks. Of several processes one takes each job.
 */
export function watchDeadJobs(
  sql: Sql,
  queue: string,
  onDead: OnDead<object> | undefined,
  onReleased: () => void,
  log: Log,
): Repetition {
  const clear = async (row: DeadRow): Promise<void> => {
    const job = { id: row.id, attempts: row.retryCount + 1 };
    log.error(
      { queue, job: job.id, attempts: job.attempts, output: row.output },
      'a job has failed for good',
    );
    try {
      // It is what `enqueue` packed.
      await onDead?.({ ...job, data: JSON.parse(row.data.json) as object });
    } catch (error) {
      log.error({ queue, job: job.id, err: error }, 'a dead job could not be explained');
      if (row.deadForMs < GIVE_UP_MS) return;
    }
    await releaseKey(sql, queue, row.id);
    onReleased();
  };
  const clearAll = async (): Promise<void> => {
    for (const row of await claimDead(sql, queue, LEASE_MS)) await clear(row);
  };
  const watch = repeat(ROUND_MS, clearAll, log, { task: 'looking for dead jobs', queue });
  watch.wake();
  return watch;
}
