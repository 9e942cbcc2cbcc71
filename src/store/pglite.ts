import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { PGlite } from '@electric-sql/pglite';
import { fromPglite } from 'pg-boss';
import type { Log } from '../core/ports.ts';
import {
  closeDataDir,
  LEAST_SPACE,
  lockDataDir,
  NEW_SPACE,
  requireSpace,
  secureDataDir,
  toUnusableError,
} from './data-dir.ts';
import { createQueryable, type Sql } from './sql.ts';
import { StoreError } from './store-error.ts';

/** Postgres' defaults are for a server: with these the embedded one takes some 150 MB less, in memory and on disk. */
const SMALL = ['shared_buffers=16MB', 'max_wal_size=64MB', 'min_wal_size=32MB', 'work_mem=2MB'];

/**
 * PGlite is WebAssembly, and V8 compiles what of it runs often a second time, optimised. That takes 400 MB for some seconds
 * after every start, more than a container of 512 MB has left. Highest resident memory (VmHWM) of the service from its start
 * to the end of 100 answers at once (`npm run bench -- --store embedded --concurrency 100`, Node 24.21, two runs each): 359 and
 * 392 MB with both flags, 752 and 776 with the first alone, 769 and 771 with none. V8 reads them when it compiles a module.
 */
const BASELINE_ONLY = ['--no-wasm-tier-up', '--no-wasm-dynamic-tiering'];

/**
 * Opens the embedded database under `dataDir` (created when missing; the first time takes some seconds). It survives the
 * death of the process, not that of the machine: it never flushes to the disk. Its files are for this user only.
 * @throws {StoreError} `data-dir-locked`, `data-dir-unsafe`, `data-dir-damaged` or `data-dir-unusable`
 */
export async function openPglite(dataDir: string, log: Log): Promise<Sql> {
  for (const flag of BASELINE_ONLY) setFlagsFromString(flag);
  let unlock = (): void => {};
  try {
    secureDataDir(dataDir, log);
    unlock = await lockDataDir(dataDir);
    requireSpace(dataDir, existsSync(join(dataDir, 'database')) ? LEAST_SPACE : NEW_SPACE);
    const db = await openDatabase(join(dataDir, 'database'));
    closeDataDir(dataDir);
    const { executeSql } = fromPglite(db);
    const queryable = createQueryable(async (text, values) => {
      requireSpace(dataDir, LEAST_SPACE);
      return executeSql(text, values);
    });
    return {
      kind: 'pglite',
      ...queryable,
      async tx(run) {
        requireSpace(dataDir, LEAST_SPACE);
        return db.transaction((tx) => run(createQueryable((text, values) => tx.query(text, values))));
      },
      upkeep: queryable,
      heartbeat: queryable,
      async close() {
        await db.close();
        unlock();
      },
    };
  } catch (error) {
    unlock();
    throw error instanceof StoreError ? error : toUnusableError(dataDir, error);
  }
}

async function openDatabase(path: string): Promise<PGlite> {
  const startParams = [...PGlite.defaultStartParams, ...SMALL.flatMap((setting) => ['-c', setting])];
  if (!existsSync(path)) {
    // Under another name first: one whose making is cut off in the middle can never be opened.
    const unfinished = `${path}.new`;
    await rm(unfinished, { recursive: true, force: true });
    await (await PGlite.create({ dataDir: unfinished, startParams })).close();
    await rename(unfinished, path);
  }
  try {
    // Without this file PGlite takes the directory for an empty one, and writes a new database over it.
    if (!existsSync(join(path, 'PG_VERSION'))) throw new Error('PG_VERSION is missing');
    return await PGlite.create({ dataDir: path, startParams });
  } catch (error) {
    // An error of the file system's has a code; Postgres itself just aborts.
    throw error instanceof Error && 'code' in error ? error : toDamagedError(path, error);
  }
}

function toDamagedError(path: string, cause: unknown): StoreError {
  const why = cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause);
  return new StoreError(
    'data-dir-damaged',
    `the database in ${path} is damaged (${why})`,
    'put a backup of DATA_DIR in its place (docs/deploy.md), or move it away to begin with an empty one',
    cause,
  );
}
