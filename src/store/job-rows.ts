import type { PgBoss } from 'pg-boss';
import type { Queryable, Sql } from './sql.ts';

/**
 * What pg-boss has no call for, or not one that says enough, as statements on its documented job table. The version is
 * pinned exactly; look here when it moves.
 */

/** A claim on a job: an attempt is known by the retry count it was fetched with. */
export interface Claim {
  readonly id: string;
  readonly retryCount: number;
}

/** How a job's data is kept, see `Queryable.query` for why it is a string. */
export interface PackedData {
  readonly json: string;
}

/** Counts the waiting and running jobs of a key. Each half is answered from an index. */
export async function countKey(sql: Sql, queue: string, key: string): Promise<number> {
  const [row] = await sql.query<{ depth: number }>(
    `select (
        (select count(*) from pgboss.job where name = $1 and singleton_key = $2 and state < 'active')
      + (select count(*) from pgboss.job where name = $1 and singleton_key = $2 and state = 'active'
           and policy = 'key_strict_fifo')
     )::int as depth`,
    [queue, key],
  );
  return row?.depth ?? 0;
}

/** Replaces the data of a job, only of one that was never begun if `isWaiting`. False when there is none. */
export async function replaceData(
  db: Queryable,
  queue: string,
  id: string,
  data: PackedData,
  isWaiting: boolean,
): Promise<boolean> {
  const rows = await db.query(
    `update pgboss.job set data = $3::jsonb
     where name = $1 and id = $2 and (not $4 or state = 'created') returning 1 as ok`,
    [queue, id, JSON.stringify(data), isWaiting],
  );
  return rows.length > 0;
}

/** Finds the running jobs without a heartbeat for so long; all running ones when 0. */
export function findAbandoned(db: Queryable, queue: string, silentMs: number): Promise<readonly Claim[]> {
  return db.query<Claim>(
    `select id, retry_count as "retryCount" from pgboss.job
     where name = $1 and state = 'active' and policy = 'key_strict_fifo'
       and ($2 = 0 or heartbeat_on < now() - $2 * interval '1 millisecond')`,
    [queue, silentMs],
  );
}

/** Takes running jobs away from their process: due again at once, which all processes hear, or dead after their last run. */
export async function failOver(
  db: Queryable,
  boss: PgBoss,
  queue: string,
  claims: readonly Claim[],
  why: string,
): Promise<void> {
  if (claims.length === 0) return;
  await boss.fail(queue, [...claims], { message: why }, { db });
  // The delay between runs is for handlers that failed; these did not.
  await Promise.all(claims.map(({ id }) => boss.update(queue, undefined, { id, startAfter: 0, db })));
}

/** A job that has had all its runs, and now blocks its key. */
export interface DeadRow {
  readonly id: string;
  readonly retryCount: number;
  readonly data: PackedData;
  readonly output: unknown;
  readonly deadForMs: number;
}

/**
 * Claims the dead jobs of a queue for `leaseMs`, so that of several processes one explains each. The heartbeat column, unused
 * in this state, carries the claim.
 */
export function claimDead(sql: Sql, queue: string, leaseMs: number): Promise<readonly DeadRow[]> {
  return sql.query<DeadRow>(
    `update pgboss.job set heartbeat_on = now()
     where name = $1 and state = 'failed' and policy = 'key_strict_fifo'
       and (heartbeat_on is null or heartbeat_on < now() - $2 * interval '1 millisecond')
     returning id, retry_count as "retryCount", data, output,
       (extract(epoch from now() - completed_on) * 1000)::float8 as "deadForMs"`,
    [queue, leaseMs],
  );
}

/** Unblocks the key of a dead job. The row stays, so that its id remains known. */
export async function releaseKey(sql: Sql, queue: string, id: string): Promise<void> {
  await sql.query(
    `update pgboss.job set state = 'cancelled' where name = $1 and id = $2 and state = 'failed'`,
    [queue, id],
  );
}
