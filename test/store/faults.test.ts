import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { openPostgres } from '../../src/store/postgres.ts';
import { openStore } from '../../src/store/store.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { quietLog } from '../core/fakes.ts';
import { createDatabase, onServerOnly, serverUrl } from './database.ts';
import { temporaryDir } from './parts.ts';

const onLinux = { meta: { needs: 'Linux' } };

async function fault(databaseUrl: string | null, dataDir = ''): Promise<StoreError> {
  const began = performance.now();
  const error = await openStore({ databaseUrl, dataDir, log: quietLog }).then(
    () => new Error('it opened'),
    (reason: unknown) => reason,
  );
  expect(performance.now() - began).toBeLessThan(5_000);
  if (!(error instanceof StoreError)) throw error;
  expect(error.message).not.toContain('\n');
  expect(error.message).not.toContain('s3cret');
  return error;
}

/** Something that listens where a database should be; `greet` answers the first packet. */
async function impostor(greet: (socket: Socket) => void): Promise<{ url: string; server: Server }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => greet(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `postgres://me:s3cret@127.0.0.1:${port}/notes`, server };
}

/** An ErrorResponse of the wire protocol. */
function refusal(code: string, message: string): Buffer {
  const body = Buffer.from(`SFATAL\0C${code}\0M${message}\0\0`);
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from('E'), length, body]);
}

describe('a store that cannot be opened', () => {
  const dir = temporaryDir();
  const servers: Server[] = [];
  const listen = async (greet: (socket: Socket) => void): Promise<string> => {
    const { url, server } = await impostor(greet);
    servers.push(server);
    return url;
  };
  afterAll(dir.remove);
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  it('names DATA_DIR when that is not a directory', async () => {
    const file = join(dir.path, 'file');
    writeFileSync(file, '');
    const error = await fault(null, join(file, 'data'));
    expect(error.code).toBe('data-dir-unusable');
    expect(error.message).toMatch(/ENOTDIR.*DATA_DIR/);
  });

  it.runIf(process.platform === 'linux')(
    'names DATA_DIR where no directory can be made',
    onLinux,
    async () => {
      const error = await fault(null, '/proc/nope/data');
      expect(error.code).toBe('data-dir-unusable');
      expect(error.message).toMatch(/ENOENT.*DATA_DIR/);
    },
  );

  it('names DATABASE_URL when that is no address of Postgres', async () => {
    for (const url of ['mysql://me:s3cret@localhost/notes', 'localhost', 's3cret']) {
      const error = await fault(url);
      expect(error.code).toBe('database-refused');
      expect(error.message).toContain('DATABASE_URL');
    }
  });

  it('says that nothing answers when the port is closed', async () => {
    const url = await listen(() => {});
    servers.splice(0).map((server) => server.close());
    const error = await fault(url);
    expect(error.code).toBe('database-unreachable');
    expect(error.message).toMatch(/127\.0\.0\.1:\d+\/notes \(ECONNREFUSED\).*DATABASE_URL/);
  });

  it('gives up on a server that accepts but never answers', async () => {
    const error = await fault(await listen(() => {}));
    expect(error.code).toBe('database-unreachable');
  });

  it('gives up on something that hangs up', async () => {
    const error = await fault(await listen((socket) => socket.destroy()));
    expect(error.code).toBe('database-unreachable');
  });

  it('says what to correct when the password is wrong', async () => {
    const url = await listen((socket) => socket.end(refusal('28P01', 'password authentication failed')));
    const error = await fault(url);
    expect(error.code).toBe('database-refused');
    expect(error.message).toMatch(
      /password authentication failed.*correct the user and password in DATABASE_URL/,
    );
  });
});

describe.skipIf(serverUrl === null)('a Postgres that cannot be used', onServerOnly, () => {
  it('says so when the database does not exist', async () => {
    const url = new URL(serverUrl ?? '');
    url.pathname = '/footnote_never_created';
    const error = await fault(url.href);
    expect(error.code).toBe('database-refused');
    expect(error.message).toMatch(/does not exist.*create the database/);
  });

  it('is refused when a newer Footnote has migrated it', async () => {
    const database = await createDatabase();
    const store = await openStore({ databaseUrl: database.url, dataDir: '', log: quietLog });
    await store.close();
    const sql = await openPostgres(database.url, quietLog);
    await sql.query('insert into footnote.schema_versions (version) values (999)');
    await sql.close();
    const error = await fault(database.url);
    expect(error.code).toBe('schema-newer');
    expect(error.message).toContain('schema 999');
    await database.drop();
  });
});
