import type { PgBoss } from 'pg-boss';
import { sleep } from '../core/concurrency.ts';
import type { Log } from '../core/ports.ts';
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

/** How often claims are looked at for age; also the most by which an abort may come late. */
const CHECK_MS = 1_000;

/**
 * The regular round: confirms this process's claims on its jobs, fetches what nobody announced and, where several processes
 * share a database, takes over the jobs of dead ones. Jobs that are no longer ours, or may not be, are aborted.
 */
export function startPulse(
  sql: Sql,
  boss: PgBoss,
  dispatchers: ReadonlyMap<string, Dispatcher>,
  log: Log,
): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const shared = sql.kind === 'postgres';
  const beat = async (dispatcher: Dispatcher): Promise<void> => {
    await confirm(sql, dispatcher);
    if (shared) await takeOver(sql, boss, dispatcher, log);
    dispatcher.kick();
  };
  const run = async (): Promise<void> => {
    let failing = false;
    while (!stopped.signal.aborted) {
      await sleep(BEAT_MS, stopped.signal);
      const results = await Promise.allSettled([...dispatchers.values()].map(beat));
      const failed = results.find((result) => result.status === 'rejected');
      if (failed && !failing) log.warn({ err: failed.reason }, 'heartbeats cannot be written');
      failing = failed !== undefined;
    }
  };
  const ageing = shared ? watchAge(dispatchers) : null;
  const running = run();
  return {
    async stop() {
      stopped.abort();
      if (ageing) clearInterval(ageing);
      await running;
    },
  };
}

/** Aborts jobs whose claim has run out, whatever the database connection is doing. */
function watchAge(dispatchers: ReadonlyMap<string, Dispatcher>): NodeJS.Timeout {
  let checkedAt = performance.now();
  return setInterval(() => {
    const now = performance.now();
    // After a stall of the whole process the database is asked first: the jobs may still be ours.
    const wasStalled = now - checkedAt > 3 * CHECK_MS;
    checkedAt = now;
    if (wasStalled) return;
    for (const { runs } of dispatchers.values()) {
      for (const run of runs) if (now - run.confirmedAt >= SILENT_MS) lose(run);
    }
  }, CHECK_MS);
}

async function confirm(sql: Sql, { queue, runs }: Dispatcher): Promise<void> {
  const mine = [...runs].filter(({ lost }) => !lost);
  if (mine.length === 0) return;
  const before = performance.now();
  const kept = await touch(sql, queue, mine);
  for (const run of mine) {
    if (kept.has(run.id)) run.confirmedAt = before;
    // It may also just have ended.
    else if (runs.has(run)) lose(run);
  }
}

async function takeOver(sql: Sql, boss: PgBoss, { queue }: Dispatcher, log: Log): Promise<void> {
  const claims = await abandoned(sql, queue, SILENT_MS);
  if (claims.length === 0) return;
  log.warn({ queue, jobs: claims.map(({ id }) => id) }, 'taking over jobs of a process that went away');
  await failOver(sql, boss, queue, claims, 'its process went away');
}

function lose(run: Run): void {
  run.lost = true;
  run.abort.abort();
}
