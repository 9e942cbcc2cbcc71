/** The whole service on a machine that reaches the world through a proxy only. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type PerplexityServer, startPerplexityServer } from './servers/perplexity/server.ts';
import { prepareDataDir } from './support/data-dir.ts';
import { type Proxy, startProxy } from './support/proxy.ts';
import { type ServiceOptions, ServiceStartError, startService } from './support/service.ts';
import {
  areEnded,
  type DiscordSide,
  type Side,
  type SlackSide,
  startDiscordSide,
  startSlackSide,
  until,
} from './support/sides.ts';

/** Names that the proxy alone knows: what does not go through it is not found. */
const MODEL = 'model.test';

let slack: SlackSide;
let discord: DiscordSide;
let perplexity: PerplexityServer;
let proxy: Proxy;

beforeAll(async () => {
  [slack, discord, perplexity] = await Promise.all([
    startSlackSide({ socketHost: 'socket.slack.test' }),
    startDiscordSide({ gatewayUrl: 'ws://gateway.discord.test' }),
    startPerplexityServer(),
  ]);
  proxy = await startProxy({ resolve: (authority) => known(authority) ?? authority });
});
afterAll(() => Promise.all([slack.close(), discord.close(), perplexity.close(), proxy.close()]));

function known(authority: string): string | undefined {
  const [host = ''] = authority.split(':');
  if (host.endsWith('slack.test')) return new URL(slack.server.apiUrl).host;
  if (host.endsWith('discord.test')) return new URL(discord.server.apiUrl).host;
  return host === MODEL ? new URL(perplexity.url).host : undefined;
}

/** The platform under the name that the proxy knows. */
function connectionOf(side: SlackSide | DiscordSide): Pick<ServiceOptions, 'slack' | 'discord'> {
  const { apiUrl } = side.server;
  const named = { apiUrl: apiUrl.replace(/127\.0\.0\.1:\d+/, `${side.name}.test`) };
  const { slack, discord } = side.connection;
  return {
    ...(slack && { slack: { ...slack, ...named } }),
    ...(discord && { discord: { ...discord, ...named } }),
  };
}

const proxies = (url: string) => ({ NODE_USE_ENV_PROXY: '1', HTTP_PROXY: url, HTTPS_PROXY: url });

async function isAnswered(side: Side): Promise<void> {
  const place = side.mention('How are the tides?');
  await until(side, 'an answer', 20_000, () => areEnded(side.posts(place), 1));
  expect(side.posts(place).at(-1)?.text).not.toMatch(/· E-/);
}

/** The names that the proxy was asked for since it was asked so often. */
const namesSince = (count: number): Set<string | undefined> =>
  new Set(proxy.asked.slice(count).map((authority) => authority.split(':')[0]));

describe.each([
  ['Slack', ['slack.test', 'socket.slack.test'], () => slack],
  ['Discord', ['discord.test', 'gateway.discord.test'], () => discord],
])('%s', (name, hosts, side) => {
  test('is served through the proxy of the environment', async () => {
    const before = proxy.asked.length;
    const env = { ...proxies(proxy.url), NO_PROXY: '' };
    const model = `http://${MODEL}`;
    const service = await startService({
      ...connectionOf(side()),
      perplexity: { ...perplexity, url: model },
      env,
    });
    onTestFinished(async () => void (await service.kill('SIGKILL')));
    await isAnswered(side());
    expect(namesSince(before)).toEqual(new Set([MODEL, ...hosts]));
  });

  test('is served through the proxy that .env names, and what NO_PROXY names goes past it', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'footnote-'));
    onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
    const lines = Object.entries({ ...proxies(proxy.url), NO_PROXY: '127.0.0.1' });
    writeFileSync(join(cwd, '.env'), lines.map(([name, value]) => `${name}=${value}\n`).join(''));
    const before = proxy.asked.length;
    const dataDir = join(cwd, 'data');
    await prepareDataDir(dataDir);
    const service = await startService({ ...connectionOf(side()), perplexity, cwd, dataDir });
    onTestFinished(async () => void (await service.kill('SIGKILL')));
    await isAnswered(side());
    expect(namesSince(before)).toEqual(new Set(hosts));
  });

  test('a proxy that is not there is one clear line, and exit code 69', async () => {
    const env = { ...proxies('http://127.0.0.1:9'), NO_PROXY: '' };
    const start = startService({ ...connectionOf(side()), perplexity, env });
    const error = await start.catch((thrown: unknown) => thrown);
    if (!(error instanceof ServiceStartError)) throw error;
    expect(error.exit).toBe(69);
    expect(error.stderr.trim().split('\n')).toEqual([
      expect.stringMatching(`^footnote: ${name} cannot be reached`),
    ]);
  });
});
