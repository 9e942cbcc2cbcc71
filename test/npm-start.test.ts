import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { startPerplexityServer } from './servers/perplexity/server.ts';
import { prepareDataDir } from './support/data-dir.ts';
import { holdNextAnswer } from './support/held-answer.ts';
import { ServiceStartError, startService } from './support/service.ts';
import { startSlackSide } from './support/sides.ts';

const REPO = resolve(import.meta.dirname, '..');

/** Where `npm start` finds everything but an `.env` of whoever runs the tests. */
function copyOfRepo(): string {
  const folder = mkdtempSync(join(tmpdir(), 'footnote-npm-'));
  cpSync(join(REPO, 'package.json'), join(folder, 'package.json'));
  for (const name of ['src', 'node_modules']) symlinkSync(join(REPO, name), join(folder, name));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

type Signal = 'SIGTERM' | 'SIGINT';

/** A supervisor signals npm; a terminal and systemd signal its whole process group, and npm forwards what it got as well. */
describe.skipIf(process.platform === 'win32')('npm start', () => {
  const needs = { timeout: 120_000, meta: { needs: 'signals (not Windows)' } };

  test.each([
    ['SIGTERM', 'npm'],
    ['SIGTERM', 'its process group'],
    ['SIGINT', 'its process group'],
  ] as const)('drains the service and ends it at a %s to %s', needs, async (signal, whom) => {
    const started = await startByNpm();
    const { side, perplexity, port, dataDir } = started;
    const complete = await askHeld(started);
    started.signal(whom, signal);
    await vi.waitFor(async () => expect(await readyz(port)).toBe('503 stopping\n'), 5_000);
    const restart = startService({ ...side.connection, perplexity, dataDir, env: { PORT: String(port) } });
    await expect(restart).rejects.toThrow(ServiceStartError);
    await expect(restart).rejects.toMatchObject({ exit: 75 });

    complete();
    expect(await started.exited).toBe(0);
    expect(isAlive(started.pid)).toBe(false);
    expect(perplexity.requests).toHaveLength(1);
  });

  test('ends at once when Ctrl-C is pressed again', needs, async () => {
    const started = await startByNpm();
    await askHeld(started);
    started.signal('its process group', 'SIGINT');
    await vi.waitFor(async () => expect(await readyz(started.port)).toBe('503 stopping\n'), 5_000);
    // npm sends a copy of each signal: one that follows at once may be taken for it, and a person presses again.
    const press = (): void => {
      if (isAlive(started.pid)) started.signal('its process group', 'SIGINT');
      expect(isAlive(started.pid)).toBe(false);
    };
    await vi.waitFor(press, { timeout: 10_000, interval: 200 });
    expect(await started.exited).not.toBe(0);
  });
});

type Started = Awaited<ReturnType<typeof startByNpm>>;

/** Asks what is not answered to the end before the test says so. */
async function askHeld({ side, perplexity }: Started): Promise<() => void> {
  const complete = holdNextAnswer(perplexity);
  const place = side.mention('What takes longer than a moment to say?');
  await vi.waitFor(() => expect(side.posts(place)[0]?.isGrowing).toBe(true), 20_000);
  return complete;
}

async function readyz(port: number): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
  return `${answer.status} ${await answer.text()}`;
}

async function startByNpm() {
  const side = await startSlackSide();
  const perplexity = await startPerplexityServer();
  onTestFinished(async () => void (await Promise.all([side.close(), perplexity.close()])));
  const cwd = copyOfRepo();
  const dataDir = join(cwd, 'data');
  await prepareDataDir(dataDir);
  const { apiUrl, botToken, appToken } = side.server;
  const npm = spawn('npm', ['start'], {
    cwd,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      PORT: '0',
      SLACK_API_URL: apiUrl,
      SLACK_BOT_TOKEN: botToken,
      SLACK_APP_TOKEN: appToken,
      PERPLEXITY_API_KEY: perplexity.apiKey,
      PERPLEXITY_BASE_URL: perplexity.url,
      SHUTDOWN_GRACE_SECONDS: '60',
      NODE_COMPILE_CACHE: join(REPO, 'node_modules/.cache/compiled'),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const exited = new Promise<number | null>((done) => npm.once('exit', (code) => done(code)));
  const ready = await new Promise<{ port: number; pid: number }>((done, reject) => {
    createInterface({ input: npm.stdout }).on('line', (line) => {
      if (line.includes('"msg":"ready"')) done(JSON.parse(line) as { port: number; pid: number });
    });
    void exited.then((code) => reject(new Error(`npm ended with ${code}`)));
  });
  onTestFinished(() => {
    if (isAlive(ready.pid)) process.kill(ready.pid, 'SIGKILL');
  });
  expect(await readyz(ready.port)).toBe('200 ready\n');
  return {
    ...ready,
    side,
    perplexity,
    dataDir,
    exited,
    signal: (whom: 'npm' | 'its process group', signal: Signal) =>
      process.kill(whom === 'npm' ? npm.pid! : -npm.pid!, signal),
  };
}
