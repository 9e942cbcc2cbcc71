import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';
import { prepareDataDir } from '../support/data-dir.ts';
import { type ServiceProcess, startService } from '../support/service.ts';
import {
  areEnded,
  type DiscordSide,
  type SlackSide,
  startDiscordSide,
  startSlackSide,
} from '../support/sides.ts';

const THREADS = 'POST /channels/:channel/messages/:message/threads';
const PATIENCE_MS = 60_000;

/** Places that are refused while, and after, the model answers. Whatever comes of the answer: it is asked, and paid, once. */
describe('a place that cannot be opened', () => {
  let discord: DiscordSide;
  let slack: SlackSide;
  let perplexity: PerplexityServer;
  let service: ServiceProcess;

  beforeAll(async () => {
    [discord, slack] = await Promise.all([startDiscordSide(), startSlackSide()]);
    perplexity = await startPerplexityServer();
    service = await startService({ ...discord.connection, ...slack.connection, perplexity });
  });
  afterAll(async () => {
    await service.stop();
    await Promise.all([discord.close(), slack.close(), perplexity.close()]);
  });

  const ended = (msg: string): number => service.log.filter((line) => line.msg === msg).length;

  test('a thread on Discord whose question is deleted meanwhile', { timeout: PATIENCE_MS }, async () => {
    const asked = perplexity.requests.length;
    discord.server.fault(THREADS, { status: 502 }, 6);
    const place = discord.mention('short');
    await expect.poll(() => perplexity.requests[asked]?.state, { timeout: PATIENCE_MS }).toBe('complete');
    discord.unsay(place);
    await expect.poll(() => ended('no place to answer'), { timeout: PATIENCE_MS }).toBe(1);
    expect(perplexity.requests).toHaveLength(asked + 1);
    discord.server.clearFaults();
  });

  // The last one has no threads tried for a while.
  test.each([
    ['fails for a while', { status: 502 } as const, 12],
    ['times out', 'hang' as const, 1],
    ['is there although that was not said', 'commit-then-reset' as const, 1],
    ['is forbidden', { status: 403, code: 50_013 } as const, 1],
  ])('a thread on Discord that %s', { timeout: PATIENCE_MS }, async (_what, fault, times) => {
    const [asked, answered] = [perplexity.requests.length, ended('answered')];
    discord.server.fault(THREADS, fault, times);
    const place = discord.mention('short');
    await expect.poll(() => ended('answered'), { timeout: PATIENCE_MS }).toBe(answered + 1);
    expect(areEnded(discord.posts(place), 1)).toBe(true);
    expect(perplexity.requests).toHaveLength(asked + 1);
    discord.server.clearFaults();
  });

  const general = (): string => slack.server.channels.find(({ name }) => name === 'general')?.id ?? '';
  const askOnSlack = (): void => {
    const user = slack.server.people[0]?.id ?? '';
    slack.server.command({ user, channel: general(), command: '/ask', text: 'short' });
  };

  test.each([
    ['fails for a while', { status: 502 } as const, 6],
    ['is there although that was not said', 'commit-then-reset' as const, 1],
  ])('the root of an /ask on Slack that %s', { timeout: PATIENCE_MS }, async (_what, fault, times) => {
    const { server } = slack;
    const [asked, answered] = [perplexity.requests.length, ended('answered')];
    server.fault('chat.postMessage', fault, times);
    const before = server.history(general()).filter(({ bot }) => bot).length;
    askOnSlack();
    await expect.poll(() => ended('answered'), { timeout: PATIENCE_MS }).toBe(answered + 1);
    expect(server.history(general()).filter(({ bot }) => bot)).toHaveLength(before + 2);
    expect(perplexity.requests).toHaveLength(asked + 1);
    server.clearFaults();
  });

  test('a channel on Slack that is archived after an /ask: the asker is told, once and privately', {
    timeout: PATIENCE_MS,
  }, async () => {
    const { server } = slack;
    const [asked, lost] = [perplexity.requests.length, ended('no place to answer')];
    const told = slack.shownAlone().length;
    server.fault('chat.postMessage', { error: 'is_archived' }, Number.POSITIVE_INFINITY);
    askOnSlack();
    await expect.poll(() => ended('no place to answer'), { timeout: PATIENCE_MS }).toBe(lost + 1);
    await expect.poll(() => slack.shownAlone().length, { timeout: 10_000 }).toBe(told + 1);
    expect(slack.shownAlone().at(-1)).toMatch(/can't answer where you asked.*archived/s);
    expect(perplexity.requests.length).toBeLessThanOrEqual(asked + 1);
    server.clearFaults();
  });

  test('direct messages on Slack that cannot be opened for a while: the asker is told of a lost place', {
    timeout: PATIENCE_MS,
  }, async () => {
    const { server } = slack;
    const asked = perplexity.requests.length;
    const lost = ended('no place to answer');
    for (const method of ['chat.startStream', 'chat.postMessage'])
      server.fault(method, { error: 'is_archived' }, Number.POSITIVE_INFINITY);
    server.fault('conversations.open', { status: 502 }, 2);
    slack.mention('short');
    await expect.poll(() => ended('no place to answer'), { timeout: PATIENCE_MS }).toBe(lost + 1);
    // The direct messages are still being opened.
    server.clearFaults();
    const dm = server.channels.find(({ kind }) => kind === 'im')?.id ?? '';
    const told = (): string[] => server.history(dm).flatMap(({ bot, text }) => (bot ? [text] : []));
    await expect.poll(told, { timeout: 20_000 }).toEqual([expect.stringMatching(/can't answer where you/)]);
    expect(perplexity.requests).toHaveLength(asked + 1);
  });
});

/** A thread that Discord has made without saying so, and does not let us start again. */
describe('a thread that is there already', () => {
  test.each(['after its service was killed', 'in the same service'])(
    'is used %s',
    { timeout: PATIENCE_MS },
    async (when) => {
      const discord = await startDiscordSide();
      const perplexity = await startPerplexityServer();
      const dataDir = join(mkdtempSync(join(tmpdir(), 'footnote-')), 'data');
      await prepareDataDir(dataDir);
      const start = () => startService({ ...discord.connection, perplexity, dataDir });
      let service = await start();
      const isKilled = when !== 'in the same service';
      discord.server.fault(THREADS, isKilled ? 'commit-then-hang' : 'commit-then-reset', 1);
      discord.server.fault(THREADS, { retryAfter: 240, scope: 'shared' }, 10);
      const place = discord.mention('short');
      const isMade = (): boolean => discord.server.channels.some(({ id }) => id === place.channel);
      await expect
        .poll(() => isMade() && perplexity.requests[0]?.state, { timeout: 20_000 })
        .toBe('complete');
      if (isKilled) {
        await service.kill('SIGKILL');
        service = await start();
      }
      await expect.poll(() => areEnded(discord.posts(place), 1), { timeout: 20_000 }).toBe(true);
      // The kill may have come between the end of the model's answer and its storing.
      if (!isKilled) expect(perplexity.requests).toHaveLength(1);
      await service.stop();
      rmSync(dataDir, { recursive: true, force: true });
      await Promise.all([discord.close(), perplexity.close()]);
    },
  );
});
