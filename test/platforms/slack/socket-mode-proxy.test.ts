import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { EnvHttpProxyAgent, WebSocket } from 'undici';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type SlackServer, startSlackServer } from '../../servers/slack/server.ts';
import { CLOSED, startProxy } from '../../support/proxy.ts';
import { ADA } from './setup.ts';

/** Only the proxy knows these names: what does not go through it fails. */
const HOST = 'slack.test';
const SOCKET_HOST = 'wss.slack.test';
const NOWHERE = '127.0.0.1:1';

test('both sockets go through the proxy, and questions come through them', async () => {
  const { server, proxy } = await start();
  const { lines } = listenThrough(proxy.url, server);
  await vi.waitFor(() => expect(server.sockets()).toBe(2), 30_000);
  server.say({ user: ADA, channel: 'D000000ADA', text: 'why?' });
  await vi.waitFor(() => expect(lines).toEqual([{ question: 'why?' }]), 10_000);
  expect(proxy.asked.filter((authority) => authority.startsWith(SOCKET_HOST))).toHaveLength(2);
});

test('what NO_PROXY names is connected to directly', async () => {
  const server = await startSlackServer();
  onTestFinished(() => server.close());
  const { proxy } = await start();
  listenThrough(proxy.url, server, { apiUrl: server.apiUrl, noProxy: '127.0.0.1' });
  await vi.waitFor(() => expect(server.sockets()).toBe(1), 30_000);
  expect(proxy.asked).toEqual([]);
});

test('a socket that cannot be opened is one line in the log, with the reason', async () => {
  const { server, proxy } = await start((authority) => (authority.startsWith(HOST) ? null : NOWHERE));
  const { lines } = listenThrough(proxy.url, server);
  const tries = () => proxy.asked.filter((authority) => authority.startsWith(SOCKET_HOST)).length;
  await vi.waitFor(() => expect(tries()).toBeGreaterThan(3), 30_000);
  const reason = expect.stringContaining(`no WebSocket to ${SOCKET_HOST}`);
  expect(lines).toEqual([{ warn: 'cannot connect to Slack; still trying', reason }]);
});

test('a proxy that closes the connection is asked once per try, and is named in the log', async () => {
  const { server, proxy } = await start((authority) => (authority.startsWith(HOST) ? null : CLOSED));
  const { lines } = listenThrough(proxy.url, server);
  const opens = () => server.calls.filter(({ method }) => method === 'apps.connections.open').length;
  const asked = () => proxy.asked.filter((authority) => authority.startsWith(SOCKET_HOST)).length;
  // The first of them checks the token.
  await vi.waitFor(() => expect(opens()).toBeGreaterThan(4), 30_000);
  expect(asked()).toBeLessThanOrEqual(opens() - 1);
  const reason = `no WebSocket to ${SOCKET_HOST}: the proxy could not be used: other side closed`;
  expect(lines).toEqual([{ warn: 'cannot connect to Slack; still trying', reason }]);
});

test('createProxyAgent: by itself undici connects again and again for one socket', async () => {
  const proxy = await startProxy({ resolve: () => CLOSED });
  onTestFinished(() => proxy.close());
  const dispatcher = new EnvHttpProxyAgent({ httpProxy: proxy.url, noProxy: '' });
  onTestFinished(() => dispatcher.destroy());
  const socket = new WebSocket(`ws://${SOCKET_HOST}/`, { dispatcher });
  await vi.waitFor(() => expect(proxy.asked.length).toBeGreaterThan(20), 10_000);
  expect(socket.readyState).toBe(WebSocket.CONNECTING);
});

/** A stand-in whose addresses only the proxy can resolve; `elsewhere` leads one of them astray. */
async function start(elsewhere: (authority: string) => string | null = () => null) {
  const server = await startSlackServer({ socketHost: SOCKET_HOST });
  const { host } = new URL(server.apiUrl);
  const proxy = await startProxy({ resolve: (authority) => elsewhere(authority) ?? host });
  onTestFinished(async () => {
    await proxy.close();
    await server.close();
  });
  return { server, proxy };
}

function listenThrough(
  proxy: string,
  { botToken, appToken }: SlackServer,
  { apiUrl = `http://${HOST}/api/`, noProxy = '' } = {},
) {
  const env = { ...process.env, NODE_USE_ENV_PROXY: '1', HTTP_PROXY: proxy, NO_PROXY: noProxy };
  const script = join(import.meta.dirname, 'listen-process.ts');
  const child = spawn(process.execPath, [script, botToken, appToken, apiUrl], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => end(child));
  const lines: unknown[] = [];
  createInterface(child.stdout).on('line', (line) => lines.push(JSON.parse(line)));
  return { lines };
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
