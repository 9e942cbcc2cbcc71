import { once } from 'node:events';
import { type Client, Events, type Message, MessageFlags, MessageReferenceType } from 'discord.js';
import { describe, expect, test, vi } from 'vitest';
import { pings } from '../servers/discord/checks.ts';
import { channelId, connect, startServer } from './setup.ts';

async function nextMessage(client: Client): Promise<Message<true>> {
  const [message] = (await once(client, Events.MessageCreate)) as [Message<true>];
  return message;
}

describe('a conversation with the real discord.js', () => {
  test('a mention arrives whole and is answered by a reply that is then edited', async () => {
    const server = await startServer();
    const client = await connect(server);
    const arriving = nextMessage(client);
    const id = server.say({
      user: 'ada',
      channel: 'general',
      content: `<@${server.botUser.id}> why is the sky blue?`,
    });
    const question = await arriving;

    expect(question.id).toBe(id);
    expect(question.mentions.has(client.user?.id ?? '', { ignoreEveryone: true })).toBe(true);
    expect(question.author.globalName).toBe('Ada');
    expect(question.member?.displayName).toBe('Ada');
    const reply = await question.reply({ content: 'Because', flags: MessageFlags.SuppressEmbeds });
    await reply.edit('Because of Rayleigh scattering.');

    const [, answer] = server.history('general');
    expect(answer).toMatchObject({
      content: 'Because of Rayleigh scattering.',
      referencedMessage: id,
      flags: MessageFlags.SuppressEmbeds,
      mentions: [],
      author: { id: server.botUser.id, bot: true },
    });
    expect(answer?.editedAt).not.toBeNull();
    const create = server.calls.find(({ method, route }) => method === 'POST' && route.endsWith('/messages'));
    expect(create && pings(create)).toEqual([]);
  });

  test('a thread started from a message has its id, is announced and shown on the message', async () => {
    const server = await startServer();
    const client = await connect(server);
    const arriving = nextMessage(client);
    server.say({ user: 'ada', channel: 'general', content: 'a question' });
    const question = await arriving;
    const announced = once(client, Events.ThreadCreate);
    const updated = once(client, Events.MessageUpdate);
    const thread = await question.startThread({ name: 'a question', autoArchiveDuration: 1440 });
    await announced;
    await updated;

    expect(thread.id).toBe(question.id);
    await thread.send('in the thread');
    expect(server.history('general')[0]?.thread).toBe(question.id);
    expect(server.history(thread.id).map(({ content }) => content)).toEqual(['in the thread']);
    await expect(question.startThread({ name: 'again' })).rejects.toMatchObject({
      code: 'MessageExistingThread',
    });

    const followUp = nextMessage(client);
    server.say({ user: 'grace', channel: thread.id, content: 'and at dusk?' });
    const heard = await followUp;
    expect(heard.channel.isThread()).toBe(true);
    expect(heard.content).toBe('and at dusk?');
    const starter = await thread.fetchStarterMessage();
    expect(starter?.content).toBe('a question');
    const fetched = await thread.messages.fetch({ limit: 10 });
    expect(fetched.map(({ type }) => type)).toEqual([0, 0, 21]);
  });

  test('a DM arrives although discord.js knows no channel yet', async () => {
    const server = await startServer();
    const client = await connect(server);
    const arriving = once(client, Events.MessageCreate);
    server.say({ user: 'grace', channel: '@grace', content: 'psst' });
    const [message] = (await arriving) as [Message];
    expect(message.inGuild()).toBe(false);
    expect(message.channel.isDMBased()).toBe(true);
    await message.reply('yes?');
    expect(server.history('@grace').map(({ content }) => content)).toEqual(['psst', 'yes?']);
  });

  test('a person who refuses DMs can be written to by nobody', async () => {
    const server = await startServer();
    const client = await connect(server);
    const hermit = server.people.find(({ username }) => username === 'hermit');
    const user = await client.users.fetch(hermit?.id ?? '');
    await expect(user.send('hello')).rejects.toMatchObject({ code: 50007 });
  });

  test('replies, forwards, attachments and @everyone have the shapes discord.js reads', async () => {
    const server = await startServer();
    const client = await connect(server);
    const heard: Message[] = [];
    client.on(Events.MessageCreate, (message) => heard.push(message));
    const first = server.say({
      user: 'ada',
      channel: 'general',
      content: 'the report',
      attachments: [{ filename: 'report.txt', contentType: 'text/plain', text: 'quarterly' }],
    });
    server.say({ user: 'grace', channel: 'general', content: 'agreed', replyTo: first, ping: false });
    server.say({ user: 'grace', channel: 'random', content: '', forwardOf: first });
    server.everyone({ user: 'linus', channel: 'general', content: 'lunch' });
    server.otherBot({ channel: 'general', content: 'beep', webhook: true });
    await vi.waitFor(() => expect(heard).toHaveLength(5));
    const [report, reply, forward, shout, hook] = heard;

    expect(report?.attachments.first()).toMatchObject({ name: 'report.txt', size: 9 });
    expect(await (await fetch(report?.attachments.first()?.url ?? '')).text()).toBe('quarterly');
    expect(reply?.reference?.messageId).toBe(first);
    expect(reply?.mentions.repliedUser?.username).toBe('ada');
    expect(reply?.mentions.users.size).toBe(0);
    expect(forward?.reference?.type).toBe(MessageReferenceType.Forward);
    expect(forward?.messageSnapshots.first()?.content).toBe('the report');
    expect(shout?.mentions.everyone).toBe(true);
    expect(hook?.webhookId).toBe(hook?.author.id);
  });

  test("people's edits and deletions, archived threads and deleted channels are announced", async () => {
    const server = await startServer();
    const client = await connect(server);
    const arriving = nextMessage(client);
    const message = server.say({ user: 'ada', channel: 'general', content: 'frist' });
    await arriving;
    const updated = once(client, Events.MessageUpdate);
    server.edit({ channel: 'general', message, content: 'first' });
    const [, after] = (await updated) as [Message, Message];
    expect(after.content).toBe('first');
    expect(after.editedTimestamp).not.toBeNull();

    const created = once(client, Events.ThreadCreate);
    const thread = server.makeThread({ user: 'ada', channel: 'random', name: 'side talk' });
    await created;
    const archived = once(client, Events.ThreadUpdate);
    server.archive(thread);
    await archived;
    const removed = once(client, Events.MessageDelete);
    server.remove({ channel: 'general', message });
    await removed;
    const threadGone = once(client, Events.ThreadDelete);
    server.deleteChannel(thread);
    await threadGone;
    const channelGone = once(client, Events.ChannelDelete);
    server.deleteChannel(channelId(server, 'random'));
    await channelGone;
    expect(server.channels.map(({ name }) => name)).not.toContain('random');
  });
});
