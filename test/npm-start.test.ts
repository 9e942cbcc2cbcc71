import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startPerplexityServer } from './servers/perplexity/server.ts';
import { prepareDataDir } from './support/data-dir.ts';
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

/** A supervisor signals npm; a terminal and systemd signal its whole process group, and npm forwards what it got as well. */
test.skipIf(process.platform === 'win32').each([
  ['SIGTERM', 'npm'],
  ['SIGTERM', 'its process group'],
  ['SIGINT', 'its process group'],
] as const)(
  'a %s to %s drains the service and ends it',
  { timeout: 60_000, meta: { needs: 'signals (not Windows)' } },
  async (signal, whom) => {
    const side = await startSlackSide();
    const perplexity = await startPerplexityServer({ tokensPerSecond: 10 });
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
        SHUTDOWN_GRACE_SECONDS: '5',
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
    const readyz = async (): Promise<string> => {
      const answer = await fetch(`http://127.0.0.1:${ready.port}/readyz`);
      return `${answer.status} ${await answer.text()}`;
    };
    onTestFinished(() => {
      if (isAlive(ready.pid)) process.kill(ready.pid, 'SIGKILL');
    });
    expect(await readyz()).toBe('200 ready\n');

    const place = side.mention('What takes longer than a moment to say?');
    await vi.waitFor(() => expect(side.posts(place)[0]?.isGrowing).toBe(true), 20_000);
    process.kill(whom === 'npm' ? npm.pid! : -npm.pid!, signal);
    await vi.waitFor(async () => expect(await readyz()).toBe('503 stopping\n'), 5_000);
    const restart = startService({
      ...side.connection,
      perplexity,
      dataDir,
      env: { PORT: String(ready.port) },
    });
    await expect(restart).rejects.toThrow(ServiceStartError);
    await expect(restart).rejects.toMatchObject({ exit: 75 });

    expect(await exited).toBe(0);
    expect(isAlive(ready.pid)).toBe(false);
  },
);
