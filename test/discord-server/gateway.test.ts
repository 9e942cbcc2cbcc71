import { once } from 'node:events';
import {
  Events,
  GatewayIntentBits,
  type Message,
  type SessionInfo,
  SimpleShardingStrategy,
  type WebSocketOptions,
} from 'discord.js';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { DiscordServer } from '../servers/discord/discord-server.ts';
import { channelId, connect, createClient, INTENTS, rest, startServer } from './setup.ts';

interface Frame {
  readonly op: number;
  readonly s?: number;
  readonly t?: string;
  readonly d: Record<string, unknown>;
}

/** A bare gateway connection that collects what it is sent. */
async function openSocket(server: DiscordServer): Promise<{
  frames: Frame[];
  send(op: number, d: object): void;
  socket: WebSocket;
  closed: Promise<number>;
}> {
  const { body } = await rest(server, 'GET', '/gateway/bot');
  const socket = new WebSocket(String(body['url']));
  onTestFinished(() => socket.terminate());
  const frames: Frame[] = [];
  socket.on('message', (data: Buffer) => frames.push(JSON.parse(data.toString()) as Frame));
  const closed = new Promise<number>((resolve) => {
    socket.once('close', resolve);
  });
  await once(socket, 'open');
  return { frames, socket, closed, send: (op, d) => socket.send(JSON.stringify({ op, d })) };
}

function identify(server: DiscordServer, intents = 37_377): object {
  return { token: server.token, intents, properties: {}, shard: [0, 1] };
}

function contents(frames: readonly Frame[]): unknown[] {
  return frames.filter(({ t }) => t === 'MESSAGE_CREATE').map(({ d }) => d['content']);
}

