import type { Heard, Threads } from '../core/ports.ts';
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
    async join(thread, personId, at) {
      await sql.query(JOIN, [threadKey(thread), personId, at]);
    },
    async hear(thread, personId, at) {
      const [row] = await sql.query<Heard>(HEAR, [threadKey(thread), personId, at]);
      return row ?? null;
    },
    async told(thread) {
      await sql.query('update footnote.threads set is_told = true where thread = $1', [threadKey(thread)]);
    },
  };
}

const WITH_SPEAKER = `case when $2::text is null or $2 = any(t.speakers) or cardinality(t.speakers) >= ${MOST_SPEAKERS}
  then t.speakers else t.speakers || $2 end`;

const JOIN = `
  insert into footnote.threads as t (thread, speakers, heard_ms) values ($1, array[$2::text], $3)
  on conflict (thread) do update
    set speakers = ${WITH_SPEAKER}, heard_ms = greatest(t.heard_ms, $3), touched_at = now()`;

// The row is locked before it is read, so that of two messages at once the second hears of the first. One that comes later than
// a newer one counts as newer still: the newer one was asked without it.
const HEAR = `
  update footnote.threads t
  set speakers = ${WITH_SPEAKER}, touched_at = now(),
    heard_ms = case when $3 < t.heard_ms then t.heard_ms + 1 else $3 end
  from (select thread, heard_ms from footnote.threads where thread = $1 for update) was
  where t.thread = was.thread
  returning cardinality(t.speakers) as humans, t.speakers[1] is not distinct from $2 as "isFirst",
    was.heard_ms as before, t.is_told as "isTold"`;
