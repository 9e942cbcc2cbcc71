/** What was said while Footnote had no session is heard by the next one: all of it, in order, once. */
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import type { Intake, KeyValue } from '../../../src/core/ports.ts';
import { memoryKeyValue } from '../../core/fakes.ts';
import type { DiscordServer } from '../../servers/discord/discord-server.ts';
import { createTown, type Footnote, type FootnoteOptions, mention } from './setup.ts';

const town = createTown();

const accepted = (footnote: Footnote): string[] =>
  footnote.heard.filter(({ result }) => result === 'accepted').map(({ question }) => question.text);

/** The store that one process after the other opens: what it knows, and what was taken. */
function sharedStore() {
  const kept = memoryKeyValue();
  const taken = new Set<string>();
  const writes: string[] = [];
  let isCut = false;
  let isStuck = true;
  const sessions: KeyValue = {
    ...kept,
    // Each process may IDENTIFY at once: the stand-in sets no limit here.
    set: async (key, ...rest) => {
      if (isCut || key.startsWith('identifies:')) return;
      await kept.set(key, ...rest);
      writes.push(key);
    },
  };
  const intake = (core: Intake): Intake => ({
    ...core,
    async accept(question) {
      if (question.text === 'stuck' && isStuck) return new Promise(() => {});
      if (taken.has(question.id)) return 'duplicate';
      const result = await core.accept(question);
      taken.add(question.id);
      return result;
    },
  });
  return {
    start: async (server: DiscordServer, options: FootnoteOptions = {}): Promise<Footnote> => {
      const footnote = await town.footnote(server, { sessions, intake, ...options });
      isCut = false;
      return footnote;
    },
    /** What was written, by its keys. */
    writes,
    /** Ends a process as a kill does: nothing more is written, and Discord sees the connection go. */
    async kill(footnote: Footnote): Promise<void> {
      isCut = true;
      isStuck = false;
      await footnote.stop();
    },
  };
}

const say = (server: DiscordServer, text: string, channel = 'general'): string =>
  server.say({ user: 'ada', channel, content: channel.startsWith('@') ? text : mention(server, text) });

