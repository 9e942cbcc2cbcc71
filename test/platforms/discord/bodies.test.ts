import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createRest } from '../../../src/platforms/discord/rest.ts';
import { quietLog } from '../../core/fakes.ts';

/** Discord's REST API at a server that answers as told. */
async function setup(answer: (response: ServerResponse) => void) {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'application/json' });
    answer(response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo; // A TCP server that listens.
  const rest = createRest({ token: 'MTIz.abc.def', apiUrl: `http://127.0.0.1:${port}`, log: quietLog });
  onTestFinished(() => {
    rest.close();
    server.closeAllConnections();
    server.close();
  });
  return rest;
}

test('a body without an end is cut at a limit', async () => {
  let sent = 0;
  const rest = await setup((response) => {
    const write = (): void => {
      while (!response.destroyed && response.write('x'.repeat(64_000))) sent += 64_000;
    };
    response.on('drain', write);
    write();
  });
  await expect(rest.get('/users/@me')).rejects.toMatchObject({ name: 'Failure' });
  expect(sent).toBeLessThan(40_000_000);
});

test('a body that trickles in for ever ends with the timeout of the call', async () => {
  const rest = await setup((response) => {
    const timer = setInterval(() => response.write(' '), 50);
    response.once('close', () => clearInterval(timer));
  });
  await expect(rest.get('/users/@me')).rejects.toMatchObject({ name: 'Failure', kind: 'unreachable' });
});
