import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sleep } from '../core/concurrency.ts';
import { StoreError } from './store-error.ts';

/** A predecessor that is just exiting may still hold the lock: this long we wait for it. */
const PATIENCE_MS = 2_000;

/**
 * Makes this process the only owner of the data directory, creating it if need be. The embedded database has no lock of its
 * own: two processes would both open it and lose each other's writes. An exclusive SQLite transaction is a lock that the
 * kernel drops with the process, however it dies. It holds on local disks only, not on NFS.
 *
 * @returns the function that gives the directory back.
 * @throws {StoreError} `data-dir-locked` or `data-dir-unusable`
 */
export async function lockDataDir(dataDir: string): Promise<() => void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return tryLock(dataDir);
    } catch (error) {
      if (!isBusy(error)) throw unusable(dataDir, error);
      if (performance.now() > deadline) {
        throw new StoreError(
          'data-dir-locked',
          `${dataDir} is already in use by another Footnote`,
          'stop that one, give this one its own DATA_DIR, or set DATABASE_URL to run several on one Postgres',
          error,
        );
      }
    }
    await sleep(100);
  }
}

/** The same fault for whatever later turns out to be unreadable in the directory. */
export function unusable(dataDir: string, cause: unknown): StoreError {
  const why = cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause);
  return new StoreError(
    'data-dir-unusable',
    `${dataDir} cannot be used (${why})`,
    'make DATA_DIR a directory that this user can write to, with free space left',
    cause,
  );
}

function tryLock(dataDir: string): () => void {
  mkdirSync(dataDir, { recursive: true });
  const lock = new DatabaseSync(join(dataDir, 'owner.lock'), { timeout: 0 });
  try {
    lock.exec('pragma journal_mode=delete; pragma locking_mode=exclusive; begin exclusive');
  } catch (error) {
    lock.close();
    throw error;
  }
  return () => {
    if (lock.isOpen) lock.close();
  };
}

/** SQLITE_BUSY. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 5;
}
