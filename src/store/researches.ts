import type {
  Created,
  Ending,
  Researches,
  ResearchFilter,
  ResearchLimits,
  ResearchRecord,
} from '../core/research/ports.ts';
import type { Question } from '../core/types.ts';
import type { StoreJobs } from './jobs.ts';
import { COLUMNS, LISTED, type ResearchRow, toAssignments, toRecord } from './research-rows.ts';
import type { Queryable, Sql } from './sql.ts';

/** The most that a list holds, whatever is asked for. */
const MAX_LISTED = 500;

/** The research jobs on SQL. What a change entails is put into the queue in the same transaction. */
export function createResearches(sql: Sql, jobs: StoreJobs): Researches {
  return {
    ...createResearchReader(sql),
    create: (question, name, limits) => sql.tx((tx) => createRecord(tx, question, name, limits)),
    submitting: (id, api) => changesRow(sql, SUBMITTING, [id, api]),
    unsubmitted: (id) => changesRow(sql, UNSUBMITTED, [id]),
    async submitted(id, { upstream, notice = null }, next) {
      const params = [id, upstream, notice];
      const record = await jobs.enqueueWith(next, (tx) => selectRecord(tx, SUBMITTED, params));
      return record ?? selectRecord(sql, LATE_SUBMITTED, [id, upstream]);
    },
    async note(id, note) {
      const { assignments, values } = toAssignments(note);
      if (assignments.length === 0) return;
      const text = `update footnote.research set ${assignments.join(', ')} where id = $1`;
      await sql.query(text, [id, ...values]);
    },
    end(id, ending, next) {
      const notice = ending.outcome === 'stopped' ? 'none' : 'pending';
      const params = [id, ending.outcome, JSON.stringify(ending), notice];
      return jobs.enqueueWith(next, (tx) => selectRecord(tx, END, params));
    },
    noticing: (id, place) => changesRow(sql, NOTICING, [id, place]),
    async noticed(id, state, message, hasFile) {
      await sql.query(NOTICED, [id, state, message && JSON.stringify(message), hasFile]);
    },
    async forget(id) {
      await sql.tx(async (tx) => {
        const record = await selectRecord(tx, `${FIND} for update`, [id]);
        if (!record) return;
        const question = { ...record.question, text: '', quotes: [], attachments: [], title: null };
        const params = [
          id,
          JSON.stringify(question),
          record.ending && JSON.stringify(forgetReport(record.ending)),
        ];
        await tx.query('update footnote.research set question = $2, ending = $3 where id = $1', params);
      });
    },
    async delivered(id) {
      await sql.query('update footnote.research set is_delivered = true where id = $1', [id]);
    },
  };
}

function forgetReport(ending: Ending): Ending {
  if (ending.outcome !== 'done') return ending;
  return { ...ending, report: { ...ending.report, text: '', sources: [] } };
}

/** Reads research jobs; needs no queue. */
export function createResearchReader(sql: Queryable): Pick<Researches, 'find' | 'list' | 'durations'> {
  return {
    find: (id) => selectRecord(sql, FIND, [id]),
    list: (filter, most) => selectRecords(sql, filter, most),
    async durations(effort, most) {
      const rows = await sql.query<{ ms: number }>(DURATIONS, [effort, most]);
      return rows.map(({ ms }) => ms);
    },
  };
}

async function selectRecord(
  db: Queryable,
  text: string,
  params: readonly unknown[],
): Promise<ResearchRecord | null> {
  const [row] = await db.query<ResearchRow>(text, params);
  return row ? toRecord(row) : null;
}

async function changesRow(db: Queryable, text: string, params: readonly unknown[]): Promise<boolean> {
  return (await db.query(text, params)).length > 0;
}

async function createRecord(
  tx: Queryable,
  question: Question,
  name: string,
  { perPerson, perWorkspace }: ResearchLimits,
): Promise<Created> {
  const { platform, workspace, asker } = question;
  // Serialises what is created for this person and in this workspace, so that the limits hold.
  for (const lock of [`person:${platform}:${asker.id}`, `workspace:${platform}:${workspace}`])
    await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`footnote.research.${lock}`]);
  const known = await selectRecord(tx, FIND, [question.id]);
  if (known) return { type: 'known', record: known };
  const own = await selectRecords(tx, { platform, person: asker.id }, MAX_LISTED, LIVE);
  if (own.length >= perPerson) return { type: 'refused', by: 'person', running: own };
  const all = await selectRecords(tx, { platform, workspace }, MAX_LISTED, LIVE);
  if (all.length >= perWorkspace) return { type: 'refused', by: 'workspace', running: all };
  const record = await selectRecord(tx, CREATE, toValues(question, name));
  if (!record) throw new Error('a research job was not created');
  return { type: 'new', record };
}

function toValues(question: Question, name: string): readonly unknown[] {
  const { id, platform, workspace, asker, thread, research } = question;
  const effort = research?.effort ?? 'medium';
  const place = thread && JSON.stringify(thread);
  return [id, name, platform, workspace, asker.id, effort, JSON.stringify(question), place];
}

async function selectRecords(
  db: Queryable,
  { person: asker, ...filter }: ResearchFilter,
  most: number,
  condition = 'true',
): Promise<readonly ResearchRecord[]> {
  const wanted = Object.entries({ ...filter, asker }).filter(([, value]) => value !== undefined);
  const equal = wanted.map(([column], index) => `${column} = $${index + 2}`);
  const rows = await db.query<ResearchRow>(
    `select ${LISTED} from footnote.research where ${[condition, ...equal].join(' and ')}
     order by begun_at desc, id limit $1`,
    [Math.min(most, MAX_LISTED), ...wanted.map(([, value]) => value)],
  );
  return rows.map(toRecord);
}

const LIVE = "state in ('begun', 'submitting', 'running')";

const FIND = `select ${COLUMNS} from footnote.research where id = $1`;

const CREATE = `
  insert into footnote.research (id, name, platform, workspace, asker, effort, question, thread)
  values ($1, $2, $3, $4, $5, $6, $7, $8)
  returning ${COLUMNS}`;

const SUBMITTING = `
  update footnote.research set state = 'submitting', api = $2 where id = $1 and state = 'begun' returning 1 as ok`;

const UNSUBMITTED = `
  update footnote.research
  set api = null, state = case when state = 'submitting' then 'begun' else state end
  where id = $1 and upstream is null and state in ('submitting', 'stopped')
  returning 1 as ok`;

const SUBMITTED = `
  update footnote.research set state = 'running', upstream = $2, remark = $3, submitted_at = now()
  where id = $1 and state = 'submitting'
  returning ${COLUMNS}`;

// A stop came first: the upstream id is kept, since the job has to be cancelled there too.
const LATE_SUBMITTED = `
  update footnote.research set upstream = coalesce(upstream, $2), submitted_at = coalesce(submitted_at, now())
  where id = $1
  returning ${COLUMNS}`;

const END = `
  update footnote.research set state = $2, ending = $3, notice = $4, ended_at = now()
  where id = $1 and ${LIVE}
  returning ${COLUMNS}`;

const NOTICING = `
  update footnote.research set notice = 'sending', notice_place = $2
  where id = $1 and notice in ('pending', 'sending')
  returning 1 as ok`;

const NOTICED = `
  update footnote.research set notice = $2, notice_message = $3, has_file = $4
  where id = $1 and notice in ('pending', 'sending')`;

const DURATIONS = `
  select (extract(epoch from ended_at - begun_at) * 1000)::float8 as ms from footnote.research
  where effort = $1 and state = 'done' order by ended_at desc limit $2`;