describe('after a restart', () => {
  afterEach(async () => {
    vi.useRealTimers();
    await town.end();
  });

  test('channels, threads, new ones too, and known direct conversations are read', async () => {
    const server = await town.server();
    const store = sharedStore();
    const first = await store.start(server);
    say(server, 'before', '@ada');
    const thread = say(server, 'in a channel');
    await vi.waitFor(() => expect(accepted(first)).toHaveLength(2));
    await vi.waitFor(() => expect(server.channels.some(({ id }) => id === thread)).toBe(true));
    await store.kill(first);
    say(server, 'missed directly', '@ada');
    say(server, 'missed');
    server.say({ user: 'ada', channel: 'general', content: 'plain talk' });
    say(server, 'missed in a thread', thread);
    const fresh = server.makeThread({ user: 'ada', channel: 'general', name: 'new' });
    say(server, 'missed in a new thread', fresh);
    const second = await store.start(server);
    await vi.waitFor(() => expect(accepted(second)).toHaveLength(4), 5_000);
    expect(accepted(second).sort()).toEqual([
      'missed',
      'missed directly',
      'missed in a new thread',
      'missed in a thread',
    ]);
  });

  test('nothing is heard of what was said before the very first start', async () => {
    const server = await town.server();
    say(server, 'before there was a bot');
    const footnote = await sharedStore().start(server);
    say(server, 'hello');
    await vi.waitFor(() => expect(accepted(footnote)).toContain('hello'));
    expect(accepted(footnote)).toEqual(['hello']);
  });

  test('a first session that ended before anything was said is enough to catch up from', async () => {
    const server = await town.server();
    const store = sharedStore();
    await store.kill(await store.start(server));
    say(server, 'missed');
    const second = await store.start(server);
    await vi.waitFor(() => expect(accepted(second)).toEqual(['missed']), 5_000);
  });

  test('an older question that was still being stored is heard although a newer one was done', async () => {
    const now = Date.now();
    vi.useFakeTimers({ toFake: ['Date'] });
    // Further apart than the watermark's margin.
    vi.setSystemTime(now - 3_600_000);
    const server = await town.server();
    const store = sharedStore();
    const first = await store.start(server);
    say(server, 'stuck', 'random');
    vi.setSystemTime(now);
    say(server, 'stored later');
    await vi.waitFor(() => expect(accepted(first)).toEqual(['stored later']));
    // The first is that of the start.
    const watermarks = () => store.writes.filter((key) => key.startsWith('watermark:'));
    await vi.waitFor(() => expect(watermarks()).toHaveLength(2), 5_000);
    await store.kill(first);
    say(server, 'missed');
    const second = await store.start(server);
    await vi.waitFor(() => expect(accepted(second).sort()).toEqual(['missed', 'stuck']), 5_000);
  });

  test('more than one page of a channel is read, in order', async () => {
    const server = await town.server();
    const store = sharedStore();
    await store.kill(await store.start(server));
    const talk = (count: number): void => {
      for (let i = 0; i < count; i++) server.say({ user: 'grace', channel: 'general', content: `talk ${i}` });
    };
    say(server, 'one');
    talk(120);
    say(server, 'two');
    talk(120);
    say(server, 'three');
    const second = await store.start(server);
    await vi.waitFor(() => expect(accepted(second)).toEqual(['one', 'two', 'three']), 5_000);
  });

  test('more than twenty channels are read', async () => {
    const server = await town.server();
    const store = sharedStore();
    await store.kill(await store.start(server));
    const texts = Array.from({ length: 45 }, (_, n) => `missed ${n}`);
    for (const text of texts) {
      const thread = server.makeThread({ user: 'ada', channel: 'general', name: text });
      say(server, text, thread);
    }
    const second = await store.start(server);
    await vi.waitFor(() => expect(accepted(second).sort()).toEqual(texts.sort()), 20_000);
  });

  test('what is said in a channel meanwhile waits until the missed messages are in', async () => {
    const server = await town.server();
    const store = sharedStore();
    const first = await store.start(server);
    say(server, 'before', '@ada');
    await vi.waitFor(() => expect(accepted(first)).toHaveLength(1));
    await store.kill(first);
    say(server, 'missed', '@ada');
    server.fault('GET /channels/:channel/messages', { slow: 1_000 });
    const second = await store.start(server);
    say(server, 'new', '@ada');
    say(server, 'elsewhere');
    await vi.waitFor(() => expect(accepted(second)).toHaveLength(3), 5_000);
    expect(accepted(second)).toEqual(['elsewhere', 'missed', 'new']);
  });

  test('a mention that was only added by a missed edit is heard', async () => {
    const server = await town.server();
    const store = sharedStore();
    await store.kill(await store.start(server));
    const said = server.say({ user: 'ada', channel: 'general', content: 'How tall?' });
    server.edit({ channel: 'general', message: said, content: mention(server, 'How tall?') });
    const second = await store.start(server);
    await vi.waitFor(() => expect(accepted(second)).toEqual(['How tall?']), 5_000);
  });

  test('the deletion of a direct question of an earlier process is heard', async () => {
    const server = await town.server();
    const store = sharedStore();
    const first = await store.start(server);
    const asked = say(server, 'before', '@ada');
    await vi.waitFor(() => expect(accepted(first)).toEqual(['before']));
    await store.kill(first);
    const withdrawn: string[] = [];
    const before = server.calls.length;
    await store.start(server, {
      intake: (core) => ({
        ...core,
        withdraw: async (id) => void withdrawn.push(id),
      }),
    });
    // The conversation is known once it is read.
    const isRead = (): boolean =>
      server.calls.slice(before).some(({ method, route, status }) => {
        return method === 'GET' && route === '/channels/:channel/messages' && status === 200;
      });
    await vi.waitFor(() => expect(isRead()).toBe(true), 5_000);
    server.remove({ channel: '@ada', message: asked });
    await vi.waitFor(() => expect(withdrawn).toEqual([first.heard[0]?.question.id]), 5_000);
  });

  test('what a missed reply is to comes along', async () => {
    const server = await town.server();
    const store = sharedStore();
    const claim = server.say({ user: 'grace', channel: 'general', content: 'It was built in 1889' });
    await store.kill(await store.start(server));
    server.say({ user: 'ada', channel: 'general', content: mention(server, 'true?'), replyTo: claim });
    const second = await store.start(server);
    await vi.waitFor(() => expect(accepted(second)).toEqual(['true?']), 5_000);
    expect(second.heard[0]?.question.quotes[0]?.text).toBe('It was built in 1889');
  });

  test('twelve hours are caught up with, and no more', async () => {
    const now = Date.now();
    const hoursAgo = (hours: number): void => void vi.setSystemTime(now - hours * 3_600_000);
    vi.useFakeTimers({ toFake: ['Date'] });
    hoursAgo(15);
    const server = await town.server();
    const store = sharedStore();
    await store.kill(await store.start(server));
    hoursAgo(13);
    say(server, 'too long ago');
    hoursAgo(11);
    say(server, 'a while ago');
    hoursAgo(0);
    const second = await store.start(server);
    await vi.waitFor(() => expect(accepted(second)).toEqual(['a while ago']), 5_000);
  });
});

