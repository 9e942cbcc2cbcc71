import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmdirSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sleep } from '../core/concurrency.ts';
import type { Log } from '../core/ports.ts';
import { StoreError } from './store-error.ts';

/** How long a process that is about to end may still hold the lock. */
const PATIENCE_MS = 4_000;
const LOOK_MS = 100;

/**
 * Makes this process the only owner of the data directory, creating it if need be. The embedded database has no lock of its
 * own: two processes would both open it and lose each other's writes. An exclusive SQLite transaction is a lock that the
 * kernel drops with the process, however it dies. It holds on local disks only, not on NFS.
 *
 * @returns the function that gives the directory back.
 * @throws {StoreError} `data-dir-locked` after some seconds, or `data-dir-unusable`
 */
export async function lockDataDir(dataDir: string): Promise<() => void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return tryLock(dataDir);
    } catch (error) {
      if (!isBusy(error)) throw toUnusableError(dataDir, error);
      if (performance.now() > deadline) throw toLockedError(dataDir, error);
    }
    await sleep(LOOK_MS);
  }
}

function tryLock(dataDir: string): () => void {
  createDirectory(dataDir);
  const lock = new DatabaseSync(join(dataDir, 'owner.lock'));
  try {
    lock.exec('begin exclusive');
  } catch (error) {
    lock.close();
    throw error;
  }
  // Unlike `close` it may be called twice.
  return () => lock[Symbol.dispose]();
}

function toLockedError(dataDir: string, cause: unknown): StoreError {
  return new StoreError(
    'data-dir-locked',
    `${dataDir} is already in use by another Footnote`,
    'stop that one, give this one its own DATA_DIR, or set DATABASE_URL to run several on one Postgres',
    cause,
  );
}

/** Creates a directory and its parents one by one: Node 24.21's recursive `mkdir` never returns where nothing can be created (/proc). */
function createDirectory(path: string): void {
  if (existsSync(path)) return;
  createDirectory(dirname(resolve(path)));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have created it meanwhile.
    if (!existsSync(path)) throw error;
  }
}

/** The fault of a directory that cannot be created, written or read. */
export function toUnusableError(dataDir: string, cause: unknown): StoreError {
  const why = cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause);
  return new StoreError(
    'data-dir-unusable',
    `${dataDir} cannot be used (${why})`,
    'make DATA_DIR a directory that this user can write to, with free space left',
    cause,
  );
}

/** SQLITE_BUSY. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 5;
}

/** What the service writes into its data directory. Anything else there (`lost+found` of a volume) is left alone. */
const WRITTEN = ['database', 'database.new', 'owner.lock', 'owner.lock-journal', 'compiled'];

const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;

/**
 * Creates the data directory if need be and makes it accessible to this user only. From then on every file that this process
 * creates, anywhere, is for its user only.
 *
 * A file system that keeps neither modes nor owners (Windows, some network and container mounts) is used as it is: what it
 * shows means nothing there, and whoever mounted it decides who may read it.
 * @throws {StoreError} `data-dir-unsafe` when other accounts may have put something there: it would be read as our own
 */
export function secureDataDir(dataDir: string, log: Log): void {
  process.umask(OTHERS);
  createDirectory(dataDir);
  const uid = process.getuid?.();
  if (uid === undefined) return;
  if (!keepsModes(dataDir, uid)) {
    log.warn({ dataDir }, 'the file system of the data directory keeps no modes: see who else can read it');
    return;
  }
  const found = statSync(dataDir);
  if (found.uid !== uid) {
    const remedy = `give it to this one (chown -R ${uid} ${dataDir})`;
    throw toUnsafeError(dataDir, 'belongs to another user', remedy);
  }
  if (found.mode & OTHERS_WRITE) {
    const remedy = `see that nobody has, then close it (chmod -R go-rwx ${dataDir})`;
    throw toUnsafeError(dataDir, 'can be written to by other users', remedy);
  }
  if (!makePrivate(dataDir)) log.warn({ dataDir }, 'the mode of the data directory cannot be changed');
}

/**
 * Takes away what other users may do with the files of the service: those of earlier versions, and those that PGlite (0.5.16)
 * creates with 0666 whatever the umask is.
 */
export function closeDataDir(dataDir: string): void {
  for (const name of readdirSync(dataDir)) {
    if (!WRITTEN.includes(name)) continue;
    const path = join(dataDir, name);
    makePrivate(path);
    if (!statSync(path).isDirectory()) continue;
    for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
      // A change of mode would go through a symbolic link to whatever it names.
      if (entry.isFile() || entry.isDirectory()) makePrivate(join(entry.parentPath, entry.name));
    }
  }
}

/** False when it cannot be changed. The directory around it is closed, or its mode means nothing. */
function makePrivate(path: string): boolean {
  try {
    const { mode } = statSync(path);
    if (mode & OTHERS) chmodSync(path, mode & ~OTHERS & 0o7777);
    return true;
  } catch {
    return false;
  }
}

/** Whether a folder made here has the mode and the owner that it was made with. */
function keepsModes(dataDir: string, uid: number): boolean {
  const probe = mkdtempSync(join(dataDir, '.modes-'));
  const made = statSync(probe);
  rmdirSync(probe);
  return made.uid === uid && (made.mode & 0o777) === 0o700;
}

function toUnsafeError(dataDir: string, what: string, remedy: string): StoreError {
  return new StoreError(
    'data-dir-unsafe',
    `${dataDir} ${what}`,
    `${remedy}, or set DATA_DIR to a folder that does not exist yet`,
  );
}

/**
 * In bytes. Postgres' log grows by 16 MB at a time. Where it cannot, PGlite 0.5.16 never writes again, or never returns: so nothing
 * is asked of it before that, and it goes on by itself once there is space.
 */
export const LEAST_SPACE = 24_000_000;
/** In bytes; a new database takes 40 MB. */
export const NEW_SPACE = 64_000_000;

/** @throws an error with the code ENOSPC when there is less. A file system that does not tell its size has enough. */
export function requireSpace(dataDir: string, bytes: number): void {
  const { blocks, bavail, bsize } = statfsSync(dataDir);
  if (blocks === 0 || bavail * bsize >= bytes) return;
  const message = `no space left: ${dataDir} needs ${bytes / 1_000_000} MB more`;
  throw Object.assign(new Error(message), { code: 'ENOSPC' });
}
