import { type ClientConfig, escapeLiteral, Pool, type PoolClient } from 'pg';
import { untilAborted } from '../core/concurrency.ts';
import type { Log } from '../core/ports.ts';
import { holdSession, type SessionUse } from './postgres-session.ts';
import { createQueryable, PROMPT_MS, type Queryable, type Sql, type TxOptions, UPKEEP_MS } from './sql.ts';
import { checkUrl, explainConnecting } from './store-error.ts';

/** A fault at the start is to be shown within 5 s; a loaded server needs seconds. */
const CONNECT_TIMEOUT_MS = 4_000;
/** A transaction that failed because the connection is dead must not wait as long again to be rolled back. */
const ROLLBACK_MS = 1_000;
/** Connections of one process; heartbeats, the listener and each lease have one more each. */
const POOL_SIZE = 15;
/** How long a statement waits for a connection under load. A job whose statement gives up is run, and paid for, once more. */
const QUEUE_TIMEOUT_MS = 20_000;

/** How every connection of this service is made. */
export function connectionConfig(databaseUrl: string): ClientConfig {
  return {
    connectionString: databaseUrl,
    application_name: 'footnote',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    // A process that is frozen in a transaction would hold its locks for ever.
    idle_in_transaction_session_timeout: 30_000,
  };
}

/**
 * Connects to a Postgres server; resolves once it has answered.
 * @throws {StoreError} `database-unreachable` or `database-refused`
 */
export async function openPostgres(databaseUrl: string, log: Log): Promise<Sql> {
  checkUrl(databaseUrl);
  const config = connectionConfig(databaseUrl);
  const open = (max: number): Pool => {
    const pool = new Pool({ ...config, max, idleTimeoutMillis: 60_000 });
    // Idle connections break when the server restarts; without a listener that would end the process.
    return pool.on('error', (error) => log.warn({ err: error }, 'an idle database connection broke'));
  };
  const pool = open(POOL_SIZE);
  const heartbeats = open(1);
  try {
    await queryableOn(pool, CONNECT_TIMEOUT_MS).query('select 1');
  } catch (error) {
    await pool.end();
    throw explainConnecting(databaseUrl, error);
  }
  // The pool has one limit for two waits: for a new connection, short at a start, and for a free one.
  pool.options.connectionTimeoutMillis = QUEUE_TIMEOUT_MS;
  return {
    kind: 'postgres',
    ...queryableOn(pool, PROMPT_MS),
    tx: (run, options) => runInTransaction(pool, run, options),
    upkeep: queryableOn(pool, UPKEEP_MS),
    heartbeat: queryableOn(heartbeats, PROMPT_MS),
    listen: async (channel, onPayload, onReady) => listen(config, channel, onPayload, onReady, log),
    async close() {
      await Promise.all([pool.end(), heartbeats.end()]);
    },
  };
}

function queryableOn(db: Pool | PoolClient, query_timeout: number): Queryable {
  return createQueryable((text, values = []) => {
    // Not inline: `query_timeout` of a single query is missing from the types of node-postgres.
    const query = { text, values, query_timeout };
    return db.query<object>(query);
  });
}

async function runInTransaction<T>(
  pool: Pool,
  run: (tx: Queryable) => Promise<T>,
  { lock, statementMs = PROMPT_MS }: TxOptions = {},
): Promise<T> {
  const client = await pool.connect();
  const tx = queryableOn(client, statementMs);
  let broken: Error | undefined;
  // Without a listener a broken connection would end the process; the failing statement reports the fault.
  const onError = (error: Error): void => {
    broken = error;
  };
  client.on('error', onError);
  try {
    // One round trip for both.
    await tx.query(lock === undefined ? 'begin' : `begin; ${lockStatement(lock)}`);
    const result = await run(tx);
    await tx.query('commit');
    return result;
  } catch (error) {
    await queryableOn(client, ROLLBACK_MS).query('rollback').catch(onError);
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

function lockStatement(lock: string): string {
  return `select pg_advisory_xact_lock(hashtextextended(${escapeLiteral(lock)}, 0))`;
}

function listen(
  config: ClientConfig,
  channel: string,
  onPayload: (payload: string) => void,
  onReady: () => void,
  log: Log,
): { close(): Promise<void> } {
  const hear: SessionUse = async (client, over) => {
    client.on('notification', (message) => onPayload(message.payload ?? ''));
    await client.query(`listen ${client.escapeIdentifier(channel)}`);
    onReady();
    await untilAborted(over);
  };
  return holdSession(config, hear, log);
}
