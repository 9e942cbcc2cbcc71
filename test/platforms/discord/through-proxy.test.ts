/** Discord behind a proxy that alone can resolve its names: what does not go through the proxy fails. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createServer as createTlsServer } from 'node:tls';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type DiscordServer, startDiscordServer } from '../../servers/discord/discord-server.ts';
import { startProxy } from '../../support/proxy.ts';

const HOST = 'discord.test';
const GATEWAY_HOST = 'gateway.discord.test';
const NOWHERE = '127.0.0.1:1';

test.each([
  ['its environment', 'listen'],
  ['an .env', 'late'],
])('requests and the gateway go through the proxy of %s, and questions come through it', async (_, how) => {
  const { server, proxy } = await start();
  const { lines } = run(proxy.url, server, { how });
  await vi.waitFor(() => expect(server.gateway.sessions()).toBe(1), 30_000);
  server.say({ user: 'ada', channel: '@ada', content: 'why?' });
  await vi.waitFor(() => expect(lines).toEqual([{ question: 'why?' }]), 10_000);
  expect(proxy.asked.filter((authority) => authority.startsWith(GATEWAY_HOST))).toHaveLength(1);
  expect(proxy.asked.some((authority) => authority.startsWith(HOST))).toBe(true);
});

test.skipIf(spawnSync('openssl', ['version']).status !== 0)(
  'encrypted, both go through tunnels of the proxy',
  { meta: { needs: 'openssl' } },
  async () => {
    const server = await startDiscordServer({ gatewayUrl: `wss://${GATEWAY_HOST}` });
    const tls = await startTls(new URL(server.apiUrl).port);
    const proxy = await startProxy({ resolve: () => `127.0.0.1:${tls.port}` });
    onTestFinished(async () => {
      await proxy.close();
      await server.close();
    });
    const { lines } = run(proxy.url, server, { apiUrl: `https://${HOST}/api`, authority: tls.cert });
    await vi.waitFor(() => expect(server.gateway.sessions()).toBe(1), 30_000);
    server.say({ user: 'ada', channel: '@ada', content: 'why?' });
    await vi.waitFor(() => expect(lines).toEqual([{ question: 'why?' }]), 10_000);
    expect(new Set(proxy.asked)).toEqual(new Set([`${HOST}:443`, `${GATEWAY_HOST}:443`]));
  },
);

test('what NO_PROXY names is reached directly', async () => {
  const server = await startDiscordServer();
  onTestFinished(() => server.close());
  const { proxy } = await start();
  run(proxy.url, server, { apiUrl: server.apiUrl, noProxy: '127.0.0.1' });
  await vi.waitFor(() => expect(server.gateway.sessions()).toBe(1), 30_000);
  expect(proxy.asked).toEqual([]);
});

test('a gateway that cannot be reached is said, with the reason', async () => {
  const { server, proxy } = await start((authority) => (authority.startsWith(HOST) ? null : NOWHERE));
  const { lines } = run(proxy.url, server);
  await vi.waitFor(() => expect(lines.length).toBeGreaterThan(0), 30_000);
  const reason = expect.stringContaining('proxy');
  expect(lines).toEqual([{ warn: "no connection to Discord's gateway, still trying", shard: 0, reason }]);
});

test('discord.js by itself still passes the proxy over: what client.ts does about it is needed', async () => {
  const { server, proxy } = await start();
  const { lines } = run(proxy.url, server, { how: 'plain' });
  await vi.waitFor(() => expect(JSON.stringify(lines)).toContain('ENOTFOUND'), 30_000);
  expect(proxy.asked.filter((authority) => authority.startsWith(GATEWAY_HOST))).toEqual([]);
});

/** A stand-in whose addresses only the proxy can resolve; `elsewhere` leads one of them astray. */
async function start(elsewhere: (authority: string) => string | null = () => null) {
  const server = await startDiscordServer({ gatewayUrl: `ws://${GATEWAY_HOST}` });
  const { host } = new URL(server.apiUrl);
  const proxy = await startProxy({ resolve: (authority) => elsewhere(authority) ?? host });
  onTestFinished(async () => {
    await proxy.close();
    await server.close();
  });
  return { server, proxy };
}

/** Takes encrypted connections for both names and hands them on in the clear. */
async function startTls(port: string): Promise<{ port: number; cert: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'footnote-tls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const names = ['-subj', `/CN=${HOST}`, '-addext', `subjectAltName=DNS:${HOST},DNS:${GATEWAY_HOST}`];
  const files = ['-keyout', key, '-out', cert];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...names, ...files], {
    stdio: 'ignore',
  });
  const options = { key: readFileSync(key), cert: readFileSync(cert) };
  const server = createTlsServer(options, (near) => {
    const far = connect(Number(port), '127.0.0.1');
    near.pipe(far).pipe(near);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
  });
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  onTestFinished(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  return { port: (server.address() as AddressInfo).port, cert };
}

function run(
  proxy: string,
  { token }: DiscordServer,
  { apiUrl = `http://${HOST}/api`, noProxy = '', how = 'listen', authority = '' } = {},
) {
  const env = {
    ...process.env,
    ...(how !== 'late' && { NODE_USE_ENV_PROXY: '1' }),
    HTTP_PROXY: proxy,
    ...(authority && { HTTPS_PROXY: proxy }),
    NO_PROXY: noProxy,
    ...(authority && { NODE_EXTRA_CA_CERTS: authority }),
  };
  const script = join(import.meta.dirname, 'listening.ts');
  const child = spawn(process.execPath, [script, token, apiUrl, how], {
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
