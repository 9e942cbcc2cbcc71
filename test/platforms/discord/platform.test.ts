import { afterEach, describe, expect, test, vi } from 'vitest';
import { Failure } from '../../../src/core/failures.ts';
import type { ReplyStart } from '../../../src/core/ports.ts';
import type { MessageRef, Question, View } from '../../../src/core/types.ts';
import { type DiscordApp, openDiscord } from '../../../src/platforms/discord/app.ts';
import { quietLog } from '../../core/fakes.ts';
import { type DiscordServer, startDiscordServer } from '../../servers/discord/discord-server.ts';
import { channelId, mention, SOURCES, written } from './setup.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function open(options: Parameters<typeof startDiscordServer>[0] = {}) {
  const server = await startDiscordServer(options);
  const base = { token: server.token, applicationId: null, apiUrl: server.apiUrl, messageContent: true };
  const app = await openDiscord({ ...base, threads: 'always', log: quietLog });
  ends.push(() => server.close(), app.stop);
  return { server, app };
}

function asked(server: DiscordServer, fields: Partial<Question> = {}): Question {
  const channel = channelId(server, 'general');
  const message = server.say({ user: 'ada', channel, content: mention(server, 'How tall?') });
  const workspace = server.guild.id;
  const ada = server.people[0]?.id ?? '';
  return {
    id: '00000000-0000-5000-8000-000000000001',
    platform: 'discord',
    workspace,
    channel,
    thread: { platform: 'discord', workspace, channel: message, thread: message },
    message: { platform: 'discord', workspace, channel, message },
    repliesTo: null,
    trigger: 'mention',
    asker: { id: ada, name: 'Ada' },
    text: 'How tall?',
    quotes: [],
    attachments: [],
    title: null,
    addressesOthers: false,
    overrides: {},
    delivery: {},
    askedAt: Date.now(),
    ...fields,
  };
}

function view(text: string, state: View['state'] = 'writing'): View {
  return { state, status: '', text, sources: SOURCES, notices: [], footer: null, buttons: [] };
}

/** Shows these views as one attempt would and returns what it recorded. */
async function attempt(
  app: DiscordApp,
  question: Question,
  start: Partial<ReplyStart>,
  ...views: readonly View[]
): Promise<readonly MessageRef[]> {
  let recorded: readonly MessageRef[] = start.messages ?? [];
  const posted = async (messages: readonly MessageRef[]): Promise<void> => void (recorded = messages);
  const isTaken = async (): Promise<boolean> => false;
  const reply = app.platform.reply(question, { messages: [], attempt: 1, posted, isTaken, ...start });
  for (const shown of views) await reply.show(() => shown, new AbortController().signal);
  await reply.close();
  return recorded;
}

const LONG = Array.from({ length: 80 }, (_, i) => `Paragraph ${i} says something about the tower.\n\n`).join(
  '',
);

