import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { openStore } from '../../src/store/store.ts';
import { quietLog } from '../core/fakes.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const STORE = join(ROOT, 'src/store');

/**
 * Puts an empty, ready database into a data directory that does not exist yet. Creating one takes the embedded database
 * five seconds of work and opening one less than a second, so it is created once per version of the store and then copied.
 */
export async function prepareDataDir(dataDir: string): Promise<void> {
  template ??= createTemplate();
  cpSync(await template, dataDir, { recursive: true });
}

let template: Promise<string> | null = null;

async function createTemplate(): Promise<string> {
  const path = join(tmpdir(), `footnote-template-${version()}`);
  if (existsSync(path)) return path;
  const own = `${path}-${process.pid}`;
  rmSync(own, { recursive: true, force: true });
  const store = await openStore({ databaseUrl: null, dataDir: own, log: quietLog });
  await store.close();
  try {
    renameSync(own, path);
  } catch {
    // Another process was first; both are alike.
    rmSync(own, { recursive: true, force: true });
  }
  return path;
}

function version(): string {
  const hash = createHash('sha1').update(readFileSync(join(ROOT, 'package-lock.json')));
  for (const file of readdirSync(STORE).sort()) hash.update(readFileSync(join(STORE, file)));
  return hash.digest('hex').slice(0, 12);
}
