import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { lockDataDir } from '../../src/store/data-dir.ts';
import { openStore } from '../../src/store/store.ts';
import { quietLog } from '../core/fakes.ts';
import { prepareDataDir } from '../support/data-dir.ts';
import { temporaryDir } from './parts.ts';

const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;

/** Making a database takes five seconds of processor time. */
const onUnix = { timeout: 120_000, meta: { needs: 'modes of files (not Windows)' } };
const asRoot = { meta: { needs: 'root' } };

describe.skipIf(process.platform === 'win32')('the files of the embedded database', onUnix, () => {
  const dir = temporaryDir();
  let serial = 0;
  let dataDir = '';

  beforeEach(() => {
    // As most systems have it: what is created is readable by everybody unless somebody sees to it.
    process.umask(0o022);
    chmodSync(dir.path, 0o755);
    dataDir = join(dir.path, `data ${++serial}`);
  });
  afterAll(dir.remove);

  const open = () => openStore({ databaseUrl: null, dataDir, log: quietLog });
  const paths = (): string[] => [
    dataDir,
    ...readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).map((name) => join(dataDir, name)),
  ];
  const modeOf = (path: string): number => lstatSync(path).mode & 0o777;
  const openToOthers = (): string[] => paths().filter((path) => (modeOf(path) & 0o077) !== 0);
  /** Another account neither finds the message nor changes a file, whatever the modes say. */
  const expectClosedToNobody = (): void => {
    if (!isRoot) return;
    const search = ['-rl', 'a private message', dataDir];
    expect(execFileSync('grep', search, { encoding: 'utf8' })).toContain(dataDir);
    const asNobody = { uid: NOBODY, gid: NOBODY, stdio: 'pipe' } as const;
    expect(() => execFileSync('grep', search, asNobody)).toThrow(/Permission denied/);
    for (const path of [join(dataDir, 'new'), join(dataDir, 'database', 'PG_VERSION')])
      expect(() => execFileSync('sh', ['-c', 'echo >> "$0"', path], asNobody)).toThrow(/Permission denied/);
  };
  const remember = async (): Promise<void> => {
    const store = await open();
    await store.keyValue('history').set('thread', 'a private message');
    await store.close();
  };

  it('are for the user of the service only, while it runs and afterwards', async () => {
    const store = await open();
    expect(paths().length).toBeGreaterThan(900);
    expect(openToOthers()).toEqual([]);
    await store.keyValue('history').set('thread', 'a private message');
    await store.close();
    // What the database may yet create: a folder for sorting, a file for its caches.
    mkdirSync(join(dataDir, 'later'));
    writeFileSync(join(dataDir, 'later', 'file'), '');
    expect(openToOthers()).toEqual([]);
    expectClosedToNobody();
  });

  it('of an earlier version are closed at the start, and what is not ours is left alone', async () => {
    await prepareDataDir(dataDir);
    await remember();
    for (const path of paths()) chmodSync(path, lstatSync(path).isDirectory() ? 0o755 : 0o666);
    const foreign = join(dataDir, 'notes');
    mkdirSync(foreign);
    chmodSync(foreign, 0o755);
    mkdirSync(join(dataDir, 'compiled'));
    writeFileSync(join(dataDir, 'compiled', 'cached'), '');
    const store = await open();
    expect(await store.keyValue('history').get('thread')).toBe('a private message');
    expect(openToOthers()).toEqual([foreign]);
    await store.close();
    expectClosedToNobody();
  });

  it('are waited for while the process before ends', async () => {
    const unlock = await lockDataDir(dataDir);
    const waiting = lockDataDir(dataDir);
    unlock();
    (await waiting)();
  });

  it.each([
    ['its group', 0o775],
    ['everybody', 0o757],
  ])('are refused in a directory that %s may write to', async (_who, mode) => {
    mkdirSync(dataDir);
    chmodSync(dataDir, mode);
    await expect(open()).rejects.toMatchObject({
      code: 'data-dir-unsafe',
      message: expect.stringMatching(/^.* can be written to by other users: .*chmod -R go-rwx .*DATA_DIR.*$/),
    });
    expect(modeOf(dataDir)).toBe(mode);
  });

  it.skipIf(!isRoot)(
    'are refused in a directory of somebody else, but may be in one inside it',
    asRoot,
    async () => {
      mkdirSync(dataDir);
      chownSync(dataDir, NOBODY, NOBODY);
      chmodSync(dataDir, 0o2775);
      await expect(open()).rejects.toMatchObject({
        code: 'data-dir-unsafe',
        message: expect.stringMatching(/^.* belongs to another user: .*chown -R 0 .*DATA_DIR.*$/),
      });
      dataDir = join(dataDir, 'own');
      await remember();
      expect(openToOthers()).toEqual([]);
    },
  );
});
