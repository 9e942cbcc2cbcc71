import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openPglite } from '../../src/store/pglite.ts';
import { openStore } from '../../src/store/store.ts';
import { quietLog } from '../core/fakes.ts';
import { prepareDataDir } from '../support/data-dir.ts';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';

const probe = mountSmallDisk(1);
probe?.remove();
const needs = 'the right to mount a file system';

describe.skipIf(!probe)('a disk that is full', { meta: { needs } }, () => {
  let disk: SmallDisk;
  let dataDir: string;
  beforeEach(async () => {
    disk = mountSmallDisk(120)!;
    dataDir = join(disk.path, 'data');
    await prepareDataDir(dataDir);
  });
  afterEach(() => disk.remove());

  test('is told by the ping until there is space again', async () => {
    const store = await openStore({ databaseUrl: null, dataDir, log: quietLog });
    await store.ping();
    disk.fill();
    await expect(store.ping()).rejects.toThrow(/^the store is full \(no space left: .* needs 24 MB more\)$/);
    disk.free();
    await store.ping();
    await store.close();
  });

  test('breaks nothing: what was stored is there, and more is taken once there is space', async () => {
    const sql = await openPglite(dataDir, quietLog);
    await sql.query('create table kept (n integer)');
    await sql.query('insert into kept values ($1)', [1]);
    disk.fill();
    for (let i = 0; i < 50; i++) {
      // Each would make Postgres' log grow, which is what PGlite does not survive on a full disk.
      await expect(sql.query('select pg_switch_wal()')).rejects.toMatchObject({ code: 'ENOSPC' });
      await expect(sql.tx((tx) => tx.query('update kept set n = 7'))).rejects.toThrow(/no space left/);
    }
    disk.free();
    await sql.query('insert into kept values ($1)', [2]);
    expect(await sql.query('select n from kept order by n')).toEqual([{ n: 1 }, { n: 2 }]);
    await sql.close();
  });

  test('that is too small for a database ends the start with its remedy', async () => {
    const small = mountSmallDisk(40)!;
    const open = openStore({ databaseUrl: null, dataDir: join(small.path, 'data'), log: quietLog });
    await expect(open).rejects.toMatchObject({
      code: 'data-dir-unusable',
      message: expect.stringMatching(/needs 64 MB more\).*DATA_DIR.*free space/),
    });
    small.remove();
  });
});