describe('a later attempt', () => {
  test('rewrites the messages of the first in place and deletes what is too much', async () => {
    const { server, app } = await open();
    const question = asked(server);
    const messages = await attempt(app, question, {}, view(LONG));
    expect(messages.length).toBeGreaterThan(1);
    const again = await attempt(app, question, { messages, attempt: 2 }, view('Short now. [1]', 'done'));
    expect(again).toEqual(messages.slice(0, 1));
    const shown = written(server, question.thread?.channel ?? '');
    expect(shown.map(({ id }) => id)).toEqual([messages[0]?.message]);
    expect(shown[0]?.content).toContain('Short now.');
  });

  test('takes over what was posted but never recorded', async () => {
    const { server, app } = await open();
    const question = asked(server);
    await attempt(app, question, {}, view('First words'));
    const again = await attempt(app, question, { attempt: 2 }, view('Whole answer.', 'done'));
    expect(again).toHaveLength(1);
    expect(written(server, question.thread?.channel ?? '')).toHaveLength(1);
  });

  test('takes it over long after the nonce is forgotten, leaving other words alone', async () => {
    let hours = 0;
    const { server, app } = await open({ now: () => Date.now() + hours * 3_600_000 });
    const question = asked(server);
    await attempt(app, question, {}, view('First words'));
    await app.platform.replyPrivately(question, 'One moment.');
    hours = 0.5;
    const again = await attempt(app, question, { attempt: 2 }, view('Whole answer.', 'done'));
    const thread = written(server, question.thread?.channel ?? '');
    expect(again.map(({ message }) => message)).toEqual(thread.map(({ id }) => id));
    expect(thread[0]?.content).toContain('Whole answer.');
    expect(written(server, 'general')[0]?.content).toBe('One moment.');
  });

  test("leaves alone an earlier question's answer that ended below this question", async () => {
    const { server, app } = await open();
    const first = asked(server);
    const here = { thread: first.thread, channel: first.thread?.channel ?? '' };
    await attempt(app, first, {}, view('The first answer'));
    const text = { user: 'ada', channel: here.channel, content: 'And then?' };
    const message = { ...first.message!, channel: here.channel, message: server.say(text) };
    const second: Question = { ...first, ...here, message, id: '00000000-0000-5000-8000-000000000002' };
    const taken = await attempt(app, first, { attempt: 2 }, view(LONG, 'done'));
    const isTaken = async (ref: MessageRef): Promise<boolean> =>
      taken.some(({ message: id }) => id === ref.message);
    const again = await attempt(app, second, { attempt: 2, isTaken }, view('The second answer.', 'done'));
    expect(taken.at(-1)?.message.localeCompare(message.message)).toBe(1);
    expect(again).toHaveLength(1);
    const shown = written(server, here.channel);
    expect(shown).toHaveLength(taken.length + 1);
    expect(shown.at(-1)?.content).toContain('The second answer.');
  });

  test('in a channel without threads goes on replying to the question, as the first did', async () => {
    const { server, app } = await open();
    const channel = channelId(server, 'no-threads');
    const message = server.say({ user: 'ada', channel, content: mention(server, 'How tall?') });
    const at = { platform: 'discord', workspace: server.guild.id } as const;
    const thread = { ...at, channel: message, thread: message };
    const question = asked(server, { channel, thread, message: { ...at, channel, message } });
    const messages = await attempt(app, question, {}, view('First words'));
    const parts = await attempt(app, question, { messages, attempt: 2 }, view(LONG, 'done'));
    expect(parts.length).toBeGreaterThan(1);
    const shown = written(server, channel);
    expect(shown.map(({ referencedMessage }) => referencedMessage)).toEqual(parts.map(() => message));
  });

  test('of a command in a channel without threads belongs to the same conversation', async () => {
    const { server, app } = await open();
    const channel = channelId(server, 'no-threads');
    const question = asked(server, { channel, thread: null, message: null, trigger: 'command' });
    const start = { messages: [], attempt: 1, posted: async () => {}, isTaken: async () => false };
    const first = await app.platform.reply(question, start).open();
    const messages = await attempt(app, question, {}, view('First words'));
    const second = await app.platform.reply(question, { ...start, messages, attempt: 2 }).open();
    expect(second).toEqual(first);
  });

  test('of a command in a direct conversation leaves what was said before it alone', async () => {
    const { server, app } = await open();
    const channel = channelId(server, '@ada');
    const thread = { platform: 'discord', workspace: '@me', channel, thread: channel } as const;
    const own = { workspace: '@me', channel, thread, message: null } as const;
    await app.platform.replyPrivately(asked(server, own), 'An older word.');
    const { id } = server.command({
      user: 'ada',
      channel: '@ada',
      name: 'ask',
      options: { question: 'Why?' },
    });
    const question = asked(server, { ...own, trigger: 'command', delivery: { interaction: id } });
    await attempt(app, question, { attempt: 2 }, view('Because.', 'done'));
    const shown = written(server, '@ada').map(({ content }) => content);
    expect(shown[0]).toBe('An older word.');
    expect(shown.at(-1)).toContain('Because.');
  });

  test('stops writing once it is told that it was overtaken', async () => {
    const { server, app } = await open();
    const overtaken = new Failure('stopped', 'overtaken');
    const posted = (): Promise<void> => Promise.reject(overtaken);
    await expect(attempt(app, asked(server), { posted }, view(LONG, 'done'))).rejects.toBe(overtaken);
    const posts = server.calls.filter(
      ({ route, method }) => method === 'POST' && route.endsWith('/messages'),
    );
    expect(posts).toHaveLength(1);
  });
});

test('a thread is named by the question, without what would turn its letters around', async () => {
  const { server, app } = await open();
  const question = asked(server, { text: '\u202eHow\u202c tall?\u200b' });
  await attempt(app, question, {}, view('Very.', 'done'));
  expect(server.channels.find(({ id }) => id === question.thread?.channel)?.name).toBe('How tall?');
});

