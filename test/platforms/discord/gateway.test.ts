import { afterEach, describe, expect, test, vi } from 'vitest';
import { Failure } from '../../../src/core/failures.ts';
import type { Intake, KeyValue, Log } from '../../../src/core/ports.ts';
import { openDiscord } from '../../../src/platforms/discord/discord.ts';
import { memoryKeyValue, quietLog } from '../../core/fakes.ts';
import type { DiscordServer } from '../../servers/discord/discord-server.ts';
import { channelId, createTown, type Footnote, mention, written } from './setup.ts';

const town = createTown();
afterEach(() => town.end());

const texts = (footnote: Footnote): string[] => footnote.heard.map(({ question }) => question.text);

/** A store that can be cut off, as from a process that is killed: later writes go nowhere. */
function cuttable(store: KeyValue): KeyValue & { cut(): void } {
  let isCut = false;
  return {
    ...store,
    set: async (...args) => (isCut ? undefined : store.set(...args)),
    cut: () => void (isCut = true),
  };
}

/** Ends a process as a kill does: nothing more is written, and Discord sees the connection go. */
async function kill(footnote: Footnote, store: { cut(): void }): Promise<void> {
  store.cut();
  await footnote.stop();
}

function recordingLog(lines: string[]): Log {
  const add = (_: object, message: string): void => void lines.push(message);
  const log: Log = { ...quietLog, info: add, warn: add, error: add, child: () => log };
  return log;
}

async function say(server: DiscordServer, footnote: Footnote, text: string): Promise<void> {
  server.say({ user: 'ada', channel: 'general', content: mention(server, text) });
  await vi.waitFor(() => expect(texts(footnote)).toContain(text), 3_000);
}

describe('a session', () => {
  test('is resumed by the next process after a kill, which is sent what was missed and nothing else', async () => {
    const server = await town.server();
    const kept = memoryKeyValue();
    const store = cuttable(kept);
    const first = await town.footnote(server, { sessions: store });
    await say(server, first, 'before');
    const stored = async () => JSON.stringify(await kept.get(`session:${server.botUser.id}:0`));
    const early = await stored();
    await say(server, first, 'again');
    await vi.waitFor(async () => expect(await stored()).not.toBe(early), 3_000);
    await kill(first, store);

    server.say({ user: 'ada', channel: 'general', content: mention(server, 'missed') });
    server.say({ user: 'grace', channel: '@grace', content: 'missed too' });
    const second = await town.footnote(server, { sessions: kept });
    await vi.waitFor(() => expect(texts(second)).toEqual(expect.arrayContaining(['missed', 'missed too'])));
    expect(server.gateway.identifies).toBe(1);
    expect(server.gateway.resumes).toBe(1);
    expect(texts(second)).not.toContain('before');
    await say(server, second, 'after');
  });

  test('is replayed from the first question that was not stored', async () => {
    const server = await town.server();
    const kept = memoryKeyValue();
    const store = cuttable(kept);
    const stuck = (core: Intake): Intake => ({
      ...core,
      accept: (question) => (question.text === 'stuck' ? new Promise(() => {}) : core.accept(question)),
    });
    const first = await town.footnote(server, { sessions: store, intake: stuck });
    await say(server, first, 'stored');
    server.say({ user: 'ada', channel: 'general', content: mention(server, 'stuck') });
    server.say({ user: 'grace', channel: '@grace', content: 'stored later' });
    await vi.waitFor(() => expect(texts(first)).toContain('stored later'));
    await kill(first, store);

    const second = await town.footnote(server, { sessions: kept });
    await vi.waitFor(() => expect(texts(second)).toEqual(expect.arrayContaining(['stuck', 'stored later'])));
  });

  test('survives refused connections: nothing said meanwhile is lost', async () => {
    const server = await town.server();
    const footnote = await town.footnote(server);
    server.gateway.refuse(2);
    server.gateway.dropSockets();
    server.say({ user: 'ada', channel: 'general', content: mention(server, 'meanwhile') });
    await vi.waitFor(() => expect(texts(footnote)).toEqual(['meanwhile']), 8_000);
    expect(server.gateway.identifies).toBe(1);
    expect(footnote.app.ready()).toBe(true);
  });

  test.each([
    ['op 7', (server: DiscordServer) => server.gateway.op(7)],
    ['close 4000', (server: DiscordServer) => server.gateway.close(4000)],
  ])('is resumed after %s', async (_, upset) => {
    const server = await town.server();
    const footnote = await town.footnote(server);
    upset(server);
    server.say({ user: 'ada', channel: 'general', content: mention(server, 'meanwhile') });
    await vi.waitFor(() => expect(texts(footnote)).toEqual(['meanwhile']), 8_000);
    await vi.waitFor(() => expect(server.gateway.resumes).toBe(1));
  });

  test('that Discord has forgotten is followed by a new one, and what was missed is read', async () => {
    const server = await town.server();
    const sessions = memoryKeyValue();
    const first = await town.footnote(server, { sessions });
    server.say({ user: 'grace', channel: '@grace', content: 'hello' });
    await say(server, first, 'before');
    await first.stop();
    const key = `session:${server.botUser.id}:0`;
    const stored = await sessions.get<{ session: object }>(key);
    await sessions.set(key, { ...stored, session: { ...stored?.session, sessionId: 'forgotten' } });

    server.say({ user: 'ada', channel: 'random', content: mention(server, 'missed') });
    server.say({ user: 'ada', channel: 'random', content: 'not for us' });
    server.say({ user: 'grace', channel: '@grace', content: 'missed too' });
    const second = await town.footnote(server, { sessions });
    await vi.waitFor(() => expect(texts(second).sort()).toEqual(['missed', 'missed too']), 12_000);
    expect(server.gateway.identifies).toBe(2);
  });
});

