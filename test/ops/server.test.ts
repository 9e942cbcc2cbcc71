import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AddressInUse, type OpsServer, startOpsServer } from '../../src/ops/server.ts';

let server: OpsServer;

const start = (port: number): Promise<OpsServer> =>
  startOpsServer({
    host: '127.0.0.1',
    port,
    registry: new Registry(),
    status: { unready: async () => [], notes: () => [], research: async () => [{ name: 'R-TEST' }] },
  });

beforeAll(async () => {
  server = await start(0);
});
afterAll(() => server.close());

/** The status line of the answer to a request target as it is, which `fetch` would tidy up. */
async function statusOf(target: string): Promise<string | undefined> {
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  return (await text(socket)).split('\r\n', 1)[0];
}

test.each(['//', '///', 'http://[', '*', '/%', '?', '//healthz'])(
  'a request for %s is answered and ends nothing',
  async (target) => {
    expect(await statusOf(target)).toMatch(/^HTTP\/1\.1 40[04] /);
    expect(await statusOf('/healthz')).toBe('HTTP/1.1 200 OK');
  },
);

test('a query does not matter', async () => {
  expect(await statusOf('/readyz?verbose=1')).toBe('HTTP/1.1 200 OK');
});

test('research jobs are told to this machine only, by its own name', async () => {
  const answer = await fetch(`http://127.0.0.1:${server.port}/research`);
  expect(await answer.json()).toEqual([{ name: 'R-TEST' }]);
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write('GET /research HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n');
  expect((await text(socket)).split('\r\n', 1)[0]).toBe('HTTP/1.1 404 Not Found');
});

test.each(['answers', 'hangs up'])('an address is waited for whose owner %s and ends', async (how) => {
  const before = createServer((_, response) => {
    if (how === 'answers') response.writeHead(200, { server: 'footnote', connection: 'close' }).end('ok\n');
    else response.destroy();
    before.close();
  }).listen(0, '127.0.0.1');
  await once(before, 'listening');
  const { port } = before.address() as AddressInfo;
  const after = await start(port);
  expect(after.port).toBe(port);
  await after.close();
});

test('an address in use by another Footnote, or by something else, is given up after some seconds', async () => {
  const foreign = createServer((_, response) => response.end('ok\n')).listen(0, '127.0.0.1');
  await once(foreign, 'listening');
  const { port } = foreign.address() as AddressInfo;
  await Promise.all([
    expect(start(server.port)).rejects.toBeInstanceOf(AddressInUse),
    expect(start(port)).rejects.toMatchObject({ code: 'EADDRINUSE' }),
  ]);
  foreign.close();
}, 15_000);
