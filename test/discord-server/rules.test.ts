import { Events } from 'discord.js';
import { describe, expect, test } from 'vitest';
import { startDiscordServer } from '../servers/discord/discord-server.ts';
import { channelId, connect, createClient, rest, startServer } from './setup.ts';

const LONG = 'x'.repeat(2001);
const button = (id: string, label = 'Retry'): object => ({
  type: 1,
  components: [{ type: 2, style: 2, custom_id: id, label }],
});
const V2 = 1 << 15;

describe('messages', () => {
  test.each([
    ['2,001 characters', { content: LONG }, 50_035],
    ['nothing in it', { content: '  ' }, 50_006],
    ['an embed description of 4,097', { embeds: [{ description: 'x'.repeat(4097) }] }, 50_035],
    [
      'embeds of 6,001 in all',
      { embeds: [{ description: 'x'.repeat(3000) }, { description: 'x'.repeat(3001) }] },
      50_035,
    ],
    ['a button label of 81', { content: 'x', components: [button('a', 'x'.repeat(81))] }, 50_035],
    ['two buttons of one id', { content: 'x', components: [button('a'), button('a')] }, 50_035],
    ['a flag that cannot be set', { content: 'x', flags: 1 << 6 }, 50_035],
    ['V2 components without the flag', { components: [{ type: 10, content: 'x' }] }, 50_035],
    [
      'content beside V2 components',
      { content: 'x', flags: V2, components: [{ type: 10, content: 'x' }] },
      50_035,
    ],
    [
      'V2 text of 4,001',
      {
        flags: V2,
        components: [
          { type: 10, content: 'x'.repeat(2001) },
          { type: 10, content: 'x'.repeat(2000) },
        ],
      },
      50_035,
    ],
    [
      'users both parsed and listed',
      { content: 'x', allowed_mentions: { parse: ['users'], users: ['123456789012345678'] } },
      50_035,
    ],
    ['an unknown mention kind', { content: 'x', allowed_mentions: { parse: ['humans'] } }, 50_035],
    ['an id that is none', { content: 'x', message_reference: { message_id: '12' } }, 50_035],
    ['a reply to nothing', { content: 'x', message_reference: { message_id: '123456789012345678' } }, 50_035],
    ['a key that does not exist', { text: 'x' }, 50_035],
    ['a nonce of 26', { content: 'x', nonce: 'x'.repeat(26) }, 50_035],
  ])('with %s are refused', async (_name, message, code) => {
    const server = await startServer();
    const { body } = await rest(
      server,
      'POST',
      `/channels/${channelId(server, 'general')}/messages`,
      message,
    );
    expect(body.code).toBe(code);
    expect(server.history('general')).toEqual([]);
    expect(server.calls.at(-1)).toMatchObject({ status: 400, code });
  });

  test('count code points, fall back when told to, and take the keys discord.js adds', async () => {
    const server = await startServer();
    const path = `/channels/${channelId(server, 'general')}/messages`;
    const emoji = await rest(server, 'POST', path, { content: '🌍'.repeat(2000), tts: false });
    expect(emoji.status).toBe(200);
    const reference = { message_id: '123456789012345678', fail_if_not_exists: false };
    const orphan = await rest(server, 'POST', path, { content: 'x', message_reference: reference });
    expect(orphan.body['message_reference']).toBeUndefined();
    const edit = await rest(server, 'PATCH', `${path}/${emoji.body.id}`, {
      content: 'y',
      enforce_nonce: true,
    });
    expect(edit.body['content']).toBe('y');
    const long = await rest(server, 'PATCH', `${path}/${emoji.body.id}`, { content: LONG });
    expect(long.body.code).toBe(50_035);
    const empty = await rest(server, 'PATCH', `${path}/${emoji.body.id}`, { content: '' });
    expect(empty.body.code).toBe(50_006);
  });

  test('with an enforced nonce are posted once within minutes, and anew later', async () => {
    let now = Date.now();
    const server = await startServer({ now: () => now });
    const path = `/channels/${channelId(server, 'general')}/messages`;
    const body = { content: 'once', nonce: 'q1', enforce_nonce: true };
    const first = await rest(server, 'POST', path, body);
    const second = await rest(server, 'POST', path, { ...body, content: 'twice' });
    expect(second.body).toMatchObject({ id: first.body.id, content: 'once' });
    expect((await rest(server, 'POST', path, { ...body, enforce_nonce: false })).body.id).not.toBe(
      first.body.id,
    );
    now += 600_000;
    expect((await rest(server, 'POST', path, body)).body.id).not.toBe(first.body.id);
  });

  test('older than an hour take few edits more', async () => {
    let now = Date.now();
    const server = await startServer({ now: () => now });
    const path = `/channels/${channelId(server, 'general')}/messages`;
    const { body } = await rest(server, 'POST', path, { content: '0' });
    now += 3_600_001;
    for (const content of ['1', '2', '3', '4', '5'])
      await rest(server, 'PATCH', `${path}/${body.id}`, { content });
    const sixth = await rest(server, 'PATCH', `${path}/${body.id}`, { content: '6' });
    expect([sixth.status, sixth.body.code]).toEqual([429, 30_046]);
    expect(server.history('general')[0]?.content).toBe('5');
  });

  test("can be read in pages, and other people's cannot be edited or deleted", async () => {
    const server = await startServer();
    const path = `/channels/${channelId(server, 'general')}/messages`;
    const ids = ['a', 'b', 'c', 'd'].map((content) =>
      server.say({ user: 'ada', channel: 'general', content }),
    );
    const page = async (query: string): Promise<unknown> => {
      const { body } = await rest(server, 'GET', `${path}?${query}`);
      return (body as unknown as { content: string }[]).map(({ content }) => content).join('');
    };
    expect(await page('limit=2')).toBe('dc');
    expect(await page(`before=${ids[2]}&limit=1`)).toBe('b');
    expect(await page(`after=${ids[0]}&limit=2`)).toBe('cb');
    expect((await rest(server, 'GET', `${path}?limit=101`)).body.code).toBe(50_035);
    expect((await rest(server, 'PATCH', `${path}/${ids[0]}`, { content: 'x' })).body.code).toBe(50_005);
    expect((await rest(server, 'DELETE', `${path}/${ids[0]}`)).body.code).toBe(50_013);
    expect((await rest(server, 'GET', `${path}/123456789012345678`)).body.code).toBe(10_008);
    expect((await rest(server, 'GET', '/channels/123456789012345678/messages')).body.code).toBe(10_003);
  });

  test('are reacted to with emoji only, and show it', async () => {
    const server = await startServer();
    const message = server.say({ user: 'ada', channel: 'general', content: 'a' });
    const path = `/channels/${channelId(server, 'general')}/messages/${message}/reactions`;
    expect((await rest(server, 'PUT', `${path}/clock/@me`)).body.code).toBe(10_014);
    expect((await rest(server, 'PUT', `${path}/${encodeURIComponent('🕐')}/@me`)).status).toBe(204);
    expect(server.history('general')[0]?.reactions).toEqual([{ emoji: '🕐', users: [server.botUser.id] }]);
    await rest(server, 'DELETE', `${path}/${encodeURIComponent('🕐')}/@me`);
    expect(server.history('general')[0]?.reactions).toEqual([]);
  });

  test('with a file keep its content', async () => {
    const server = await startServer();
    const client = await connect(server);
    const channel = await client.channels.fetch(channelId(server, 'general'));
    if (!channel?.isSendable()) throw new Error('cannot send');
    await channel.send({
      content: 'report',
      files: [{ attachment: Buffer.from('# Title'), name: 'report.md' }],
    });
    expect(server.history('general')[0]?.attachments).toMatchObject([
      { filename: 'report.md', text: '# Title' },
    ]);
  });
});

