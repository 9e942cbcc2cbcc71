import type { Queryable } from './sql.ts';

/** Small enough that nobody waits for a slice, even where the database is in this process. */
const SLICE = 500;

/**
 * Deletes the rows of a table that match, a slice at a time, until none is left or the signal is aborted. Table, key columns
 * and condition are our own constants, never input.
 */
export async function sweep(
  db: Queryable,
  table: string,
  key: string,
  condition: string,
  params: readonly unknown[],
  signal: AbortSignal,
): Promise<void> {
  for (let deleted = SLICE; deleted === SLICE && !signal.aborted; ) {
    const rows = await db.query(
      `delete from ${table} where (${key}) in (select ${key} from ${table} where ${condition} limit ${SLICE}) returning 1`,
      params,
    );
    deleted = rows.length;
  }
}
