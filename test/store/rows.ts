import type { Sql } from '../../src/store/sql.ts';

/** How many rows a key-value namespace has, expired ones included. */
export async function countRows(sql: Sql, namespace: string): Promise<number> {
  const [row] = await sql.query<{ rows: number }>(
    'select count(*)::int as rows from footnote.key_values where namespace = $1',
    [namespace],
  );
  return row?.rows ?? 0;
}
