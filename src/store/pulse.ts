import type { PgBoss } from 'pg-boss';
import type { Log } from '../core/ports.ts';
import { sleep } from '../core/sleep.ts';
import type { Dispatcher, Run } from './dispatcher.ts';
import { abandoned, failOver, touch } from './job-rows.ts';
import type { Sql } from './sql.ts';

/** What was missed by every other wake-up (due retries, lost notifications) is found this late. */
const BEAT_MS = 2_000;
/**
 * A running job untouched for so long counts as abandoned, and its own process stops working on it. Four missed beats: a
 * crash is noticed within 10 to 12 s, a busy process is not mistaken for a dead one.
 */
const SILENT_MS = 10_000;

/**
 * The regular round: fetches what nobody announced and, where several processes share a database, keeps this one's jobs
 * alive and takes over those of the dead.
 */
export function startPulse(
  sql: Sql,
  boss: PgBoss,
  dispatchers: ReadonlyMap<string, Dispatcher>,
  log: Log,
): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const beat = async (dispatcher: Dispatcher): Promise<void> => {
    if (sql.kind === 'postgres') {
      await confirm(sql, dispatcher);
      await takeOver(sql, boss, dispatcher, log);
    }
    dispatcher.kick();
  };
  const run = async (): Promise<void> => {
    let failing = false;
    while (!stopped.signal.aborted) {
      await sleep(BEAT_MS, stopped.signal);
      for (const result of await Promise.allSettled([...dispatchers.values()].map(beat))) {
        if (result.status === 'fulfilled') failing = false;
        else if (!failing) {
          failing = true;
          log.warn({ err: result.reason }, 'heartbeats cannot be written');
        }
      }
    }
  };
  const running = run();
  return {
    async stop() {
      stopped.abort();
      await running;
    },
  };
}

/** Renews the claims; jobs that are no longer ours, or may not be, are aborted. */
async function confirm(sql: Sql, { queue, runs }: Dispatcher): Promise<void> {
  const mine = [...runs.values()].filter(({ lost }) => !lost);
  if (mine.length === 0) return;
  const before = performance.now();
  // Beside the statement, since that may take longer than the claims last.
  const watch = setTimeout(() => mine.filter(isOverdue).forEach(lose), SILENT_MS - BEAT_MS);
  try {
    const kept = await touch(sql, queue, mine);
    for (const run of mine) {
      if (kept.has(run.id)) run.confirmedAt = before;
      else if (runs.get(run.id) === run) lose(run);
    }
  } catch (error) {
    mine.filter(isOverdue).forEach(lose);
    throw error;
  } finally {
    clearTimeout(watch);
  }
}

async function takeOver(sql: Sql, boss: PgBoss, { queue }: Dispatcher, log: Log): Promise<void> {
  const claims = await abandoned(sql, queue, SILENT_MS);
  if (claims.length === 0) return;
  log.warn({ queue, jobs: claims.map(({ id }) => id) }, 'taking over jobs of a process that went away');
  await failOver(sql, boss, queue, claims, 'its process went away');
}

function isOverdue({ confirmedAt }: Run): boolean {
  return performance.now() - confirmedAt >= SILENT_MS;
}

function lose(run: Run): void {
  run.lost = true;
  run.abort.abort();
}