describe('what arrives', () => {
  test('is answered once, however often it is delivered', async () => {
    const server = await town.server();
    const footnote = await town.footnote(server);
    const id = server.say({ user: 'ada', channel: 'general', content: mention(server, 'once') });
    for (let i = 0; i < 5; i++) server.gateway.redeliver(id);
    await vi.waitFor(() =>
      expect(footnote.heard.filter(({ question }) => question.text === 'once')).toHaveLength(6),
    );
    await vi.waitFor(() => expect(written(server, id)[0]?.content).toContain('Tower facts'));
    expect(written(server, id)).toHaveLength(1);
  });

  test('waits, in order, while the store takes nothing', async () => {
    const server = await town.server();
    let refusals = 3;
    const down = (core: Intake): Intake => ({
      ...core,
      accept: (question) =>
        refusals-- > 0 ? Promise.reject(new Error('store down')) : core.accept(question),
    });
    const footnote = await town.footnote(server, { intake: down });
    for (const text of ['one', 'two', 'three']) server.say({ user: 'ada', channel: '@ada', content: text });
    await vi.waitFor(() => expect(texts(footnote)).toEqual(['one', 'two', 'three']), 8_000);
  });

  test('may be nonsense', async () => {
    const server = await town.server();
    const footnote = await town.footnote(server);
    const nonsense = [
      null,
      [],
      7,
      'x',
      {},
      { id: null, author: 3 },
      { channels: {}, threads: [null], id: [] },
    ];
    const types = [
      'MESSAGE_CREATE',
      'MESSAGE_UPDATE',
      'INTERACTION_CREATE',
      'GUILD_CREATE',
      'THREAD_CREATE',
      'NEWS',
    ];
    for (const type of types) for (const data of nonsense) server.gateway.dispatchRaw(type, data);
    await say(server, footnote, 'still there?');
  });

  test('from a channel of unknown kind costs one look-up, remembered for the next process', async () => {
    const server = await town.server();
    const sessions = memoryKeyValue();
    const thread = server.makeThread({ user: 'ada', channel: 'general', name: 'talk' });
    const first = await town.footnote(server, { sessions });
    await first.stop();
    const footnote = await town.footnote(server, { sessions });
    const author = { id: server.people[0]?.id, username: 'ada' };
    const bare = { channel_id: thread, guild_id: server.guild.id, author, type: 0, mentions: [] };
    for (const [i, id] of ['1300000000000000001', '1300000000000000002'].entries()) {
      server.gateway.dispatchRaw('MESSAGE_CREATE', {
        ...bare,
        id,
        content: `talk ${i}`,
      });
    }
    await vi.waitFor(() => expect(footnote.heard).toHaveLength(2));
    for (const { question } of footnote.heard) expect(question.thread?.channel).toBe(thread);
    const lookUps = server.calls.filter(
      ({ method, path }) => method === 'GET' && path === `/channels/${thread}`,
    );
    expect(lookUps).toHaveLength(1);
    expect(await sessions.get(`channel:${thread}`)).toMatchObject({ kind: 'thread' });
  });
});

describe('refusals', () => {
  test('without the Message Content switch mentions are answered, and the log names the cure', async () => {
    const server = await town.server({ messageContentAllowed: false });
    const lines: string[] = [];
    const footnote = await town.footnote(server, { log: recordingLog(lines) });
    expect(lines.join('\n')).toContain('Message Content Intent');
    await say(server, footnote, 'hello');
    expect(server.gateway.identifies).toBe(2);
  });

  test('a token refused by the gateway is fatal, said once and not tried again', async () => {
    const server = await town.server();
    const fatal: Failure[] = [];
    const footnote = await town.footnote(server, { onFatal: (failure) => void fatal.push(failure) });
    server.gateway.close(4004);
    await vi.waitFor(() => expect(fatal[0]?.remedy).toContain('DISCORD_TOKEN'));
    expect(footnote.app.ready()).toBe(false);
    const intake: Intake = {
      accept: async () => 'ignored',
      press: async () => null,
      stop: async () => {},
      withdraw: async () => {},
    };
    await expect(footnote.app.listen(intake, memoryKeyValue())).rejects.toBe(fatal[0]);
    expect(server.gateway.identifies).toBe(1);
  });

  const options = { applicationId: null, messageContent: true, threads: 'always', log: quietLog } as const;
  const remedyOf = async (token: string, apiUrl: string): Promise<string | undefined> => {
    const opened = openDiscord({ ...options, token, apiUrl });
    return opened.then(
      () => 'opened',
      (error: unknown) => (error instanceof Failure ? error.remedy : 'another error'),
    );
  };

  test('a wrong token and a wrong address each name their variable', async () => {
    const server = await town.server();
    expect(await remedyOf('wrong', server.apiUrl)).toContain('DISCORD_TOKEN');
    expect(await remedyOf(server.token, server.apiUrl.replace('/api', '/nothing'))).toContain(
      'DISCORD_API_URL',
    );
    expect(await remedyOf(server.token, 'http://127.0.0.1:9/api')).toContain('DISCORD_API_URL');
    server.fault('GET /users/@me', 'hang');
    expect(await remedyOf(server.token, server.apiUrl)).toContain('4 s');
    expect(channelId(server, 'general')).not.toBe('');
  });
});
