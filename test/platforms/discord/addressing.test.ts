/** Whom a message on Discord is for: stand-in in, question out. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { parseCommand } from '../../../src/core/commands/parse.ts';
import { memoryKeyValue } from '../../core/fakes.ts';
import type { DiscordServer } from '../../servers/discord/discord-server.ts';
import { createTown, type Footnote, mention, written } from './setup.ts';

const town = createTown();
afterEach(() => town.end());

const personId = (server: DiscordServer, name: string): string =>
  server.people.find(({ username }) => username === name)?.id ?? '';

/** The questions heard, once one that is asked after them in the same channel is. */
async function heardBefore(server: DiscordServer, footnote: Footnote, channel = 'general') {
  server.say({ user: 'linus', channel, content: mention(server, 'the last one') });
  const texts = () => footnote.heard.map(({ question }) => question.text);
  await vi.waitFor(() => expect(texts()).toContain('the last one'), 5_000);
  const before = footnote.heard.slice(0, texts().indexOf('the last one'));
  // The thread that an answer gets changes the question's message too.
  return before.filter(({ result }) => result !== 'duplicate').map(({ question }) => question);
}

describe('the role that Discord has made for the bot', () => {
  test('is a mention, and is taken off like one; another role is none', async () => {
    const server = await town.server();
    const footnote = await town.footnote(server);
    const { botRole, role } = server.guild;
    server.say({ user: 'ada', channel: 'general', content: `<@&${botRole}> what is x` });
    server.say({ user: 'ada', channel: 'general', content: `what is y? <@&${botRole}>` });
    server.say({
      user: 'ada',
      channel: 'general',
      content: `${mention(server, '')}<@&${botRole}>: what is z`,
    });
    server.say({ user: 'ada', channel: 'general', content: `<@&${role}> what is x` });
    server.say({ user: 'ada', channel: 'general', content: `\`<@&${botRole}>\` what is x` });
    const heard = await heardBefore(server, footnote);
    expect(heard.map(({ trigger, text }) => [trigger, text])).toEqual([
      ['mention', 'what is x'],
      ['mention', 'what is y?'],
      ['mention', 'what is z'],
    ]);
  });

  test('is a mention in an edit', async () => {
    const server = await town.server();
    const footnote = await town.footnote(server);
    const message = server.say({ user: 'ada', channel: 'general', content: 'what is x' });
    server.edit({ channel: 'general', message, content: `<@&${server.guild.role}> what is x` });
    server.edit({ channel: 'general', message, content: `<@&${server.guild.botRole}> what is x` });
    expect(await heardBefore(server, footnote)).toMatchObject([{ trigger: 'mention', text: 'what is x' }]);
  });

  test('is a mention in what is read afterwards', async () => {
    const server = await town.server();
    const sessions = memoryKeyValue();
    await (await town.footnote(server, { sessions })).stop();
    server.say({ user: 'ada', channel: 'general', content: `<@&${server.guild.botRole}> what is x` });
    const footnote = await town.footnote(server, { sessions });
    await vi.waitFor(() => expect(footnote.heard).toHaveLength(1), 5_000);
    expect(footnote.heard[0]?.question).toMatchObject({ trigger: 'mention', text: 'what is x' });
  });
});

describe('a mention at an edge', () => {
  test.each([
    ['!help <@BOT>', 'help', ''],
    ['<@BOT> - research: cities', 'research', 'cities'],
    ['hey <@BOT> research: cities', 'research', 'cities'],
    ['<@&ROLE>, !research cities', 'research', 'cities'],
    ['research: cities <@BOT>', 'research', 'cities'],
    ['what is x <@BOT>', undefined, 'what is x'],
    ['what is x, <@BOT>?', undefined, 'what is x?'],
    ['<@BOT> :tada: what is x', undefined, ':tada: what is x'],
    ['what is <@BOT> for?', undefined, 'what is @footnote for?'],
    ['what is <@&ROLE> for, <@BOT>?', undefined, 'what is @Footnote for?'],
  ])('%s', async (content, type, rest) => {
    const server = await town.server();
    const footnote = await town.footnote(server);
    const filled = content.replaceAll('BOT', server.botUser.id).replaceAll('ROLE', server.guild.botRole);
    server.say({ user: 'ada', channel: 'general', content: filled });
    const [question] = await heardBefore(server, footnote);
    const command = parseCommand(question?.text ?? '');
    expect(command?.type).toBe(type);
    expect(command && 'text' in command ? command.text : command ? '' : question?.text).toBe(rest);
  });
});