// They wait for back-offs and for the pauses between sessions.
describe.concurrent('what takes its time', { timeout: 60_000 }, () => {
  afterAll(() => town.end());

  test.each([
    ['a 502', { status: 502 }],
    ['a page of a proxy', 'html'],
    ['a page in place of JSON', { html: 200 }],
    ['a 403 of a proxy', { html: 403 }],
    ['a 400', { status: 400, code: 0 }],
    ['a 401', { status: 401, code: 0 }],
    ['a 429', { retryAfter: 0.5 }],
    ['a cut connection', 'reset-before'],
  ] as const)('a read that fails with %s is done again', async (_, fault) => {
    const server = await town.server();
    const store = sharedStore();
    await store.kill(await store.start(server));
    say(server, 'missed');
    server.fault('GET /channels/:channel/messages', fault, 2);
    const second = await store.start(server);
    await vi.waitFor(() => expect(accepted(second)).toEqual(['missed']), 30_000);
  });

  test('a session that Discord has ended is followed by a new one, and what was missed between them is read', async () => {
    const server = await town.server();
    const footnote = await sharedStore().start(server);
    say(server, 'before', '@ada');
    await vi.waitFor(() => expect(accepted(footnote)).toEqual(['before']), 30_000);
    server.gateway.op(9);
    server.gateway.dropSockets();
    say(server, 'missed', '@ada');
    say(server, 'missed too');
    await vi.waitFor(() => expect(accepted(footnote)).toHaveLength(3), 30_000);
    expect(server.gateway.identifies).toBe(2);
    await vi.waitFor(() => expect(footnote.app.ready()).toBe(true), 30_000);
  });

  test('as many shards as Discord wants are connected, and each catches up', async () => {
    const server = await town.server({ shards: 3 });
    const store = sharedStore();
    const first = await store.start(server);
    expect(server.gateway.sessions()).toBe(3);
    say(server, 'before', '@ada');
    say(server, 'before too');
    await vi.waitFor(() => expect(accepted(first)).toHaveLength(2), 30_000);
    await store.kill(first);
    say(server, 'missed', '@ada');
    say(server, 'missed too');
    const second = await store.start(server);
    await vi.waitFor(() => expect(accepted(second).sort()).toEqual(['missed', 'missed too']), 30_000);
  });
});