describe('permissions and threads', () => {
  test('the special channels refuse what they are there for', async () => {
    const server = await startServer();
    const post = async (
      channel: string,
      path = 'messages',
      body: object = { content: 'x' },
    ): Promise<number> =>
      (await rest(server, 'POST', `/channels/${channelId(server, channel)}/${path}`, body)).body.code;
    const message = server.say({ user: 'ada', channel: 'no-threads', content: 'q' });
    const dm = server.say({ user: 'ada', channel: '@ada', content: 'q' });
    expect(await post('read-only')).toBe(50_013);
    expect(await post('hidden')).toBe(50_001);
    expect(await post('help-forum')).toBe(50_008);
    expect(await post('@hermit')).toBe(50_007);
    server.refuseDms('ada');
    expect(await post('@ada')).toBe(50_007);
    expect(await post('no-threads', `messages/${message}/threads`, { name: 'q' })).toBe(50_013);
    expect(await post('@ada', `messages/${dm}/threads`, { name: 'q' })).toBe(50_024);
    server.deny('general', ['SEND_MESSAGES']);
    expect(await post('general')).toBe(50_013);
  });

  test('an archived thread refuses edits, comes back when written in, and a locked one stays shut', async () => {
    const server = await startServer();
    const general = channelId(server, 'general');
    const starter = server.say({ user: 'ada', channel: 'general', content: 'q' });
    await rest(server, 'POST', `/channels/${general}/messages/${starter}/threads`, { name: 'q' });
    const path = `/channels/${starter}/messages`;
    const { body } = await rest(server, 'POST', path, { content: 'a' });
    server.archive(starter);
    expect((await rest(server, 'PATCH', `${path}/${body.id}`, { content: 'b' })).body.code).toBe(50_083);
    await rest(server, 'PATCH', `/channels/${starter}`, { archived: false });
    expect((await rest(server, 'PATCH', `${path}/${body.id}`, { content: 'b' })).status).toBe(200);
    server.archive(starter);
    await rest(server, 'POST', path, { content: 'c' });
    expect(server.channels.find(({ id }) => id === starter)?.archived).toBe(false);
    const active = await rest(server, 'GET', `/guilds/${server.guild.id}/threads/active`);
    expect(active.body['threads']).toMatchObject([{ id: starter, name: 'q' }]);
    server.archive(starter, { locked: true });
    expect((await rest(server, 'POST', path, { content: 'd' })).body.code).toBe(160_005);
    expect((await rest(server, 'PATCH', `/channels/${starter}`, { archived: false })).body.code).toBe(50_013);
  });

  test('a thread can stand alone, and a forum has nothing but threads', async () => {
    const server = await startServer();
    const alone = await rest(server, 'POST', `/channels/${channelId(server, 'general')}/threads`, {
      name: 'alone',
      type: 11,
    });
    expect(alone.status).toBe(201);
    const post = await rest(server, 'POST', `/channels/${channelId(server, 'help-forum')}/threads`, {
      name: 'post',
      message: { content: 'first' },
    });
    expect(server.history(post.body.id).map(({ content }) => content)).toEqual(['first']);
  });
});

