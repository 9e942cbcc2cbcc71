/** SIGTERM: whatever answers and platforms do, the service ends in order and in time. */
import { createServer } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';
import { holdNextAnswer } from '../support/held-answer.ts';
import { type ServiceOptions, type ServiceProcess, startService } from '../support/service.ts';
import {
  areEnded,
  type DiscordSide,
  type Place,
  startDiscordSide,
  startSlackSide,
} from '../support/sides.ts';

const GRACE_S = 1;
const LIMIT_MS = (GRACE_S + 2) * 1_000;
const needs = { timeout: 60_000, meta: { needs: 'signals (not Windows)' } };

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function startPerplexity(): Promise<PerplexityServer> {
  const perplexity = await startPerplexityServer();
  ends.push(() => perplexity.close());
  return perplexity;
}

async function start(options: ServiceOptions): Promise<ServiceProcess> {
  const service = await startService({ ...options, env: { SHUTDOWN_GRACE_SECONDS: String(GRACE_S) } });
  ends.push(() => service.kill('SIGKILL'));
  return service;
}

async function askGrowing(side: Pick<DiscordSide, 'mention' | 'posts'>): Promise<Place> {
  const place = side.mention('What takes longer than a moment to say?');
  await vi.waitFor(() => expect(side.posts(place)[0]?.isGrowing).toBe(true), 20_000);
  return place;
}

async function expectInTime(service: ServiceProcess): Promise<void> {
  const since = performance.now();
  expect(await service.stop()).toBe(0);
  expect(performance.now() - since).toBeLessThan(LIMIT_MS);
}

describe.skipIf(process.platform === 'win32')('SIGTERM ends the service in time', needs, () => {
  test('while an answer never ends', async () => {
    const side = await startDiscordSide();
    ends.push(() => side.close());
    const perplexity = await startPerplexity();
    const service = await start({ ...side.connection, perplexity });
    holdNextAnswer(perplexity);
    await askGrowing(side);
    await expectInTime(service);
  });

  test("while Discord's rate limit has the end of an answer wait", async () => {
    const side = await startDiscordSide();
    ends.push(() => side.close());
    const perplexity = await startPerplexity();
    const service = await start({ ...side.connection, perplexity });
    const complete = holdNextAnswer(perplexity);
    await askGrowing(side);
    side.server.fault('PATCH /channels/:channel/messages/:message', { retryAfter: 60 }, 100);
    complete();
    await vi.waitFor(() => expect(side.limits().refused).toBeGreaterThan(0), 10_000);
    await expectInTime(service);
  });
});

describe.skipIf(process.platform === 'win32')('SIGTERM', needs, () => {
  test('before the service is ready lets the answers end that have begun', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port } = silent.address() as { port: number };
    const slack = await startSlackSide();
    const discord = await startDiscordSide({ gatewayUrl: `ws://127.0.0.1:${port}` });
    ends.push(
      () => slack.close(),
      () => discord.close(),
      async () => silent.close(),
    );
    const perplexity = await startPerplexity();
    const complete = holdNextAnswer(perplexity);
    let pid = 0;
    const begun = Promise.withResolvers<Place>();
    const starting = startService({
      ...slack.connection,
      ...discord.connection,
      perplexity,
      onSpawn: (id) => (pid = id),
      onLine: ({ msg }) => {
        if (msg === 'listening to Slack') begun.resolve(askGrowing(slack));
        if (msg === 'stopping') complete();
      },
    });
    const ended = expect(starting).rejects.toMatchObject({ exit: 0 });
    const place = await begun.promise;
    process.kill(pid, 'SIGTERM');
    await ended;
    expect(areEnded(slack.posts(place), 1)).toBe(true);
    expect(perplexity.requests).toHaveLength(1);
  });
});
