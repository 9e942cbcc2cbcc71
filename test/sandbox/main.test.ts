import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, onTestFinished, test } from 'vitest';
import { lockDataDir } from '../../src/store/data-dir.ts';
import { startPerplexityServer } from '../servers/perplexity/server.ts';
import { prepareDataDir } from '../support/data-dir.ts';
import { answer, ask, freshDirectory, removeDirectory, stateOf, until } from './page-client.ts';

const MAIN = join(import.meta.dirname, 'main.ts');

type Command = readonly [program: string, ...args: string[]];

/** `npm run sandbox`, without npm unless asked for: its first lines, and the process. */
async function run(
  directory: string,
  env: Record<string, string> = {},
  [program, ...args]: Command = [process.execPath, MAIN],
) {
  const child = spawn(program, args, {
    cwd: join(import.meta.dirname, '../..'),
    env: { PATH: process.env['PATH'] ?? '', SANDBOX_PORT: '0', SANDBOX_DIR: directory, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  await until(() => lines.length === 3);
  return { child, lines, url: /http:\S+/.exec(lines[0] ?? '')?.[0] ?? '' };
}

/** With a database that is made already: a first start takes five seconds of processor time more. */
async function ownDirectory(): Promise<string> {
  const directory = freshDirectory();
  onTestFinished(() => removeDirectory(directory));
  await prepareDataDir(join(directory, 'data'));
  return directory;
}

/** Rejects while a service still runs on the sandbox's data. */
async function expectServiceGone(directory: string): Promise<void> {
  const release = await lockDataDir(join(directory, 'data'));
  release();
}

async function ready(url: string): Promise<void> {
  await until(async () => (await stateOf(url)).service.state === 'ready');
}

// Each starts several processes one after the other, and waits for directories to be given back.
describe('npm run sandbox', { timeout: 120_000 }, () => {
  test('prints one address and a hint, and ends at ctrl-C with all it started', async () => {
    const directory = await ownDirectory();
    const { child, lines, url } = await run(directory);
    expect(lines.join('\n').match(/http\S+/g)).toHaveLength(1);
    expect(lines[1]).toContain('scripted');
    await ready(url);
    await expect(expectServiceGone(directory)).rejects.toThrow('already in use');
    const second = spawn(process.execPath, [MAIN], { env: { SANDBOX_PORT: '0', SANDBOX_DIR: directory } });
    const [[said], [code]] = await Promise.all([once(second.stderr, 'data'), once(second, 'close')]);
    expect(String(said)).toContain('Is another sandbox running?');
    expect(code).toBe(75);
    child.kill('SIGINT');
    expect(await once(child, 'close')).toEqual([0, null]);
    await expectServiceGone(directory);
    await expect(stateOf(url)).rejects.toThrow('fetch failed');
  });

  test.skipIf(process.platform === 'win32')('ends with all it started when npm is told to', async () => {
    const directory = await ownDirectory();
    const { child, url } = await run(directory, {}, ['npm', 'run', '--silent', 'sandbox']);
    await ready(url);
    child.kill('SIGTERM');
    await once(child, 'close');
    await expectServiceGone(directory);
    await expect(stateOf(url)).rejects.toThrow('fetch failed');
  });

  test("passes on the service's settings, but for those that are its own", async () => {
    const given = { WAITING_PER_PERSON: 'many', PORT: 'none', DISCORD_TOKEN: 'not this one' };
    const { url } = await run(await ownDirectory(), given);
    const noteOf = async (): Promise<string> => (await stateOf(url)).service.note ?? '';
    await expect.poll(noteOf, { timeout: 30_000 }).toContain('WAITING_PER_PERSON');
    expect(await noteOf()).not.toMatch(/PORT|DISCORD/);
  });

  test('leaves no service behind when it is killed itself', async () => {
    const directory = await ownDirectory();
    const { child, url } = await run(directory);
    await ready(url);
    child.kill('SIGKILL');
    await once(child, 'close');
    await expectServiceGone(directory);
  });

  test('ends at once when it is interrupted while the service is still starting', async () => {
    const { child } = await run(await ownDirectory());
    child.kill('SIGINT');
    expect(await once(child, 'close')).toEqual([0, null]);
  });

  test('gives the service the real API when a key is set, and says so', async () => {
    const api = await startPerplexityServer({ apiKey: 'pplx-of-a-person' });
    onTestFinished(() => api.close());
    const { lines, url } = await run(await ownDirectory(), {
      PERPLEXITY_API_KEY: 'pplx-of-a-person',
      PERPLEXITY_BASE_URL: api.url,
    });
    expect(lines[1]).toContain('real Perplexity API');
    expect(lines.join()).not.toContain('pplx-');
    expect((await stateOf(url)).model).toEqual({ kind: 'real', url: api.url, research: null });
    await ready(url);
    const thread = await ask(url, 'slack', 'How did the tidal plants do?', null);
    await answer(url, 'slack', thread);
    expect(api.requests.map(({ status }) => status)).toEqual([200]);
    expect(JSON.stringify(await stateOf(url))).not.toContain('pplx-');
  });
});
