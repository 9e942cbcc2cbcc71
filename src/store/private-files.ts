import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../core/ports.ts';
import { StoreError } from './store-error.ts';

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
export function securePrivateDir(dataDir: string, log: Log): void {
  process.umask(OTHERS);
  mkdirSync(dataDir, { recursive: true });
  const uid = process.getuid?.();
  if (uid === undefined) return;
  if (!keepsModes(dataDir, uid)) {
    log.warn({ dataDir }, 'the file system of the data directory keeps no modes: see who else can read it');
    return;
  }
  const found = statSync(dataDir);
  if (found.uid !== uid)
    throw unsafe(dataDir, 'belongs to another user', `give it to this one (chown -R ${uid} ${dataDir})`);
  if (found.mode & OTHERS_WRITE) {
    const remedy = `see that nobody has, then close it (chmod -R go-rwx ${dataDir})`;
    throw unsafe(dataDir, 'can be written to by other users', remedy);
  }
  if (!makePrivate(dataDir)) log.warn({ dataDir }, 'the mode of the data directory cannot be changed');
}

/**
 * Takes away what other users may do with the files of the service: those of earlier versions, and those that PGlite (0.5.16)
 * creates with modes of its own, whatever the umask.
 */
export function closePrivateFiles(dataDir: string): void {
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

function unsafe(dataDir: string, what: string, remedy: string): StoreError {
  return new StoreError(
    'data-dir-unsafe',
    `${dataDir} ${what}`,
    `${remedy}, or set DATA_DIR to a folder that does not exist yet`,
  );
}
