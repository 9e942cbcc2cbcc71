import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Keeps one JSON file up to date with something that changes often. */
export interface Saving {
  /** Something changed: it is written soon. */
  changed(): void;
  /** Writes what is not yet written and ends. */
  close(): void;
}

const DELAY_MS = 300;

/** What a file held when it was last saved; undefined when there is none or it cannot be read, and then it is put aside. */
export function readSaved(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (!isMissing(error)) renameSync(path, `${path}.unreadable`);
    return undefined;
  }
}

/** Saves `snapshot()` to `path` after changes. The file is replaced in one step, so it is never half written. */
export function saveTo(path: string, snapshot: () => unknown): Saving {
  mkdirSync(dirname(path), { recursive: true });
  let timer: ReturnType<typeof setTimeout> | null = null;
  const write = (): void => {
    timer = null;
    writeFileSync(`${path}.new`, JSON.stringify(snapshot()));
    renameSync(`${path}.new`, path);
  };
  return {
    changed: () => (timer ??= setTimeout(write, DELAY_MS)),
    close() {
      if (timer === null) return;
      clearTimeout(timer);
      write();
    },
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
