import type { PgBoss } from 'pg-boss';
import type { Log } from '../core/ports.ts';
import type { Dispatcher } from './dispatcher.ts';
import { failOver, findAbandoned } from './job-rows.ts';
import { repeat } from './repeat.ts';
import type { Sql } from './sql.ts';

const BEAT_MS = 2_000;
/**
 * A running job without a heartbeat for so long counts as abandoned, and its own process stops working on it. Four missed
 * beats: a crash is noticed within 10 to 12 s, a busy process is not mistaken for a dead one.
 */
const SILENT_MS = 10_000;
/** How often the age of claims is looked at; also the most by which an abort may come late. */
const CHECK_MS = 1_000;

/**
 * Every 2 s: writes the heartbeats of this process's jobs and, where several processes share a database, makes the jobs of
 * dead ones due again. Jobs that are no longer ours, or may not be, are aborted.
 *
 * A queue's `heartbeatSeconds` would not do: pg-boss (12.38) looks at heartbeats in its monitor pass only, once a minute, and
 * a shorter interval would count whole queues as often.
 */
export function startHeartbeat(
  sql: Sql,
  boss: PgBoss,
  dispatchers: ReadonlyMap<string, Dispatcher>,
  log: Log,
): { stop(): Promise<void> } {
  const isShared = sql.kind === 'postgres';
  const beat = async (dispatcher: Dispatcher): Promise<void> => {
    await confirmRuns(sql, boss, dispatcher);
    if (isShared) await takeOver(sql, boss, dispatcher, log);
  };
  const beatAll = async (): Promise<void> => {
    const results = await Promise.allSettled([...dispatchers.values()].map(beat));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  };
  const beating = repeat(BEAT_MS, beatAll, log, { task: 'heartbeats' });
  const ageing = isShared ? abortAgedRuns(dispatchers) : undefined;
  return {
    async stop() {
      clearInterval(ageing);
      await beating.stop();
    },
  };
}

/** Aborts jobs whose claim has run out, whatever the database connection is doing. */
function abortAgedRuns(dispatchers: ReadonlyMap<string, Dispatcher>): NodeJS.Timeout {
  let checkedAt = performance.now();
  return setInterval(() => {
    const now = performance.now();
    // After a stall of the whole process the database is asked first: the jobs may still be ours.
    const wasStalled = now - checkedAt > 3 * CHECK_MS;
    checkedAt = now;
    if (wasStalled) return;
    for (const { runs } of dispatchers.values()) {
      for (const run of runs) if (now - run.confirmedAt >= SILENT_MS) run.abort.abort();
    }
  }, CHECK_MS);
}

async function confirmRuns(sql: Sql, boss: PgBoss, { queue, runs }: Dispatcher): Promise<void> {
  const mine = [...runs].filter(({ abort }) => !abort.signal.aborted);
  if (mine.length === 0) return;
  const before = performance.now();
  // The cast: which of the claims still hold is missing from its types (12.38.0).
  const { settled } = (await boss.touch(queue, mine, { db: sql.heartbeat })) as {
    settled?: readonly string[];
  };
  if (!settled) throw new Error('pg-boss does not say which jobs it has touched');
  const kept = new Set(settled);
  for (const run of mine) {
    if (kept.has(run.id)) run.confirmedAt = before;
    // It may also just have ended.
    else if (runs.has(run)) run.abort.abort();
  }
}

async function takeOver(sql: Sql, boss: PgBoss, { queue }: Dispatcher, log: Log): Promise<void> {
  const claims = await findAbandoned(sql.heartbeat, queue, SILENT_MS);
  if (claims.length === 0) return;
  log.warn({ queue, jobs: claims.map(({ id }) => id) }, 'taking over jobs of a process that went away');
  await failOver(sql.heartbeat, boss, queue, claims, 'its process went away');
}
