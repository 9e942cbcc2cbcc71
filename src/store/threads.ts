import type { Threads } from '../core/ports.ts';
import { threadKey } from '../core/types.ts';
import type { Sql } from './sql.ts';

/** The core asks whether there are others, not how many hundred. */
const MOST_SPEAKERS = 50;

/**
 * The threads on SQL. The speakers are one array in one row, so that a single update both adds and counts: two replicas
 * hearing two people at once wait for each other at the row and count both. Counting stops at 50.
 */
export function createThreads(sql: Sql): Threads {
  return {
    async join(thread, personId) {
      await sql.query(JOIN, [threadKey(thread), personId]);
    },
    async hear(thread, personId) {
      const [row] = await sql.query<{ speakers: number }>(HEAR, [threadKey(thread), personId]);
      return row?.speakers ?? null;
    },
  };
}

const WITH_SPEAKER = `case when $2 = any(t.speakers) or cardinality(t.speakers) >= ${MOST_SPEAKERS}
  then t.speakers else t.speakers || $2 end`;

const JOIN = `
  insert into footnote.threads as t (thread, speakers) values ($1, array[$2::text])
  on conflict (thread) do update set speakers = ${WITH_SPEAKER}, touched_at = now()`;

const HEAR = `
  update footnote.threads t set speakers = ${WITH_SPEAKER}, touched_at = now()
  where thread = $1
  returning cardinality(speakers) as speakers`;
