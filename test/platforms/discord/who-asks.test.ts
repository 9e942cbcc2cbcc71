/** What people do on Discord and what Footnote hears of it: stand-in in, question out. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { memoryKeyValue } from '../../core/fakes.ts';
import type { DiscordServer } from '../../servers/discord/discord-server.ts';
import { createTown, type Footnote, mention, written } from './setup.ts';

const town = createTown();
afterEach(() => town.end());

const texts = (footnote: Footnote): string[] => footnote.heard.map(({ question }) => question.text);

/** Somebody asks something that is heard for sure, and all that was heard is returned. */
async function heardBefore(server: DiscordServer, footnote: Footnote): Promise<string[]> {
  server.say({ user: 'linus', channel: '@linus', content: 'the last one' });
  await vi.waitFor(() => expect(texts(footnote)).toContain('the last one'), 5_000);
  return texts(footnote).filter((text) => text !== 'the last one');
}

describe('nobody is answered', () => {
  test.each([
    ['a join', 7],
    ['a boost', 8],
    ['a pin', 6],
    ['a new channel name', 4],
    ['a thread created', 18],
  ])('%s, even where it names the bot', async (_, type) => {
    const server = await town.server();
    const footnote = await town.footnote(server);
    const thread = server.makeThread({ user: 'ada', channel: 'general', name: 'talk' });
    for (const channel of ['general', thread]) {
      server.notice({ user: 'ada', channel, type, content: mention(server, 'a notice') });
    }
    expect(await heardBefore(server, footnote)).toEqual([]);
  });

  test('other bots and webhooks, in a channel and in a thread', async () => {
    const server = await town.server();
    const footnote = await town.footnote(server);
    const thread = server.makeThread({ user: 'ada', channel: 'general', name: 'talk' });
    for (const channel of ['general', thread]) {
      server.otherBot({ channel, content: mention(server, 'hi') });
      server.otherBot({ channel, content: mention(server, 'hi'), webhook: true });
    }
    expect(await heardBefore(server, footnote)).toEqual([]);
  });

  test("but what others' bots say in a thread of ours counts as said there", async () => {
    const server = await town.server();
    const footnote = await town.footnote(server);
    const asked = server.say({ user: 'ada', channel: 'general', content: mention(server, 'How tall?') });
    await vi.waitFor(() => expect(written(server, asked)[0]?.content).toContain('Tower facts'), 5_000);
    server.otherBot({ channel: 'general', content: 'elsewhere' });
    server.otherBot({ channel: asked, content: 'a bot' });
    server.otherBot({ channel: asked, content: 'a webhook', webhook: true });
    await vi.waitFor(() => expect(footnote.overheard).toEqual([asked, asked]), 5_000);
  });

  test('a mention in code, @everyone, another person, plain talk', async () => {
    const server = await town.server();
    const footnote = await town.footnote(server);
    const grace = server.people.find(({ username }) => username === 'grace')?.id ?? '';
    for (const content of [
      `\`${mention(server, 'inline')}\``,
      `\`\`\`\n${mention(server, 'block')}\n\`\`\``,
      `<@${grace}> what do you think?`,
      `<@&${server.guild.role}> what do you think?`,
      'plain talk',
    ])
      server.say({ user: 'ada', channel: 'general', content });
    server.everyone({ user: 'ada', channel: 'general', content: '@everyone hi' });
    const hers = server.say({ user: 'grace', channel: 'general', content: 'The tower is tall' });
    server.say({ user: 'ada', channel: 'general', content: 'is it?', replyTo: hers });
    expect(await heardBefore(server, footnote)).toEqual([]);
  });

  test('what comes without text because the Message Content intent is missing', async () => {
    const server = await town.server({ messageContentAllowed: false });
    const footnote = await town.footnote(server, { messageContent: false });
    const asked = server.say({ user: 'ada', channel: 'general', content: mention(server, 'How tall?') });
    await vi.waitFor(() => expect(written(server, asked)[0]?.content).toContain('Tower facts'), 5_000);
    server.say({ user: 'ada', channel: asked, content: 'unreadable' });
    const answer = written(server, asked)[0]?.id ?? '';
    server.say({ user: 'ada', channel: asked, content: 'unreadable', replyTo: answer, ping: false });
    expect(await heardBefore(server, footnote)).toEqual(['How tall?']);
    expect(written(server, asked)).toHaveLength(1);
  });
});