describe('in a thread of ours', () => {
  /** A thread in which Ada is answered, and the answer's id. */
  async function follow() {
    const server = await town.server();
    const footnote = await town.footnote(server);
    const thread = server.say({ user: 'ada', channel: 'general', content: mention(server, 'How tall?') });
    await vi.waitFor(() => expect(written(server, thread)[0]?.content).toContain('Tower facts'), 5_000);
    return { server, footnote, thread, answer: written(server, thread)[0]?.id ?? '' };
  }

  test.each([
    ['another person', '<@GRACE> can you take this one?'],
    ['another person, old style', 'so <@!GRACE>?'],
    ['another bot', '<@OTHER> what is x'],
    ['a role', '<@&ROLE> who knows?'],
    ['everybody', '@everyone who knows?'],
    ['everybody here', 'who knows (@here)?'],
  ])('%s is spoken to', async (_, said) => {
    const { server, footnote, thread } = await follow();
    const other = server.otherBot({ channel: 'general', content: 'beep' });
    const content = said
      .replace('GRACE', personId(server, 'grace'))
      .replace('ROLE', server.guild.role)
      .replace('OTHER', server.history('general').find(({ id }) => id === other)?.author.id ?? '');
    server.say({ user: 'ada', channel: thread, content });
    const heard = await heardBefore(server, footnote, thread);
    expect(heard.at(-1)).toMatchObject({ trigger: 'thread', addressesOthers: true });
  });

  test('whom a reply notifies is spoken to, as is everybody by a poll', async () => {
    const { server, footnote, thread } = await follow();
    const hers = server.say({ user: 'grace', channel: thread, content: 'I guess 300 m' });
    server.say({ user: 'ada', channel: thread, content: 'really?', replyTo: hers });
    server.say({ user: 'ada', channel: thread, content: 'no', replyTo: hers, ping: false });
    server.say({
      user: 'ada',
      channel: thread,
      content: '',
      poll: { question: 'Lunch?', answers: ['a', 'b'] },
    });
    const heard = await heardBefore(server, footnote, thread);
    expect(
      heard.slice(1).map((question) => [question.text.split('\n')[0], question.addressesOthers]),
    ).toEqual([
      ['I guess 300 m', false],
      ['really?', true],
      ['no', false],
      ['Poll: Lunch?', true],
    ]);
  });

  test.each([
    ['nobody', 'and how old?'],
    ['nobody, in code', 'why does `<@GRACE> @here <@&ROLE>` ping?'],
    ['nobody, in an address', 'is me@here.example or x@everyone valid?'],
    ['oneself', 'what does <@ADA> mean?'],
    ['us too', '<@GRACE> <@BOT> compare these'],
  ])('%s is spoken to', async (_, said) => {
    const { server, footnote, thread } = await follow();
    const content = said
      .replace('GRACE', personId(server, 'grace'))
      .replace('ADA', personId(server, 'ada'))
      .replace('ROLE', server.guild.role)
      .replace('BOT', server.botUser.id);
    server.say({ user: 'ada', channel: thread, content });
    const heard = await heardBefore(server, footnote, thread);
    expect(heard.at(-1)).toMatchObject({ addressesOthers: false });
  });

  test('a reply to us is for us, whoever it mentions', async () => {
    const { server, footnote, thread, answer } = await follow();
    const grace = personId(server, 'grace');
    server.say({ user: 'ada', channel: thread, content: `<@${grace}> look`, replyTo: answer, ping: false });
    const heard = await heardBefore(server, footnote, thread);
    expect(heard.at(-1)).toMatchObject({ trigger: 'reply', addressesOthers: false });
  });
});
