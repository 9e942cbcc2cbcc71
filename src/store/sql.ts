import type { Db } from 'pg-boss';

/** What somebody waits for gives up after this, so that a dead connection is replaced instead of hanging. */
export const PROMPT_MS = 8_000;
/** Migrations and pg-boss' upkeep may rebuild indexes. */
export const UPKEEP_MS = 600_000;

/** Anything that runs one statement: the database or an open transaction. As a `Db` it can be given to pg-boss' calls. */
export interface Queryable extends Db {
  /**
   * Runs one statement in Postgres' dialect with `$1` parameters and resolves with its rows. JSON goes in and out as text
   * (`JSON.stringify`), since `jsonb` refuses NUL characters and lone surrogates, which people do send. The row type is the
   * caller's word for what its statement returns.
   */
  query<R extends object>(text: string, params?: readonly unknown[]): Promise<readonly R[]>;
}

/** Makes a `Queryable` of what runs one statement. */
export function createQueryable(executeSql: Db['executeSql']): Queryable {
  return {
    executeSql,
    async query<R extends object>(text: string, params: readonly unknown[] = []) {
      const { rows } = await executeSql(text, [...params]);
      // The cast: by the port's contract the caller knows what its statement returns.
      return rows as R[];
    },
  };
}

export interface TxOptions {
  /** Of all transactions with this lock, in all processes, one runs at a time. */
  readonly lock?: string;
  /** How long each statement may take; `PROMPT_MS` unless given. */
  readonly statementMs?: number;
}

/**
 * The one seam between the store and its database; only the two files that implement it know which one it is. A statement may
 * take `PROMPT_MS`, on PGlite as long as it needs.
 */
export interface Sql extends Queryable {
  readonly kind: 'pglite' | 'postgres';
  /**
   * Runs the statements of `run` in one transaction; rolls back when it throws. On PGlite everything else waits meanwhile.
   */
  tx<T>(run: (tx: Queryable) => Promise<T>, options?: TxOptions): Promise<T>;
  /** For pg-boss' own upkeep: a statement may take `UPKEEP_MS`. */
  readonly upkeep: Queryable;
  /** A connection of its own: heartbeats would come too late behind the statements of a busy process. */
  readonly heartbeat: Queryable;
  /**
   * Hears what other processes say with `pg_notify`. Never rejects: it connects again by itself, and tells of every
   * (re)connection, since what was said in between is lost. Absent where there are no other processes.
   */
  readonly listen?: NonNullable<Db['listen']>;
  close(): Promise<void>;
}
