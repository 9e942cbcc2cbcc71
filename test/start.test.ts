import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type DiscordServer, startDiscordServer } from './servers/discord/discord-server.ts';
import { type PerplexityServer, startPerplexityServer } from './servers/perplexity/server.ts';
import { type SlackServer, startSlackServer } from './servers/slack/server.ts';
import { prepareDataDir } from './support/data-dir.ts';
import { type ServiceOptions, ServiceStartError, startService } from './support/service.ts';

const perplexity = { url: 'http://127.0.0.1:9', apiKey: 'pplx-test' };
let slack: SlackServer;
let discord: DiscordServer;

beforeAll(async () => {
  [slack, discord] = await Promise.all([startSlackServer(), startDiscordServer()]);
  // What it takes to create the first is not what a start is measured by.
  await prepareDataDir(join(mkdtempSync(join(tmpdir(), 'footnote-')), 'data'));
});
afterAll(async () => {
  await Promise.all([slack.close(), discord.close()]);
});

function onSlack(
  change: Partial<Record<'apiUrl' | 'botToken' | 'appToken', string>> = {},
): ServiceOptions['slack'] {
  const { apiUrl, botToken, appToken } = slack;
  return { apiUrl, botToken, appToken, ...change };
}

function onDiscord(change: Partial<Record<'apiUrl' | 'token', string>> = {}): ServiceOptions['discord'] {
  const { apiUrl, token, applicationId } = discord;
  return { apiUrl, token, applicationId, ...change };
}

/** Starts it in the expectation that it refuses; returns what it said. */
async function refused(
  options: Partial<ServiceOptions>,
): Promise<{ exit: unknown; lines: string[]; seconds: number }> {
  const startedAt = performance.now();
  try {
    const service = await startService({ perplexity, ...options });
    await service.kill('SIGKILL');
    throw new Error('it started');
  } catch (error) {
    if (!(error instanceof ServiceStartError)) throw error;
    const lines = error.stderr.split('\n').filter((line) => line !== '');
    return { exit: error.exit, lines, seconds: (performance.now() - startedAt) / 1000 };
  }
}

/** It takes two or three; a busy machine may need as long again. What never ends is what this is about. */
const SOON_S = 15;

