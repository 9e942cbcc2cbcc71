import { REST, Routes } from 'discord.js';
import { describe, expect, test } from 'vitest';
import type { DiscordServer } from '../servers/discord/discord-server.ts';
import { channelId, type RestResult, rest, startServer } from './setup.ts';

function post(server: DiscordServer, content: string, channel = 'general'): Promise<RestResult> {
  return rest(server, 'POST', `/channels/${channelId(server, channel)}/messages`, { content });
}

describe('real limits', () => {
  test('let five posts and five edits through per channel, then say how long to wait', async () => {
    let now = Date.now();
    const server = await startServer({ limits: 'real', now: () => now });
    const first = await post(server, '1');
    expect(first.headers.get('x-ratelimit-limit')).toBe('5');
    expect(first.headers.get('x-ratelimit-remaining')).toBe('4');
    expect(first.headers.get('x-ratelimit-reset-after')).toBe('5.000');
    for (const content of ['2', '3', '4', '5']) await post(server, content);
    now += 1500;
    const sixth = await post(server, '6');
    expect(sixth.status).toBe(429);
    expect(sixth.body).toMatchObject({ retry_after: 3.5, global: false });
    expect(sixth.headers.get('retry-after')).toBe('4');
    expect(sixth.headers.get('x-ratelimit-scope')).toBe('user');
    const edit = await rest(
      server,
      'PATCH',
      `/channels/${channelId(server, 'general')}/messages/${first.body.id}`,
      {
        content: 'edited',
      },
    );
    expect(edit.status).toBe(200);
    expect((await post(server, 'elsewhere', 'random')).status).toBe(200);

    expect(server.calls.map(({ insideRetryAfter }) => insideRetryAfter)).not.toContain(true);
    await post(server, 'too early');
    expect(server.calls.at(-1)).toMatchObject({ status: 429, retryAfter: 3.5, insideRetryAfter: true });
    now += 3500;
    expect((await post(server, 'in time')).status).toBe(200);
    expect(server.calls.at(-1)?.insideRetryAfter).toBe(false);
    expect(server.invalidRequests()).toBe(2);
  });

  test('let fifty threads be started in a channel in five minutes', async () => {
    let now = Date.now();
    const server = await startServer({ limits: 'real', now: () => now });
    const statuses: number[] = [];
    for (let at = 0; at < 51; at += 1) {
      now += 100;
      const id = server.say({ user: 'ada', channel: 'general', content: 'q' });
      const path = `/channels/${channelId(server, 'general')}/messages/${id}/threads`;
      statuses.push((await rest(server, 'POST', path, { name: 'q' })).status);
    }
    expect(statuses.indexOf(429)).toBe(50);
    expect(server.calls.at(-1)?.retryAfter).toBeGreaterThan(290);
    expect(server.invalidRequests()).toBe(0);
  });

  test('allow fifty calls a second in all, interactions apart', async () => {
    const now = Date.now();
    const server = await startServer({ limits: 'real', now: () => now });
    const users = server.people.map(({ id }) => id);
    const calls = Array.from({ length: 51 }, (_, at) => {
      const path = at < 40 ? `/channels/${server.channels[at % 4]?.id}` : `/users/${users[at % 4]}`;
      return rest(server, 'GET', path);
    });
    const answers = await Promise.all(calls);
    const refused = answers.find(({ headers }) => headers.get('x-ratelimit-global') === 'true');
    expect(refused?.body).toMatchObject({ global: true });
    const { id, token } = server.command({ user: 'ada', channel: 'general', name: 'ask' });
    const callback = await rest(server, 'POST', `/interactions/${id}/${token}/callback`, { type: 5 }, {});
    expect(callback.status).toBe(204);
  });

  test('never refuse the real client, which waits by the headers', async () => {
    const server = await startServer({ limits: 'real' });
    const client = new REST({ api: server.apiUrl, retries: 0 }).setToken(server.token);
    const route = Routes.channelMessages(channelId(server, 'general'));
    const contents = ['1', '2', '3', '4', '5', '6', '7'];
    await Promise.all(contents.map((content) => client.post(route, { body: { content } })));
    expect(server.history('general').map(({ content }) => content)).toEqual(contents);
    expect(server.calls.map(({ status }) => status)).not.toContain(429);
  });
});

describe('faults', () => {
  test('answer with any status and code, as often as asked, on the routes they name', async () => {
    const server = await startServer();
    server.fault('POST /channels/:channel/messages', { status: 500 }, 2);
    server.fault('/channels/*', { status: 403, code: 50_013, headers: { 'x-test': 'yes' } });
    expect((await post(server, 'a')).status).toBe(500);
    expect((await post(server, 'b')).status).toBe(500);
    const third = await post(server, 'c');
    expect([third.status, third.body.code, third.headers.get('x-test')]).toEqual([403, 50_013, 'yes']);
    expect((await post(server, 'd')).status).toBe(200);
    server.fault('*', { status: 502 });
    server.clearFaults();
    expect((await post(server, 'e')).status).toBe(200);
    expect(server.history('general').map(({ content }) => content)).toEqual(['d', 'e']);
  });

  test('ask for a wait of their own, and notice who does not keep it', async () => {
    const server = await startServer();
    server.fault('*', { retryAfter: 60, scope: 'shared' });
    const refused = await post(server, 'a');
    expect(refused.body).toMatchObject({ retry_after: 60, global: false });
    expect(refused.headers.get('x-ratelimit-scope')).toBe('shared');
    await post(server, 'b');
    expect(server.calls.map(({ insideRetryAfter }) => insideRetryAfter)).toEqual([false, true]);
    expect(server.invalidRequests()).toBe(0);
    server.fault('*', { retryAfter: 60, global: true });
    await post(server, 'c', 'random');
    await rest(server, 'GET', '/users/@me');
    expect(server.calls.at(-1)?.insideRetryAfter).toBe(true);
  });

  test('reset before or after the work is done, answer in HTML, slowly or never', async () => {
    const server = await startServer();
    server.fault('*', 'reset-before');
    await expect(post(server, 'lost')).rejects.toThrow();
    server.fault('*', 'commit-then-reset');
    await expect(post(server, 'landed')).rejects.toThrow();
    expect(server.history('general').map(({ content }) => content)).toEqual(['landed']);
    expect(server.calls.map(({ status }) => status)).toEqual([null, null]);

    const path = `${server.apiUrl}/v10/users/@me`;
    const headers = { authorization: `Bot ${server.token}` };
    server.fault('*', 'html');
    const html = await fetch(path, { headers });
    expect([html.status, html.headers.get('content-type')]).toEqual([503, 'text/html; charset=UTF-8']);
    server.fault('*', { slow: 30 });
    const startedAt = performance.now();
    expect((await fetch(path, { headers })).status).toBe(200);
    expect(performance.now() - startedAt).toBeGreaterThan(25);
    server.fault('*', 'hang');
    await expect(fetch(path, { headers, signal: AbortSignal.timeout(50) })).rejects.toThrow(/timeout/);
  });
});
