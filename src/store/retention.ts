import type { Log } from '../core/ports.ts';
import { type Repetition, repeat } from './repeat.ts';
import type { Sql } from './sql.ts';

/** The condition for a row of each table to be past its time. */
function expiryConditions(): Readonly<Record<string, string>> {
  return {
    // An answer is needed for its Retry and Continue buttons, which nobody presses after a week.
    'footnote.answers': "begun_at < now() - interval '7 days'",
    // A reply to an old message has to find its thread: as long as the thread is kept.
    'footnote.answer_messages': "posted_at < now() - interval '90 days'",
    // A thread nobody has spoken in for so long is over; being called again joins it anew.
    'footnote.threads': "touched_at < now() - interval '90 days'",
    // Reports take room; the history of their threads is kept elsewhere.
    'footnote.research': "begun_at < now() - interval '90 days'",
    // The longest wait, and the minute after it that it counts for.
    'footnote.request_slots': "at < now() - interval '1 hour'",
    'footnote.request_budgets': "used_at < now() - interval '7 days'",
    // By the clock of this process, as Keyv counts.
    'footnote.key_values': `expires_ms <= ${Date.now()}`,
  };
}

const SWEEP_EVERY_MS = 10 * 60_000;
/** Small enough that nobody waits for a slice, even where the database is in this process. */
const SLICE = 500;

/** Deletes what is past its time, every ten minutes. The first time is after one interval, so that a start is not slowed down. */
export function startSweeping(sql: Sql, log: Log): Repetition {
  return repeat(SWEEP_EVERY_MS, (stopped) => deleteExpired(sql, stopped), log, { task: 'deleting old rows' });
}

/** Deletes what is past its time, a slice at a time, until nothing is left or the signal is aborted. */
export async function deleteExpired(sql: Sql, signal: AbortSignal): Promise<void> {
  for (const [table, condition] of Object.entries(expiryConditions())) {
    // By its place, not by its key: a row that somebody renews meanwhile has another place, and stays.
    const statement = `
      delete from ${table}
      where ctid = any(array(select ctid from ${table} where ${condition} limit ${SLICE})) returning 1`;
    let deleted = SLICE;
    while (deleted === SLICE && !signal.aborted) deleted = (await sql.query(statement)).length;
  }
}