test('a follow-up is heard although Discord cannot say at once what kind of channel it is in', async () => {
  const server = await town.server();
  const sessions = memoryKeyValue();
  const first = await town.footnote(server, { sessions });
  const thread = server.say({ user: 'ada', channel: 'general', content: mention(server, 'How tall?') });
  await vi.waitFor(() => expect(written(server, thread)[0]?.content).toContain('Tower facts'), 5_000);
  await first.stop();
  const footnote = await town.footnote(server, { sessions });
  server.fault('GET /channels/:channel', { status: 503 });
  server.gateway.dispatchRaw('MESSAGE_CREATE', {
    id: String(BigInt(written(server, thread)[0]?.id ?? '') + 1n),
    channel_id: thread,
    guild_id: server.guild.id,
    author: { id: server.people[0]?.id, username: 'ada' },
    timestamp: new Date().toISOString(),
    type: 0,
    mentions: [],
    content: 'And how old?',
  });
  await vi.waitFor(() => expect(texts(footnote)).toContain('And how old?'), 8_000);
  const { question } = footnote.heard.find((one) => one.question.text === 'And how old?') ?? {};
  expect(question?.thread?.channel).toBe(thread);
});

test.each([
  ['with its ping', true],
  ['without', false],
])('a reply to an answer is a question, %s', async (_, ping) => {
  const server = await town.server();
  const footnote = await town.footnote(server);
  server.say({ user: 'ada', channel: 'no-threads', content: mention(server, '') });
  await vi.waitFor(() => expect(written(server, 'no-threads')).toHaveLength(1), 5_000);
  expect(footnote.heard[0]?.question).toMatchObject({ text: '', trigger: 'mention' });
  const answer = written(server, 'no-threads')[0]?.id ?? '';
  server.say({ user: 'ada', channel: 'no-threads', content: 'How old?', replyTo: answer, ping });
  await vi.waitFor(() => expect(texts(footnote)).toContain('How old?'), 5_000);
  expect(footnote.heard.at(-1)?.question).toMatchObject({
    trigger: 'reply',
    repliesTo: { message: answer },
  });
});

describe('an edit', () => {
  test('that adds the mention asks once, under the id the message has', async () => {
    const server = await town.server();
    const footnote = await town.footnote(server);
    const first = server.say({ user: 'ada', channel: 'general', content: 'How tall?' });
    server.edit({ channel: 'general', message: first, content: mention(server, 'How tall?') });
    server.edit({ channel: 'general', message: first, content: mention(server, 'How very tall?') });
    const second = server.say({ user: 'ada', channel: 'general', content: mention(server, 'How old?') });
    server.edit({ channel: 'general', message: second, content: mention(server, 'How very old?') });
    await vi.waitFor(() => expect(written(server, second)[0]?.content).toContain('Tower facts'), 5_000);
    await heardBefore(server, footnote);
    await vi.waitFor(() => expect(footnote.heard.length).toBeGreaterThanOrEqual(5));
    const accepted = footnote.heard.filter(({ result }) => result === 'accepted');
    expect(accepted.map(({ question }) => question.text)).toEqual(['How tall?', 'How old?', 'the last one']);
    expect(accepted[0]?.question.message?.message).toBe(first);
  });

  test('of a message older than a day asks nothing', async () => {
    let behindMs = 25 * 3_600_000;
    const server = await town.server({ now: () => Date.now() - behindMs });
    const footnote = await town.footnote(server);
    const old = server.say({ user: 'ada', channel: 'general', content: 'How tall?' });
    behindMs = 0;
    server.edit({ channel: 'general', message: old, content: mention(server, 'How tall?') });
    expect(await heardBefore(server, footnote)).toEqual([]);
  });

  test('in a direct message asks nothing more', async () => {
    const server = await town.server();
    const footnote = await town.footnote(server);
    const said = server.say({ user: 'ada', channel: '@ada', content: 'How tall?' });
    await vi.waitFor(() => expect(written(server, '@ada')[0]?.content).toContain('Tower facts'), 5_000);
    server.edit({ channel: '@ada', message: said, content: 'How old?' });
    server.edit({ channel: '@ada', message: said, content: mention(server, 'How old?') });
    await heardBefore(server, footnote);
    expect(footnote.heard.filter(({ result }) => result === 'accepted')).toHaveLength(2);
    expect(written(server, '@ada')).toHaveLength(1);
  });

  test('is none when previews of links arrive', async () => {
    const server = await town.server();
    const footnote = await town.footnote(server);
    const grace = server.people.find(({ username }) => username === 'grace')?.id ?? '';
    const hers = server.say({ user: 'ada', channel: 'general', content: `<@${grace}> https://example.org/` });
    server.preview({ channel: 'general', message: hers });
    const ours = server.say({ user: 'ada', channel: 'general', content: mention(server, 'see example.org') });
    server.preview({ channel: 'general', message: ours });
    expect(await heardBefore(server, footnote)).toEqual(['see example.org']);
  });
});