describe('the state', () => {
  test('survives a snapshot: conversations continue on another server with the same token', async () => {
    const before = await startDiscordServer();
    const id = before.say({ user: 'ada', channel: 'general', content: 'remember me' });
    const thread = before.makeThread({ user: 'ada', channel: 'general', name: 't', message: id });
    before.command({ user: 'ada', channel: 'general', name: 'ask', options: { question: 'x' } });
    const snapshot = before.snapshot();
    await before.close();

    const server = await startServer({ state: JSON.parse(JSON.stringify(snapshot)) as typeof snapshot });
    expect(server.snapshot()).toMatchObject({ channels: snapshot.channels, messages: snapshot.messages });
    expect(server.token).toBe(before.token);
    expect(server.interactions).toHaveLength(1);
    const client = await connect(server);
    const heard = new Promise((resolve) => {
      client.once(Events.MessageCreate, (message) => resolve(message.content));
    });
    const next = server.say({ user: 'grace', channel: thread, content: 'still here' });
    expect(await heard).toBe('still here');
    expect(BigInt(next)).toBeGreaterThan(BigInt(id));
  });

  test('tells its listeners about visible changes until they stop', async () => {
    const server = await startServer();
    let changes = 0;
    const stop = server.onChange(() => {
      changes += 1;
    });
    server.say({ user: 'ada', channel: 'general', content: 'a' });
    expect(changes).toBe(1);
    stop();
    server.say({ user: 'ada', channel: 'general', content: 'b' });
    expect(changes).toBe(1);
  });

  test('belongs to whoever has the token: anybody else gets 401', async () => {
    const server = await startServer();
    expect((await rest(server, 'GET', '/users/@me', undefined, {})).status).toBe(401);
    await expect(createClient(server).login('MTIz.wrong.token')).rejects.toThrow();
    expect(server.invalidRequests()).toBe(2);
    expect((await rest(server, 'GET', '/applications/@me')).body.id).toBe(server.applicationId);
    expect((await rest(server, 'GET', '/nowhere')).status).toBe(404);
  });
});
