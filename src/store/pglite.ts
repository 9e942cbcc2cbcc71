import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { PGlite, Transaction } from '@electric-sql/pglite';
import type { Log } from '../core/ports.ts';
import { lockDataDir, unusable } from './owner-lock.ts';
import { closePrivateFiles, securePrivateDir } from './private-files.ts';
import type { Queryable, Sql } from './sql.ts';
import { StoreError } from './store-error.ts';

/** Postgres' defaults are made for a server: these keep the embedded one some 150 MB smaller, in memory and on disk. */
const SMALL = ['shared_buffers=16MB', 'max_wal_size=64MB', 'min_wal_size=32MB', 'work_mem=2MB'];

/**
 * The embedded database is WebAssembly. V8 would compile what of it runs often once more, optimised, which takes a second of
 * processor time and 500 MB for a moment after every start and keeps 80 MB, for statements that then take a tenth less
 * (docs/performance.md). Both flags are read when a module is compiled, this one and later ones.
 */
const BASELINE_ONLY = ['--no-wasm-tier-up', '--no-wasm-dynamic-tiering'];

/**
 * Opens the embedded database under `dataDir` (created when missing; the first time takes some seconds). It survives the
 * death of the process, not that of the machine: it never flushes to the disk. Its files are for this user only.
 * @throws {StoreError} `data-dir-locked`, `data-dir-unsafe` or `data-dir-unusable`
 */
export async function openPglite(dataDir: string, log: Log): Promise<Sql> {
  for (const flag of BASELINE_ONLY) setFlagsFromString(flag);
  const loading = Promise.all([import('@electric-sql/pglite'), import('pg-boss')]);
  let unlock = (): void => {};
  try {
    securePrivateDir(dataDir, log);
    unlock = await lockDataDir(dataDir);
    const [{ PGlite }, { fromPglite }] = await loading;
    const startParams = [...PGlite.defaultStartParams, ...SMALL.flatMap((setting) => ['-c', setting])];
    const database = join(dataDir, 'database');
    if (!existsSync(database)) {
      await make(database, async (path) => (await PGlite.create({ dataDir: path, startParams })).close());
    }
    const db = await PGlite.create({ dataDir: database, startParams });
    closePrivateFiles(dataDir);
    const boss = fromPglite(db);
    return {
      kind: 'pglite',
      query: queryOf(db).query,
      tx: (run) => db.transaction((tx) => run(queryOf(tx))),
      upkeep: boss,
      prompt: boss,
      listen: null,
      async close() {
        await db.close();
        unlock();
      },
    };
  } catch (error) {
    unlock();
    throw error instanceof StoreError ? error : unusable(dataDir, error);
  }
}

/**
 * Makes the database under another name first: the first start takes seconds, and one that is killed in the middle leaves a
 * directory that can never be opened.
 */
async function make(database: string, create: (path: string) => Promise<void>): Promise<void> {
  const unfinished = `${database}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await create(unfinished);
  await rename(unfinished, database);
}

function queryOf(db: PGlite | Transaction): Queryable {
  return {
    async query<R extends object>(text: string, params: readonly unknown[] = []) {
      const { rows } = await db.query<R>(text, [...params]);
      return rows;
    },
  };
}
