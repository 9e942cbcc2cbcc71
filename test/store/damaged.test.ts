import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openPglite } from '../../src/store/pglite.ts';
import { quietLog } from '../core/fakes.ts';
import { prepareDataDir } from '../support/data-dir.ts';
import { temporaryDir } from './parts.ts';

const dir = temporaryDir();
const dataDir = join(dir.path, 'data');
const database = join(dataDir, 'database');
beforeEach(() => prepareDataDir(dataDir));
afterEach(() => dir.remove());

test.for([
  ['a cut control file', () => truncateSync(join(database, 'global/pg_control'))],
  ['a folder that is gone', () => rmSync(join(database, 'global'), { recursive: true })],
  ['a catalogue of nonsense', () => writeFileSync(join(database, 'base/5/1259'), Buffer.alloc(65_536, 7))],
  ['no mark of a database, which would be written over', () => rmSync(join(database, 'PG_VERSION'))],
] as const)('a database with %s is told as damaged, with the way back', async ([_what, damage]) => {
  damage();
  await expect(openPglite(dataDir, quietLog)).rejects.toMatchObject({
    code: 'data-dir-damaged',
    message: expect.stringMatching(/is damaged \(.+\): put a backup of DATA_DIR in its place/),
  });
});
