import type { PgBoss } from 'pg-boss';
import { type JobOwner, ownerKey } from '../core/types.ts';
import type { Claim, PackedData } from './job-rows.ts';
import type { Queryable, Sql } from './sql.ts';

/** How many jobs may run at once, over all processes; 0 for any number. */
export interface OwnerLimits {
  readonly perPerson: number;
  readonly perWorkspace: number;
}

/** A job as `boss.fetch` hands it over. */
export interface FetchedJob extends Claim {
  readonly data: PackedData;
}

export interface FairClaim {
  readonly boss: PgBoss;
  readonly sql: Sql;
  readonly queue: string;
  readonly limits: OwnerLimits;
}

/**
 * Claims up to `count` jobs in fair order: one of each person, then of each workspace, then of each platform, what runs counted
 * as rounds they have had. Jobs without an owner, and those that were interrupted, come first and have no limit. `freed` no
 * longer count as running. The claim itself is pg-boss' own; what it lacks is a limit for two kinds of groups, and an order
 * between them (12.38.0).
 */
export async function claimFairly(
  { boss, sql, queue, limits }: FairClaim,
  count: number,
  freed: readonly string[],
): Promise<{ readonly jobs: readonly FetchedJob[]; readonly isMoreWaiting: boolean }> {
  const claim = async (db: Queryable) => {
    const params = [queue, freed, limits.perPerson, limits.perWorkspace, count];
    const [row] = await db.query<{ chosen: number; isMoreWaiting: boolean }>(CHOOSE, params);
    const { chosen = 0, isMoreWaiting = true } = row ?? {};
    const options = { batchSize: chosen, minPriority: CHOSEN, db };
    const jobs = chosen === 0 ? [] : await boss.fetch<PackedData>(queue, options);
    return { jobs, isMoreWaiting: isMoreWaiting || jobs.length < chosen };
  };
  // The embedded database has one process, and that has one claim at a time.
  if (sql.kind === 'pglite') return claim(sql);
  return sql.tx(async (tx) => {
    // Two processes that chose at the same moment would both give a person's last place away.
    await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`footnote.claim ${queue}`]);
    return claim(tx);
  });
}

/** Counts the waiting jobs of a person and of their workspace. */
export async function countWaiting(
  sql: Sql,
  queue: string,
  owner: JobOwner,
): Promise<{ readonly person: number; readonly workspace: number }> {
  const workspace = ownerKey({ ...owner, person: '' });
  const [row] = await sql.query<{ person: number; workspace: number }>(WAITING, [
    queue,
    ownerKey(owner),
    workspace,
    // The next string after all that begin with it.
    workspace.replace(/ $/, '!'),
  ]);
  return row ?? { person: 0, workspace: 0 };
}

/** The priority of a chosen job. It keeps it while it runs, so that what is interrupted is chosen already. */
const CHOSEN = 1;
/** The `tier` of a running job that no longer counts as such. */
const FREED = 'freed';

/** Answers that ended so long ago are no longer counted as rounds. */
const LATELY = "interval '10 seconds'";

const OWNERS = `group_id, split_part(group_id, ' ', 1) as platform,
    split_part(group_id, ' ', 1) || ' ' || split_part(group_id, ' ', 2) as workspace`;

/**
 * `held` are the running jobs that count towards the limits, `rounds` those that ran lately as well: without them the one slot
 * that is free would always go to whoever has waited longest. `place` is a job's place among what is due of the same owner.
 */
const CHOOSE = `
  with freed as (
    update pgboss.job set group_tier = '${FREED}'
    where name = $1 and id = any($2::uuid[]) and state = 'active' and group_id is not null
  ), ran as (
    select ${OWNERS}, group_tier is null and id <> all($2::uuid[]) as is_held
    from pgboss.job where name = $1 and state = 'active' and group_id is not null
    union all
    select ${OWNERS}, false from pgboss.job
    where name = $1 and completed_on > pgboss.job_now() - ${LATELY} and group_id is not null
  ), heads as (
    select distinct on (singleton_key) id, singleton_key, state, created_on, priority, ${OWNERS}
    from pgboss.job
    where name = $1 and state < 'active' and not blocked and policy = 'key_strict_fifo'
      and start_after <= pgboss.job_now()
    order by singleton_key, state desc, created_on, id
  ), due as (
    select h.*, group_id is null or priority >= ${CHOSEN} as is_first from heads h
    where state = 'retry' or singleton_key not in (
      select singleton_key from pgboss.job
      where name = $1 and policy = 'key_strict_fifo' and state in ('active', 'retry', 'failed'))
  ), ${rounds('by_person', 'due', 'group_id', 'created_on', '$3')},
  ${rounds('by_workspace', 'by_person', 'workspace', 'round, created_on', '$4')},
  ${rounds('by_platform', 'by_workspace', 'platform', 'round, created_on', '0')},
  chosen as (
    select id, priority from by_platform order by is_first desc, round, created_on, id limit $5
  ), marked as (
    update pgboss.job j set priority = ${CHOSEN} from chosen
    where j.name = $1 and j.id = chosen.id and chosen.priority < ${CHOSEN} and j.state < 'active'
  )
  select (select count(*) from chosen)::int as chosen,
    exists (
      select 1 from pgboss.job
      where name = $1 and state < 'active' and not blocked and start_after <= pgboss.job_now()
      offset (select count(*) from chosen) limit 1
    ) as "isMoreWaiting"`;

/** Adds the round of each job of `from` among those of the same owner, and leaves out what is over the owner's limit. */
function rounds(name: string, from: string, owner: string, order: string, limit: string): string {
  return `${name} as (
    select id, created_on, priority, group_id, platform, workspace, is_first, place + rounds as round from (
      select f.*, coalesce(r.rounds, 0) as rounds, coalesce(r.held, 0) as held,
        row_number() over (partition by is_first, f.${owner} order by ${order}, id) as place
      from ${from} f left join (
        select ${owner}, count(*) as rounds, count(*) filter (where is_held) as held from ran group by 1
      ) r using (${owner})
    ) o where is_first or ${limit} = 0 or place + held <= ${limit}
  )`;
}

const WAITING = `
  select count(*) filter (where group_id = $2)::int as person, count(*)::int as workspace
  from pgboss.job
  where name = $1 and state < 'active' and not blocked and group_id collate "C" >= $3 and group_id collate "C" < $4`;
