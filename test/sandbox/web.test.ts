import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startDiscordServer } from '../servers/discord/discord-server.ts';
import { startSlackServer } from '../servers/slack/server.ts';
import { discordSide } from './discord-side.ts';
import { act, someone, stateOf, textOf } from './page-client.ts';
import { slackSide } from './slack-side.ts';
import { createStateFeed } from './state-feed.ts';
import { startWeb } from './web.ts';

/** The page's server over real stand-ins, with no service behind them. */
async function setup(port = 0) {
  const [slack, discord] = await Promise.all([startSlackServer(), startDiscordServer()]);
  const status = { state: 'down', starts: 0, note: null } as const;
  const supervisor = {
    status: () => status,
    kill: () => {},
    start: () => {},
    restart: () => {},
    stop: async () => {},
  };
  const feed = createStateFeed(() => ({
    service: status,
    model: { kind: 'real', url: 'https://api.example.com', research: null },
    slack: slackSide(slack, Date.now()),
    discord: discordSide(discord, Date.now()),
  }));
  const stage = { slack, discord, perplexity: null, supervisor, changed: feed.touch };
  const web = await startWeb(port, feed, stage);
  onTestFinished(async () => {
    feed.close();
    await Promise.all([web.close(), slack.close(), discord.close()]);
  });
  return { url: `http://127.0.0.1:${web.port}`, slack, discord, port: web.port };
}

const KILL = { do: 'break', what: 'kill' };

/** `fetch` does not let one choose Host, nor Origin in every case. */
async function status(port: number, method: string, path: string, headers: Record<string, string>) {
  const asked = request({ host: '127.0.0.1', port, method, path, headers });
  asked.end(method === 'POST' ? JSON.stringify(KILL) : undefined);
  const [response] = await once(asked, 'response');
  response.resume();
  return response.statusCode;
}

describe('the page’s server', () => {
  test('refuses what comes from another page, or under another host name', async () => {
    const { url, port } = await setup();
    const json = { 'content-type': 'application/json' };
    const post = (headers: Record<string, string>) =>
      status(port, 'POST', '/api/do', { ...json, ...headers });
    expect(await post({ origin: url })).toBe(200);
    expect(await post({})).toBe(200);
    expect(await post({ origin: 'https://evil.example' })).toBe(403);
    expect(await post({ origin: 'null' })).toBe(403);
    expect(await post({ origin: `http://127.0.0.1:${port + 1}` })).toBe(403);
    expect(await post({ host: `evil.example:${port}` })).toBe(403);
    expect(await post({ host: `evil.example:${port}`, origin: `http://evil.example:${port}` })).toBe(403);
    expect(await post({ 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await post({ 'content-type': 'text/plain' })).toBe(415);
    expect(await status(port, 'GET', '/api/state', { host: `evil.example:${port}` })).toBe(403);
    expect(await status(port, 'GET', '/api/changes', { origin: 'https://evil.example' })).toBe(403);
  });

  test('serves the page and its files, and nothing else of the disk', async () => {
    const { url, port } = await setup();
    const page = await fetch(url);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    const html = await page.text();
    const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file ?? '');
    expect(files).toContain('app.js');
    for (const file of files) expect((await fetch(`${url}/${file}`)).status, file).toBe(200);
    for (const path of ['/../main.ts', '/%2e%2e/main.ts', '/..%2fmain.ts', '/constructor'])
      expect(await status(port, 'GET', path, {}), path).toBe(404);
    expect(await status(port, 'DELETE', '/', {})).toBe(405);
  });

  test('says in plain words why something cannot be done', async () => {
    const { url } = await setup();
    const place = { platform: 'slack', ...someone((await stateOf(url)).slack) };
    await expect(
      act(url, { do: 'command', command: 'ask', ...place, thread: '1.2', text: 'x' }),
    ).rejects.toThrow('409: {"error":"Slack has no slash commands in threads');
    await expect(act(url, { do: 'break-answer', fault: 'cut' })).rejects.toThrow('real Perplexity API');
    await expect(act(url, { do: 'explode' })).rejects.toThrow('400');
    await expect(
      act(url, { do: 'say', ...place, thread: null, text: ' ', mention: true, repliesTo: null }),
    ).rejects.toThrow('write something first');
    const much = { do: 'command', command: 'ask', ...place, thread: null, text: 'x'.repeat(200_000) };
    await expect(act(url, much)).rejects.toThrow('413');
  });

  test('shows people only what belongs to them, and marks what only one of them sees', async () => {
    const { url, slack, discord } = await setup();
    const before = await stateOf(url);
    for (const side of [before.slack, before.discord]) {
      const dms = side.channels.filter(({ kind }) => kind === 'dm');
      expect(dms.map(({ owner }) => owner)).toEqual(side.people.map(({ id }) => id));
    }
    const { user, channel } = someone(before.slack);
    slack.say({ user, channel, text: '5 > 3 & @footnote' });
    const root = discord.say({ ...someone(before.discord), content: 'a *root*' });
    discord.makeThread({ ...someone(before.discord), name: 'A thread', message: root });
    discord.say({ user: before.discord.people[1]?.id ?? '', channel: root, content: 'a reply' });
    const after = await stateOf(url);
    expect(after.version).toBeGreaterThan(before.version);
    expect(after.slack.messages.map(textOf)).toEqual([`5 &gt; 3 &amp; <@${slack.botUser}>`]);
    expect(after.discord.threads).toEqual([
      { id: root, channel: someone(after.discord).channel, name: 'A thread' },
    ]);
    expect(after.discord.messages.map((one) => [textOf(one), one.thread])).toEqual([
      ['a *root*', null],
      ['a reply', root],
    ]);
  });

  test('takes the next free port when its own is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const { port: taken } = other.address() as AddressInfo; // a TCP server that listens
    expect((await setup(taken)).port).toBeGreaterThan(taken);
  });
});