describe('the gateway', () => {
  test('greets, accepts an identify, sends READY and the guild, and acknowledges heartbeats', async () => {
    const server = await startServer();
    server.say({ user: 'ada', channel: 'general', content: 'before' });
    const { frames, send } = await openSocket(server);
    send(2, identify(server));
    send(1, {});
    await vi.waitFor(() =>
      expect(frames.map(({ op, t }) => t ?? op)).toEqual([10, 'READY', 'GUILD_CREATE', 11]),
    );
    const channels = frames[2]?.d['channels'] as { name: string; last_message_id: string | null }[];
    expect(channels.find(({ name }) => name === 'general')?.last_message_id).toBe(
      server.history('general')[0]?.id,
    );
    expect(server.gateway.sessions()).toBe(1);
    expect(server.gateway.identifies).toBe(1);
  });

  test('closes with 4004 for a wrong token, 4003 without one, 4013 for unknown intents, 4002 for garbage', async () => {
    const server = await startServer();
    const wrong = await openSocket(server);
    wrong.send(2, { ...identify(server), token: 'x' });
    expect(await wrong.closed).toBe(4004);
    const silent = await openSocket(server);
    silent.send(3, {});
    expect(await silent.closed).toBe(4003);
    const odd = await openSocket(server);
    odd.send(2, identify(server, -1));
    expect(await odd.closed).toBe(4013);
    const garbage = await openSocket(server);
    garbage.socket.send('{');
    expect(await garbage.closed).toBe(4002);
  });

  test('refuses the Message Content intent with 4014 while the portal has it off', async () => {
    const server = await startServer({ messageContentAllowed: false });
    await expect(createClient(server).login(server.token)).rejects.toThrow(/disallowed intents/i);
    await connect(server, {
      intents: INTENTS.filter((intent) => intent !== GatewayIntentBits.MessageContent),
    });
    expect(server.gateway.sessions()).toBe(1);
  });

  test('empties the messages a client without the intent may not read, on the gateway and over REST', async () => {
    const server = await startServer({ messageContentAllowed: false });
    const { frames, send } = await openSocket(server);
    send(2, identify(server, 37_377 & ~GatewayIntentBits.MessageContent));
    await vi.waitFor(() => expect(frames).toHaveLength(3));
    const mention = `<@${server.botUser.id}> hi`;
    const attachments = [{ filename: 'a.txt', text: 'secret' }];
    server.say({ user: 'ada', channel: 'general', content: 'overheard', attachments });
    server.say({ user: 'ada', channel: 'general', content: mention });
    server.say({ user: 'ada', channel: '@ada', content: 'a DM' });
    await rest(server, 'POST', `/channels/${channelId(server, 'general')}/messages`, { content: 'own' });
    await vi.waitFor(() => expect(contents(frames)).toEqual(['', mention, 'a DM', 'own']));
    expect(frames[3]?.d['attachments']).toEqual([]);
    const { body } = await rest(server, 'GET', `/channels/${channelId(server, 'general')}/messages`);
    expect((body as unknown as { content: string }[]).map(({ content }) => content)).toEqual([
      'own',
      mention,
      '',
    ]);
  });

  test('says nothing about channels the bot cannot see', async () => {
    const server = await startServer();
    const { frames, send } = await openSocket(server);
    send(2, identify(server));
    await vi.waitFor(() => expect(frames).toHaveLength(3));
    server.say({ user: 'ada', channel: 'hidden', content: 'secret' });
    server.say({ user: 'ada', channel: 'general', content: 'open' });
    await vi.waitFor(() => expect(contents(frames)).toEqual(['open']));
    expect((await rest(server, 'GET', `/channels/${channelId(server, 'hidden')}`)).body.code).toBe(50_001);
  });

  test('sends every event to both of two sessions', async () => {
    const server = await startServer();
    const first = await connect(server);
    const second = await connect(server);
    const heard: string[] = [];
    first.on(Events.MessageCreate, ({ content }) => heard.push(`first ${content}`));
    second.on(Events.MessageCreate, ({ content }) => heard.push(`second ${content}`));
    server.say({ user: 'ada', channel: 'general', content: 'hello' });
    await vi.waitFor(() => expect(heard.sort()).toEqual(['first hello', 'second hello']));
    expect(server.gateway.sessions()).toBe(2);
  });

  test.each([
    ['a cut socket', (server: DiscordServer) => server.gateway.dropSockets()],
    ['op 7', (server: DiscordServer) => server.gateway.op(7)],
    ['a resumable invalid session', (server: DiscordServer) => server.gateway.op(9, true)],
    ['close 4000', (server: DiscordServer) => server.gateway.close(4000)],
    ['heartbeats without an answer', (server: DiscordServer) => server.gateway.zombie()],
  ])('replays what was missed after %s', async (_name, disturb) => {
    const server = await startServer({ heartbeatMs: 200 });
    const client = await connect(server);
    const heard: string[] = [];
    client.on(Events.MessageCreate, ({ content }) => heard.push(content));
    disturb(server);
    server.say({ user: 'ada', channel: 'general', content: 'missed' });
    await vi.waitFor(() => expect(server.gateway.resumes).toBe(1), { timeout: 15_000 });
    await vi.waitFor(() => expect(heard).toEqual(['missed']));
    expect(server.gateway.identifies).toBe(1);
  });

  test('ends the session with op 9: it cannot be resumed, and what is said meanwhile is lost', async () => {
    const server = await startServer();
    const first = await openSocket(server);
    first.send(2, identify(server));
    await vi.waitFor(() => expect(first.frames).toHaveLength(3));
    server.gateway.op(9);
    await vi.waitFor(() => expect(first.frames.at(-1)).toMatchObject({ op: 9, d: false }));
    server.say({ user: 'ada', channel: 'general', content: 'lost' });
    const second = await openSocket(server);
    second.send(6, { token: server.token, session_id: first.frames[1]?.d['session_id'], seq: 2 });
    await vi.waitFor(() => expect(second.frames.at(-1)).toMatchObject({ op: 9, d: false }));
    second.send(2, identify(server));
    await vi.waitFor(() => expect(second.frames.at(-1)?.t).toBe('GUILD_CREATE'));
    server.say({ user: 'ada', channel: 'general', content: 'heard' });
    await vi.waitFor(() => expect(contents(second.frames)).toEqual(['heard']));
    expect(contents(first.frames)).toEqual([]);
  });

  test('lets a new process resume the session of one that was killed', async () => {
    const server = await startServer();
    const killed = await openSocket(server);
    killed.send(2, identify(server));
    await vi.waitFor(() => expect(killed.frames).toHaveLength(3));
    const ready = killed.frames[1]?.d;
    killed.socket.terminate();
    await vi.waitFor(() => expect(server.gateway.sessions()).toBe(0));
    server.say({ user: 'ada', channel: 'general', content: 'while you were dead' });

    let session: SessionInfo | null = {
      sessionId: String(ready?.['session_id']),
      resumeURL: String(ready?.['resume_gateway_url']),
      sequence: 2,
      shardCount: 1,
      shardId: 0,
    };
    const buildStrategy: NonNullable<WebSocketOptions['buildStrategy']> = (manager) => {
      const { updateSessionInfo } = manager.options;
      manager.options.retrieveSessionInfo = () => session;
      manager.options.updateSessionInfo = async (shard, info) => {
        session = info;
        await updateSessionInfo(shard, info);
      };
      return new SimpleShardingStrategy(manager);
    };
    const client = createClient(server, { ws: { buildStrategy } });
    const heard: unknown[] = [];
    client.on(Events.Raw, ({ t, d }: { t: string; d: Message }) => {
      if (t === 'MESSAGE_CREATE') heard.push(d.content);
    });
    await client.login(server.token);
    await vi.waitFor(() => expect(heard).toEqual(['while you were dead']));
    expect(server.gateway).toMatchObject({ identifies: 1, resumes: 1 });
  });

  test('is a black hole on request, and the session can be resumed on another socket', async () => {
    const server = await startServer();
    const stuck = await openSocket(server);
    stuck.send(2, identify(server));
    await vi.waitFor(() => expect(stuck.frames).toHaveLength(3));
    server.gateway.blackhole();
    server.say({ user: 'ada', channel: 'general', content: 'into the void' });
    const next = await openSocket(server);
    next.send(6, { token: server.token, session_id: stuck.frames[1]?.d['session_id'], seq: 2 });
    await vi.waitFor(() => expect(contents(next.frames)).toEqual(['into the void']));
    expect(stuck.frames).toHaveLength(3);
    expect(server.gateway.sessions()).toBe(1);
  });

  test('forgets a session the client closed with 1000, and answers an unknown one with op 9', async () => {
    const server = await startServer();
    const first = await openSocket(server);
    first.send(2, identify(server));
    await vi.waitFor(() => expect(first.frames).toHaveLength(3));
    first.socket.close(1000);
    await first.closed;
    const second = await openSocket(server);
    second.send(6, { token: server.token, session_id: first.frames[1]?.d['session_id'], seq: 2 });
    await vi.waitFor(() => expect(second.frames[1]).toMatchObject({ op: 9, d: false }));
  });

  test('keeps a lost session for five minutes and no longer', async () => {
    let now = Date.now();
    const server = await startServer({ now: () => now });
    const lost = await openSocket(server);
    lost.send(2, identify(server));
    await vi.waitFor(() => expect(lost.frames).toHaveLength(3));
    lost.socket.terminate();
    await vi.waitFor(() => expect(server.gateway.sessions()).toBe(0));
    now += 5 * 60_000 + 1;
    const late = await openSocket(server);
    late.send(6, { token: server.token, session_id: lost.frames[1]?.d['session_id'], seq: 2 });
    await vi.waitFor(() => expect(late.frames[1]).toMatchObject({ op: 9, d: false }));
  });

  test('delivers a message a second time, and anything at all, on request', async () => {
    const server = await startServer();
    const { frames, send } = await openSocket(server);
    send(2, identify(server));
    const id = server.say({ user: 'ada', channel: 'general', content: 'twice' });
    await vi.waitFor(() => expect(frames).toHaveLength(3));
    server.gateway.redeliver(id);
    server.gateway.redeliver(id);
    server.gateway.dispatchRaw('MESSAGE_CREATE', { nonsense: true });
    await vi.waitFor(() => expect(contents(frames)).toEqual(['twice', 'twice', undefined]));
  });

  test('refuses connections as often as asked, and one identify in five seconds under real limits', async () => {
    const server = await startServer({ limits: 'real' });
    server.gateway.refuse(1);
    await expect(openSocket(server)).rejects.toThrow();
    const first = await openSocket(server);
    first.send(2, identify(server));
    const second = await openSocket(server);
    await vi.waitFor(() => expect(first.frames).toHaveLength(3));
    second.send(2, identify(server));
    await vi.waitFor(() => expect(second.frames[1]).toMatchObject({ op: 9, d: false }));
  });
});