describe('short words', () => {
  test('a mark on the waiting question comes and goes', async () => {
    const { server, app } = await open();
    const question = asked(server);
    await app.platform.markWaiting(question, true);
    const emojis = () => server.history('general')[0]?.reactions.map(({ emoji }) => emoji) ?? [];
    expect(emojis()).toEqual(['🕐']);
    await app.platform.markWaiting(question, false);
    expect(emojis()).toEqual([]);
    server.fault('*', { status: 500 });
    await app.platform.markWaiting(question, true);
  });

  test('a whisper about a message is a reply to it; repeated, it is there once', async () => {
    const { server, app } = await open();
    const question = asked(server);
    await app.platform.replyPrivately(question, 'Not **now** @everyone');
    await app.platform.replyPrivately(question, 'Not **now** @everyone');
    const [word, ...more] = written(server, 'general');
    expect(more).toEqual([]);
    expect(word).toMatchObject({ referencedMessage: question.message?.message, mentions: [] });
    expect(word?.content).toContain('\\*\\*now');
  });

  test('a whisper too long for a message is cut, and no character in two', async () => {
    const { server, app } = await open();
    await app.platform.replyPrivately(asked(server), `a${'🗼'.repeat(2_000)}`);
    const [word] = written(server, 'general');
    expect(word?.content.isWellFormed()).toBe(true);
    expect(word?.content).toMatch(/^a(?:🗼){900,}$/u);
  });

  test('a whisper about a command is seen by its user alone', async () => {
    const { server, app } = await open();
    const { id, token } = server.command({
      user: 'ada',
      channel: 'general',
      name: 'ask',
      options: { question: 'Hi' },
    });
    const callback = `${server.apiUrl}/v10/interactions/${id}/${token}/callback`;
    const headers = { 'content-type': 'application/json' };
    await fetch(callback, {
      method: 'POST',
      headers,
      body: JSON.stringify({ type: 5, data: { flags: 64 } }),
    });
    const delivery = { interaction: id, token, application: server.applicationId };
    await app.platform.replyPrivately(
      asked(server, { message: null, trigger: 'command', delivery }),
      'Busy.',
    );
    expect(JSON.stringify(server.interactions[0]?.ephemeral)).toContain('Busy.');
    expect(written(server, 'general')).toEqual([]);
  });

  test('direct messages arrive, and a refusal says so', async () => {
    const { server, app } = await open();
    const person = (name: string): string =>
      server.people.find(({ username }) => username === name)?.id ?? '';
    await app.platform.directMessage(server.guild.id, person('ada'), 'Hello');
    await vi.waitFor(() => expect(written(server, '@ada')[0]?.content).toBe('Hello'));
    await expect(
      app.platform.directMessage(server.guild.id, person('hermit'), 'Hello'),
    ).rejects.toMatchObject({
      kind: 'undeliverable',
    });
  });
});

test('a progress write without budget fails softly, a final one waits its turn', async () => {
  const { server, app } = await open({ limits: 'real' });
  const thread = { platform: 'discord', workspace: server.guild.id, channel: '', thread: '' } as const;
  const channel = channelId(server, 'general');
  const here = { ...thread, channel, thread: channel };
  const words = Array.from({ length: 7 }, (_, i) => `0000000${i}-0000-5000-8000-000000000001`);
  const shown = words.map((id) => attempt(app, asked(server, { id, thread: here }), {}, view(`Word ${id}`)));
  const results = await Promise.allSettled(shown);
  const soft = results
    .filter((result) => result.status === 'rejected')
    .map(({ reason }) => reason as Failure);
  expect(soft.map(({ kind }) => kind)).toEqual(['rate-limited', 'rate-limited']);
  const id = '00000008-0000-5000-8000-000000000001';
  await attempt(app, asked(server, { id, thread: here }), {}, view('Final', 'done'));
  expect(written(server, 'general').at(-1)?.content).toContain('Final');
  expect(server.calls.filter(({ status }) => status === 429)).toEqual([]);
});

test('Discord that cannot be reached is said with the reason', async () => {
  const { server, app } = await open();
  const question = asked(server);
  await server.close();
  // The first call may still meet the connection that was closed.
  await app.platform.replyPrivately(question, 'Hello').catch(() => {});
  await expect(app.platform.replyPrivately(question, 'Hello')).rejects.toMatchObject({
    kind: 'unreachable',
    message: expect.stringContaining('ECONNREFUSED'),
  });
});
