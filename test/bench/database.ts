/** The store of one run: an own Postgres database or an own data directory, both gone at the end. */
import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';

export type StoreKind = 'embedded' | 'postgres';

export interface BenchStore {
  readonly kind: StoreKind;
  readonly databaseUrl: string | null;
  readonly dataDir: string;
  remove(): Promise<void>;
}

/**
 * @param serverUrl where databases may be created; needed for `postgres` only.
 * @param template a store that nobody has open, to begin with a copy of; an empty one when left out.
 */
export async function createStore(
  kind: StoreKind,
  serverUrl: string | null,
  template: BenchStore | null = null,
): Promise<BenchStore> {
  if (kind === 'postgres' && serverUrl === null) throw new Error('TEST_DATABASE_URL is not set');
  const dataDir = mkdtempSync(join(tmpdir(), 'footnote-bench-'));
  if (template) cpSync(template.dataDir, dataDir, { recursive: true });
  const removeDir = (): void => rmSync(dataDir, { recursive: true, force: true, maxRetries: 3 });
  if (kind === 'embedded' || serverUrl === null) {
    return { kind, databaseUrl: null, dataDir, remove: async () => removeDir() };
  }
  const name = `footnote_bench_${randomUUID().replaceAll('-', '').slice(0, 12)}`;
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const from = template?.databaseUrl ? ` template ${new URL(template.databaseUrl).pathname.slice(1)}` : '';
  await onServer(serverUrl, `create database ${name}${from}`);
  const remove = async (): Promise<void> => {
    removeDir();
    await onServer(serverUrl, `drop database if exists ${name} with (force)`);
  };
  return { kind, databaseUrl: url.href, dataDir, remove };
}

/** The server processes working for a database, when they are on this machine. */
export async function backendsOf(databaseUrl: string): Promise<number[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ pid: number }>(
      'select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    return rows.map(({ pid }) => pid);
  } finally {
    await client.end();
  }
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
