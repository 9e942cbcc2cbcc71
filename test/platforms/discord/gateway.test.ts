import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Failure } from '../../../src/core/failures.ts';
import type { Intake, Log } from '../../../src/core/ports.ts';
import { openDiscord } from '../../../src/platforms/discord/app.ts';
import { memoryKeyValue, quietLog } from '../../core/fakes.ts';
import type { DiscordServer } from '../../servers/discord/discord-server.ts';
import { channelId, createTown, type Footnote, mention, written } from './setup.ts';

const town = createTown();
afterEach(() => town.end());

const texts = (footnote: Footnote): string[] => footnote.heard.map(({ question }) => question.text);

function recordingLog(lines: string[]): Log {
  const add = (_: object, message: string): void => void lines.push(message);
  const log: Log = { ...quietLog, info: add, warn: add, error: add, child: () => log };
  return log;
}

/** Takes unhandled rejections out of vitest's hands for one test. */
function collectRejections(): () => readonly Error[] {
  const before = process.listeners('unhandledRejection');
  const rejections: Error[] = [];
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', (error) => rejections.push(error as Error));
  onTestFinished(() => {
    process.removeAllListeners('unhandledRejection');
    for (const listener of before) process.on('unhandledRejection', listener);
  });
  return () => rejections;
}

async function say(server: DiscordServer, footnote: Footnote, text: string): Promise<void> {
  server.say({ user: 'ada', channel: 'general', content: mention(server, text) });
  await vi.waitFor(() => expect(texts(footnote)).toContain(text), 3_000);
}

describe('a session', () => {
  test('survives refused connections: nothing said meanwhile is lost', async () => {
    const server = await town.server();
    const footnote = await town.footnote(server);
    server.gateway.refuse(2);
    server.gateway.dropSockets();
    server.say({ user: 'ada', channel: 'general', content: mention(server, 'meanwhile') });
    await vi.waitFor(() => expect(texts(footnote)).toEqual(['meanwhile']), 12_000);
    await vi.waitFor(() => expect(footnote.app.ready()).toBe(true));
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
    expect(server.gateway.identifies).toBe(1);
  });

  test('that cannot be had at first is tried for again, and said once why', async () => {
    const server = await town.server();
    server.fault('GET /gateway/bot', { status: 502 }, 2);
    server.gateway.refuse(1);
    const lines: string[] = [];
    const footnote = await town.footnote(server, { log: recordingLog(lines) });
    expect(lines.filter((line) => line.includes("no connection to Discord's gateway"))).toHaveLength(1);
    await say(server, footnote, 'hello');
  });
});

describe('what arrives', () => {
  test('is answered once, however often it is delivered', async () => {
    const server = await town.server();
    const footnote = await town.footnote(server);
    const id = server.say({ user: 'ada', channel: 'general', content: mention(server, 'once') });
    for (let i = 0; i < 5; i++) server.gateway.redeliver(id);
    await say(server, footnote, 'after');
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
    const rejections = collectRejections();
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
    // discord.js 14.28 leaves these to the process, which logs them (src/main.ts).
    expect(rejections().every((error) => error.stack?.includes('/discord.js/'))).toBe(true);
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
      overhear: async () => {},
      revise: async () => {},
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
    const elsewhere = { location: `${server.apiUrl}/v10/users/@me` };
    server.fault('GET /users/@me', { status: 307, headers: elsewhere });
    expect(await remedyOf(server.token, server.apiUrl)).toContain('DISCORD_API_URL');
    server.fault('GET /users/@me', 'hang');
    expect(await remedyOf(server.token, server.apiUrl)).toContain('4 s');
    expect(channelId(server, 'general')).not.toBe('');
  });
});