describe('a start that cannot succeed says why in one line, with the right exit code, soon', () => {
  test.each<[string, () => Partial<ServiceOptions>, number, RegExp]>([
    ['no platform', () => ({}), 78, /SLACK_BOT_TOKEN, SLACK_APP_TOKEN, DISCORD_TOKEN: .*npm run sandbox/],
    [
      'an empty token',
      () => ({ slack: onSlack({ appToken: '' })! }),
      78,
      /SLACK_APP_TOKEN: is missing or empty/,
    ],
    ['swapped tokens', () => swapped(), 78, /SLACK_BOT_TOKEN: is the other Slack token: swap/],
    ['a wrong bot token', () => ({ slack: onSlack({ botToken: 'xoxb-wrong' })! }), 78, /SLACK_BOT_TOKEN/],
    ['a wrong app token', () => ({ slack: onSlack({ appToken: 'xapp-wrong' })! }), 78, /SLACK_APP_TOKEN/],
    [
      'a wrong Discord token',
      () => ({ discord: onDiscord({ token: 'MTIz.wrong.token' })! }),
      78,
      /DISCORD_TOKEN/,
    ],
    [
      'no address',
      () => ({ slack: onSlack({ apiUrl: 'nonsense' })! }),
      78,
      /SLACK_API_URL: must be an http\(s\) address/,
    ],
    ['a dead Slack address', () => ({ slack: onSlack({ apiUrl: DEAD })! }), 69, /SLACK_API_URL/],
    ['a dead Discord address', () => ({ discord: onDiscord({ apiUrl: DEAD })! }), 69, /DISCORD_API_URL/],
    [
      'an unknown model',
      () => ({ slack: onSlack()!, env: { DEFAULT_MODEL: 'gpt-3' } }),
      78,
      /DEFAULT_MODEL: must be sonar/,
    ],
    [
      'a refused database',
      () => ({ slack: onSlack()!, databaseUrl: 'postgres://u:s3cr3t@127.0.0.1:9/x' }),
      69,
      /DATABASE_URL/,
    ],
    ['a data directory that is a file', () => ({ slack: onSlack()!, dataDir: aFile() }), 78, /DATA_DIR/],
    [
      'a data directory that others may write to',
      () => ({ slack: onSlack()!, dataDir: anOpenDirectory() }),
      78,
      /can be written to by other users.*DATA_DIR/,
    ],
  ])('%s', async (_what, options, exit, line) => {
    const result = await refused(options());
    expect(
      result.lines.filter((one) => line.test(one)),
      result.lines.join('\n'),
    ).toHaveLength(1);
    expect(
      result.lines.every((one) => one.startsWith('footnote: ')),
      result.lines.join('\n'),
    ).toBe(true);
    expect(result.exit).toBe(exit);
    expect(result.seconds).toBeLessThan(SOON_S);
    expect(result.lines.join('\n')).not.toMatch(/s3cr3t|xoxb-wrong|xapp-wrong|MTIz/);
  });

  test('a host that does not exist', async () => {
    const result = await refused({ slack: onSlack()!, env: { HOST: 'no-such-host.invalid' } });
    expect(result.lines).toEqual([expect.stringMatching(/HOST, PORT: cannot listen there/)]);
    expect(result.exit).toBe(78);
  });

  test('an .env that is a directory, as a container makes of a missing file', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'footnote-'));
    mkdirSync(join(cwd, '.env'));
    const result = await refused({ slack: onSlack()!, cwd });
    expect(result.lines).toEqual([expect.stringMatching(/\.env: cannot be read/)]);
    expect(result.exit).toBe(78);
  });

  test('a fault in an .env as Notepad saves it', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'footnote-'));
    writeFileSync(join(cwd, '.env'), '\uFEFFDEFAULT_MODEL=gpt-3\r\n');
    const result = await refused({ slack: onSlack()!, cwd });
    expect(result.lines).toEqual([expect.stringMatching(/DEFAULT_MODEL: must be sonar/)]);
    expect(result.exit).toBe(78);
  });

  test('a port that is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const result = await refused({ slack: onSlack()!, env: { PORT: String(port) } });
    server.close();
    expect(result.lines).toEqual([expect.stringMatching(/HOST, PORT: cannot listen there \(EADDRINUSE\)/)]);
    expect(result.exit).toBe(78);
  });

  test('a data directory in use by another process', async () => {
    const dataDir = join(mkdtempSync(join(tmpdir(), 'footnote-')), 'data');
    await prepareDataDir(dataDir);
    const first = await startService({ perplexity, slack: onSlack()!, dataDir });
    const result = await refused({ slack: onSlack()!, dataDir });
    await first.kill('SIGKILL');
    expect(result.lines).toEqual([expect.stringMatching(/DATA_DIR/)]);
    expect(result.exit).toBe(75);
    expect(result.seconds).toBeLessThan(SOON_S);
  });
});

test('a signal ends a start that hangs, as it would not end process 1 by itself', async () => {
  const hanging = createServer().listen(0, '127.0.0.1');
  const called = new Promise<void>((resolve) => hanging.once('connection', () => resolve()));
  await new Promise((resolve) => hanging.once('listening', resolve));
  const { port } = hanging.address() as { port: number };
  const service = spawn(process.execPath, [join(import.meta.dirname, '../src/main.ts')], {
    cwd: tmpdir(),
    env: {
      SLACK_BOT_TOKEN: 'xoxb-1',
      SLACK_APP_TOKEN: 'xapp-1',
      SLACK_API_URL: `http://127.0.0.1:${port}/api`,
      PERPLEXITY_API_KEY: 'pplx-1',
      PORT: '0',
    },
  });
  const exited = new Promise((resolve) => service.once('exit', (...exit) => resolve(exit)));
  await called;
  service.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  hanging.close();
});

