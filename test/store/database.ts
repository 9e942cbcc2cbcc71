import { randomUUID } from 'node:crypto';
import { Client } from 'pg';

/** Where the tests may create databases; unset skips what needs a server. */
export const serverUrl = process.env.TEST_DATABASE_URL ?? null;

/** Of the suites and tests that are skipped without it. */
export const onServerOnly = { meta: { needs: 'Postgres (TEST_DATABASE_URL)' } };

export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** An own, empty database. */
export async function createDatabase(): Promise<TestDatabase> {
  if (serverUrl === null) throw new Error('TEST_DATABASE_URL is not set');
  const name = `footnote_test_${randomUUID().replaceAll('-', '').slice(0, 12)}`;
  const url = new URL(serverUrl);
  await onServer(serverUrl, `create database ${name}`);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer(serverUrl, `drop database ${name} with (force)`) };
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new Client(url);
  await client.connect();
  await client.query(statement);
  await client.end();
}
