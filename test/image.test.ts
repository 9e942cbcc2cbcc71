import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { startPerplexityServer } from './servers/perplexity/server.ts';
import { areEnded, startSlackSide, until } from './support/sides.ts';

const REPO = resolve(import.meta.dirname, '..');
const NOBODY = '65534';

/** What the image promises can be had without an engine where a mount namespace may be made, which takes root. */
function isConfinable(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  try {
    execFileSync('unshare', ['-m', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Everything read-only but $DATA; the code where anybody can read it; then the rest of the arguments, as nobody. */
const CONFINE = `
set -e
mount --make-rprivate /
mount --bind "$REPO" "$BASE/app"
mount --bind "$DATA" "$DATA"
awk '{ print $2 }' /proc/self/mounts | while read -r where; do
  case "$where" in /proc* | /sys* | "$DATA") ;; *) mount -o remount,bind,ro "$where" || true ;; esac
done
cd "$BASE/app"
exec setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups "$@"
`;

const needs = 'a mount namespace (root on Linux)';

test.skipIf(!isConfinable())(
  'runs as an unprivileged user that can write to its data directory only',
  // It compiles everything anew, beside the other tests.
  { timeout: 120_000, meta: { needs } },
  async () => {
    const base = mkdtempSync(join(tmpdir(), 'footnote-image-'));
    const data = join(base, 'data');
    for (const folder of [data, join(base, 'app')]) mkdirSync(folder);
    execFileSync('chown', [NOBODY, data]);
    chmodSync(base, 0o755);
    const side = await startSlackSide();
    const perplexity = await startPerplexityServer();
    const { apiUrl, botToken, appToken } = side.server;
    const node = process.execPath.replace(REPO, join(base, 'app'));
    // Writing anywhere else must fail, or the confinement itself proves nothing.
    const script =
      'if (touch /escaped || touch "$BASE/app/escaped" || touch /tmp/escaped) 2>/dev/null; then exit 99; fi; exec "$0" src/main.ts';
    const child = spawn('unshare', ['-m', 'sh', '-c', CONFINE, 'sh', 'sh', '-c', script, node], {
      env: {
        PATH: process.env['PATH'],
        REPO,
        BASE: base,
        DATA: data,
        DATA_DIR: data,
        PORT: '0',
        SLACK_API_URL: apiUrl,
        SLACK_BOT_TOKEN: botToken,
        SLACK_APP_TOKEN: appToken,
        PERPLEXITY_API_KEY: perplexity.apiKey,
        PERPLEXITY_BASE_URL: perplexity.url,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // Left behind, it would hold our output open, and with it whoever waits for the end of the tests.
    onTestFinished(() => void child.kill('SIGKILL'));
    const exited = new Promise<number | null>((done) => child.once('close', (code) => done(code)));
    await new Promise<void>((ready, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => line.includes('"ready"') && ready());
      void exited.then((code) => reject(new Error(`ended with ${code}`)));
    });
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    expect(/^Uid:\s+(\d+)/m.exec(status)?.[1]).toBe(NOBODY);

    const place = side.mention('Is anybody there?');
    await until(side, 'an answer', 15_000, () => areEnded(side.posts(place), 1));
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
    await Promise.all([side.close(), perplexity.close()]);
  },
);