test('healthz, readyz and metrics are served, and SIGTERM ends it in order', async () => {
  const service = await startService({
    perplexity,
    slack: onSlack()!,
    discord: onDiscord()!,
    env: { DISCORD_TREADS: 'never' },
  });
  expect(service.log.map(({ msg }) => msg)).toContain(
    'DISCORD_TREADS is no setting: did you mean DISCORD_THREADS?',
  );
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${service.port}${path}`);
    return { status: response.status, text: await response.text() };
  };
  expect(await get('/healthz')).toEqual({ status: 200, text: 'ok\n' });
  await expect.poll(() => get('/readyz'), { timeout: 10_000 }).toEqual({ status: 200, text: 'ready\n' });
  expect((await get('/metrics')).text).toContain('footnote_process_resident_memory_bytes');
  expect((await get('/else')).status).toBe(404);
  expect(await healthOf(service.port)).toBe(0);
  expect(await service.stop()).toBe(0);
  expect(await healthOf(service.port)).toBe(1);
});

describe('while Perplexity refuses the account', () => {
  let model: PerplexityServer;
  beforeAll(async () => {
    model = await startPerplexityServer();
    model.setAccount('401');
  });
  afterAll(() => model.close());

  test.for([
    ['the service stays in rotation, and says why nobody gets an answer', {}, 200, 'ready\n'],
    ['it leaves the rotation where that is wanted', { READY_NEEDS_MODEL: 'true' }, 503, ''],
  ] as const)('%s', async ([_what, env, status, start]) => {
    const service = await startService({ perplexity: model, slack: onSlack()!, env });
    const get = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${service.port}${path}`);
      return { status: response.status, text: await response.text() };
    };
    const reason = 'Perplexity refuses to answer (401): PERPLEXITY_API_KEY is not accepted by Perplexity';
    await expect
      .poll(() => get('/readyz'), { timeout: 10_000 })
      .toEqual({ status, text: `${start}${reason}\n` });
    expect((await get('/metrics')).text).toContain('footnote_perplexity_refused 1\n');
    expect(service.log.filter(({ msg }) => msg === reason)).toHaveLength(1);
    expect(await service.stop()).toBe(0);
  });
});

/** The exit code of the image's health check, which a proxy in the environment must not mislead. */
async function healthOf(port: number): Promise<unknown> {
  const dockerfile = readFileSync(join(import.meta.dirname, '../Dockerfile'), 'utf8');
  const [, command = ''] = /HEALTHCHECK[^]*?CMD (\[.*\])/.exec(dockerfile) ?? [];
  const [, ...args] = JSON.parse(command) as string[];
  const proxies = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: 'http://127.0.0.1:9' };
  const check = spawn(process.execPath, args, { env: { PORT: String(port), ...proxies } });
  return (await once(check, 'exit'))[0];
}

const DEAD = 'http://127.0.0.1:9/api';

function swapped(): Partial<ServiceOptions> {
  return { slack: onSlack({ botToken: slack.appToken, appToken: slack.botToken })! };
}

function aFile(): string {
  const path = join(mkdtempSync(join(tmpdir(), 'footnote-')), 'file');
  writeFileSync(path, '');
  chmodSync(path, 0o400);
  return path;
}

function anOpenDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'footnote-'));
  chmodSync(path, 0o777);
  return path;
}

test('what discord.js throws where nobody can catch it is logged, and the service goes on', async () => {
  discord.gateway.interpose('MESSAGE_CREATE', null);
  const service = await startService({ perplexity, slack: onSlack()!, discord: onDiscord()! });
  await vi.waitFor(() => expect(service.log.map(({ msg }) => msg)).toContain('uncaught exception'), 10_000);
  const response = await fetch(`http://127.0.0.1:${service.port}/healthz`);
  expect(response.status).toBe(200);
  expect(await service.stop()).toBe(0);
});
