/** Fills a store with what a long time of use would have left there, by multiplying what one real answer left. */
import { openPglite } from '../../src/store/pglite.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import type { Sql } from '../../src/store/sql.ts';
import type { BenchStore } from './database.ts';
import type { Spot } from './platform.ts';

export interface Seed {
  /** Turns to be remembered of each of the spots' threads; every second one is an answer. */
  readonly turns: number;
  readonly spots: readonly Spot[];
  /** How many further threads, of one question and answer each, the store is to hold. */
  readonly stored: number;
}

/** The service must not be running, and must have answered exactly one question on this store. */
export async function seed(store: BenchStore, { turns, spots, stored }: Seed): Promise<void> {
  const sql = await open(store);
  try {
    const [index] = await sql.query<{ key: string }>(
      `select key from footnote.key_values where namespace = 'history' and key not like '%#%'`,
    );
    if (!index) throw new Error('the answered question left no history');
    for (const spot of spots) await makeHistory(sql, index.key, spot.key, Math.floor(turns / 2));
    if (stored > 0) await makeThreads(sql, index.key, stored);
    await sql.query('analyze');
  } finally {
    await sql.close();
  }
}

async function open({ databaseUrl, dataDir }: BenchStore): Promise<Sql> {
  const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
  return databaseUrl === null ? openPglite(dataDir, silent) : openPostgres(databaseUrl, silent);
}

/** The history of a thread: the exchange of `from`, `exchanges` times over. */
async function makeHistory(sql: Sql, from: string, to: string, exchanges: number): Promise<void> {
  await sql.query(
    `insert into footnote.key_values (namespace, key, value, expires_ms)
     select 'history', $2 || '#' || n, value, expires_ms
     from footnote.key_values, generate_series(0, $3::int - 1) as n
     where namespace = 'history' and key = $1 || '#0'`,
    [from, to, exchanges],
  );
  await sql.query(
    `insert into footnote.key_values (namespace, key, value, expires_ms)
     select 'history', $2, replace(value, '"exchanges":1', '"exchanges":' || $3::int), expires_ms
     from footnote.key_values where namespace = 'history' and key = $1`,
    [from, to, exchanges],
  );
}

/** Other threads with all that belongs to them: history, the answer, its message, who speaks there. */
async function makeThreads(sql: Sql, from: string, count: number): Promise<void> {
  await sql.query(
    `insert into footnote.key_values (namespace, key, value, expires_ms)
     select namespace, 'other' || n || substr(key, length($1) + 1), value, expires_ms
     from footnote.key_values, generate_series(1, $2::int) as n
     where namespace = 'history' and (key = $1 or key = $1 || '#0')`,
    [from, count],
  );
  await sql.query(
    `insert into footnote.answers
       (id, attempt, question, asked_in, messages, conclusion, thread, delivered, begun_at, changed_at)
     select 'other' || n, attempt, question, asked_in, messages, conclusion, thread, delivered, begun_at, changed_at
     from footnote.answers, generate_series(1, $1::int) as n`,
    [count],
  );
  await sql.query(
    `insert into footnote.answer_messages (message, answer, thread)
     select 'other' || n, 'other' || n, 'other' || n from generate_series(1, $1::int) as n`,
    [count],
  );
  await sql.query(
    `insert into footnote.threads (thread, speakers)
     select 'other' || n, array['U1'] from generate_series(1, $1::int) as n`,
    [count],
  );
}
