import type { PgBoss } from 'pg-boss';
import { type JobOwner, ownerKey } from '../core/types.ts';
import type { Claim, PackedData } from './job-rows.ts';
import type { Queryable, Sql } from './sql.ts';

/** How many jobs may run at once, over all processes; 0 for any number. */
export interface OwnerLimits {
  readonly perPerson: number;
  /** Those that gave their slot back count as well: all of them wait for the posts of this channel. */
  readonly perChannel: number;
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
 * Claims up to `count` jobs in fair order: one of each person, then of each channel, each workspace and each platform, what runs
 * counted as rounds they have had. Jobs without an owner, and those that were interrupted, come first and have no limit. `freed`
 * have given their slots back. The claim itself is pg-boss' own; what it lacks is a limit for several kinds of groups, and an
 * order between them (12.38.0).
 */
export async function claimFairly(
  { boss, sql, queue, limits }: FairClaim,
  count: number,
  freed: readonly string[],
): Promise<{ readonly jobs: readonly FetchedJob[]; readonly isMoreWaiting: boolean }> {
  const claim = async (db: Queryable) => {
    const { perPerson, perChannel, perWorkspace } = limits;
    const params = [queue, freed, perPerson, perChannel, perWorkspace, count];
    const [row] = await db.query<{ chosen: number; isMoreWaiting: boolean }>(CHOOSE, params);
    const { chosen = 0, isMoreWaiting = true } = row ?? {};
    const options = { batchSize: chosen, minPriority: CHOSEN, db };
    const jobs = chosen === 0 ? [] : await boss.fetch<PackedData>(queue, options);
    return { jobs, isMoreWaiting: isMoreWaiting || jobs.length < chosen };
  };
  // The embedded database has one process, and that has one claim at a time.
  if (sql.kind === 'pglite') return claim(sql);
  // Two processes that chose at the same moment would both give a person's last place away.
  return sql.tx(claim, { lock: `footnote.claim ${queue}` });
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
/** The priority of a running job that has given its slot back. */
const FREED = 2;

/** Answers that ended so long ago are no longer counted as rounds. */
const LATELY = "interval '10 seconds'";

const WORKSPACE = `split_part(group_id, ' ', 1) || ' ' || split_part(group_id, ' ', 2)`;
const OWNERS = `group_id, split_part(group_id, ' ', 1) as platform, ${WORKSPACE} as workspace,
    ${WORKSPACE} || ' ' || coalesce(group_tier, '') as channel`;

/**
 * `held` are the jobs that count towards the limits: those that run, and those that have failed and are about to run again. `rounds`
 * are those that ran lately as well: without them the one slot that is free would always go to whoever has waited longest. `place` is a job's place among what is due of the same owner.
 */
const CHOOSE = `
  with freed as (
    update pgboss.job set priority = ${FREED}
    where name = $1 and id = any($2::uuid[]) and state = 'active' and group_id is not null
  ), ran as (
    select ${OWNERS}, true as is_running, priority < ${FREED} and id <> all($2::uuid[]) as has_slot
    from pgboss.job where name = $1 and state in ('retry', 'active') and group_id is not null
    union all
    select ${OWNERS}, false, false from pgboss.job
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
  ), by_person as (${rounds('due', 'group_id', 'created_on', { limit: '$3', held: 'has_slot' })}),
  by_channel as (${rounds('by_person', 'channel', 'round, created_on', { limit: '$4', held: 'is_running' })}),
  by_workspace as (${rounds('by_channel', 'workspace', 'round, created_on', { limit: '$5', held: 'has_slot' })}),
  by_platform as (${rounds('by_workspace', 'platform', 'round, created_on', { limit: '0', held: 'has_slot' })}),
  chosen as (
    select id, priority from by_platform order by is_first desc, round, created_on, id limit $6
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

/** The jobs of `from`, each with its round among those of the same owner, without what is over the owner's limit. */
function rounds(
  from: string,
  owner: string,
  order: string,
  { limit, held }: { readonly limit: string; readonly held: string },
): string {
  return `
    select id, created_on, priority, group_id, channel, workspace, platform, is_first, place + rounds as round from (
      select f.*, coalesce(r.rounds, 0) as rounds, coalesce(r.held, 0) as held,
        row_number() over (partition by is_first, f.${owner} order by ${order}, id) as place
      from ${from} f left join (
        select ${owner}, count(*) as rounds, count(*) filter (where ${held}) as held from ran group by 1
      ) r using (${owner})
    ) o where is_first or ${limit} = 0 or place + held <= ${limit}`;
}

const WAITING = `
  select count(*) filter (where group_id = $2)::int as person, count(*)::int as workspace
  from pgboss.job
  where name = $1 and state < 'active' and not blocked and group_id collate "C" >= $3 and group_id collate "C" < $4`;
