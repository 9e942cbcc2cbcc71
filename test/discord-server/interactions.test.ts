import { once } from 'node:events';
import {
  ActionRowBuilder,
  ButtonBuilder,
  type ButtonInteraction,
  ButtonStyle,
  type ChatInputCommandInteraction,
  type Client,
  Events,
  type Interaction,
  type MessageContextMenuCommandInteraction,
  MessageFlags,
  Routes,
} from 'discord.js';
import { describe, expect, test, vi } from 'vitest';
import { channelId, connect, rest, startServer } from './setup.ts';

const ASK = {
  name: 'ask',
  description: 'Ask a question',
  type: 1,
  options: [{ type: 3, name: 'question', description: 'What to ask', required: true, max_length: 4000 }],
};
const ABOUT = { name: 'Ask about this', type: 3 };

async function nextInteraction<T extends Interaction>(client: Client): Promise<T> {
  const [interaction] = (await once(client, Events.InteractionCreate)) as [T];
  return interaction;
}

const slash = { user: 'ada', channel: 'general', name: 'ask', options: { question: 'why?' } };

describe('interactions', () => {
  test('a slash command is deferred, answered, followed up in private, without any authorization', async () => {
    const server = await startServer();
    const client = await connect(server);
    const arriving = nextInteraction<ChatInputCommandInteraction>(client);
    const seen = server.command(slash);
    const interaction = await arriving;
    expect(interaction.options.getString('question')).toBe('why?');
    expect(interaction.inCachedGuild()).toBe(true);
    expect(seen.acknowledged).toBeNull();

    await interaction.deferReply();
    expect(seen).toMatchObject({ responseType: 5, response: { loading: true, content: '' } });
    await interaction.editReply('because');
    await interaction.followUp({ content: 'psst', flags: MessageFlags.Ephemeral });
    expect(seen.acknowledged).not.toBeNull();
    expect(seen.response).toMatchObject({ content: 'because', loading: false, editedAt: null, type: 20 });
    expect(seen.ephemeral.map(({ content }) => content)).toEqual(['psst']);
    expect(server.history('general').map(({ content }) => content)).toEqual(['because']);
    expect(server.history('general', seen.user).map(({ content }) => content)).toEqual(['because', 'psst']);
    const calls = server.calls.filter(({ route }) => /interactions|webhooks/.test(route));
    expect(calls.map(({ auth, status }) => [auth, status])).toEqual([
      [null, 204],
      [null, 200],
      [null, 200],
    ]);
  });

  test('a direct answer can be asked back, gets a thread, and is answered only once', async () => {
    const server = await startServer();
    const client = await connect(server);
    const arriving = nextInteraction<ChatInputCommandInteraction<'cached'>>(client);
    server.command(slash);
    const interaction = await arriving;
    const { resource } = await interaction.reply({ content: '> why?', withResponse: true });
    const thread = await resource?.message?.startThread({ name: 'why?' });
    expect(thread?.id).toBe(resource?.message?.id);
    expect(server.history('general')[0]).toMatchObject({ content: '> why?', thread: thread?.id });
    const again = await rest(
      server,
      'POST',
      `/interactions/${interaction.id}/${interaction.token}/callback`,
      {
        type: 5,
      },
    );
    expect(again.body.code).toBe(40_060);
  });

  test('an answer after three seconds comes too late, and a token is dead after fifteen minutes', async () => {
    let now = Date.now();
    const server = await startServer({ now: () => now });
    const late = server.command(slash);
    now += 3001;
    const tooLate = await rest(
      server,
      'POST',
      `/interactions/${late.id}/${late.token}/callback`,
      { type: 5 },
      {},
    );
    expect(tooLate.body.code).toBe(10_062);
    const inTime = server.command(slash);
    const early = `/webhooks/${server.applicationId}/${inTime.token}`;
    expect((await rest(server, 'PATCH', `${early}/messages/@original`, { content: 'x' }, {})).body.code).toBe(
      10_015,
    );
    await rest(server, 'POST', `/interactions/${inTime.id}/${inTime.token}/callback`, { type: 5 }, {});
    now += 15 * 60_000 + 1;
    const expired = await rest(server, 'PATCH', `${early}/messages/@original`, { content: 'x' }, {});
    expect([expired.status, expired.body.code]).toEqual([401, 50_027]);
  });

  test('the placeholder of a deferral is filled by the first follow-up', async () => {
    const server = await startServer();
    const seen = server.command(slash);
    await rest(server, 'POST', `/interactions/${seen.id}/${seen.token}/callback`, { type: 5 }, {});
    await rest(server, 'POST', `/webhooks/${server.applicationId}/${seen.token}`, { content: 'filled' }, {});
    expect(seen.response?.content).toBe('filled');
    expect(seen.followups).toEqual([]);
    const path = `/webhooks/${server.applicationId}/${seen.token}/messages/%40original`;
    expect((await rest(server, 'GET', path, undefined, {})).body['content']).toBe('filled');
    expect((await rest(server, 'DELETE', path, undefined, {})).status).toBe(204);
    expect(seen.response).toBeNull();
    expect((await rest(server, 'GET', path, undefined, {})).body.code).toBe(10_008);
  });

  test('a message command carries its target with its content, even without the intent', async () => {
    const server = await startServer({ messageContentAllowed: false });
    const client = await connect(server, { intents: ['Guilds', 'GuildMessages'] });
    const arriving = nextInteraction<MessageContextMenuCommandInteraction>(client);
    const message = server.say({ user: 'ada', channel: 'general', content: 'the moon is cheese' });
    const seen = server.messageCommand({
      user: 'grace',
      channel: 'general',
      message,
      name: 'Ask about this',
    });
    const interaction = await arriving;
    expect(interaction.targetMessage.content).toBe('the moon is cheese');
    await interaction.reply({ content: 'Answering in the thread', flags: MessageFlags.Ephemeral });
    expect(seen.ephemeral).toMatchObject([{ type: 23, content: 'Answering in the thread' }]);
    expect(server.history('general')).toHaveLength(1);
  });

  test('a pressed button updates its message or defers, and only a button that is there can be pressed', async () => {
    const server = await startServer();
    const client = await connect(server);
    const button = new ButtonBuilder()
      .setCustomId('footnote:retry:1')
      .setLabel('Retry')
      .setStyle(ButtonStyle.Secondary);
    const channel = await client.channels.fetch(channelId(server, 'general'));
    if (!channel?.isSendable()) throw new Error('cannot send');
    const components = [new ActionRowBuilder<ButtonBuilder>().addComponents(button)];
    const { id: message } = await channel.send({ content: 'It failed.', components });
    const where = { user: 'ada', channel: 'general', message };
    const arriving = nextInteraction<ButtonInteraction>(client);
    server.press({ ...where, customId: 'footnote:retry:1' });
    const interaction = await arriving;
    expect(interaction.message.content).toBe('It failed.');
    await interaction.update({ content: 'Trying again', components: [] });
    expect(server.history('general')[0]).toMatchObject({ content: 'Trying again', components: [] });
    expect(() => server.press({ ...where, customId: 'footnote:retry:1' })).toThrow(/no button/);
  });

  test('autocomplete and modals are answered by their own callback types only', async () => {
    const server = await startServer();
    const typing = server.autocomplete({
      user: 'ada',
      channel: 'general',
      name: 'ask',
      option: 'q',
      typed: 'w',
    });
    const path = `/interactions/${typing.id}/${typing.token}/callback`;
    expect((await rest(server, 'POST', path, { type: 4, data: { content: 'no' } })).body.code).toBe(50_035);
    const choices = [{ name: 'why', value: 'why' }];
    expect((await rest(server, 'POST', path, { type: 8, data: { choices } })).status).toBe(204);
    expect(typing.choices).toEqual(choices);

    const asked = server.command(slash);
    const input = { type: 4, custom_id: 'text', style: 2, label: 'Prompt' };
    const data = { custom_id: 'prompt', title: 'Prompt', components: [{ type: 1, components: [input] }] };
    await rest(server, 'POST', `/interactions/${asked.id}/${asked.token}/callback`, { type: 9, data });
    expect(asked.modal).toMatchObject({ custom_id: 'prompt' });
    const submitted = server.submit({ interaction: asked.id, fields: { text: 'be brief' } });
    expect(submitted).toMatchObject({ type: 5, name: 'prompt' });
  });

  test('commands are replaced as a whole, keep their ids, and are the only ones people can use', async () => {
    const server = await startServer();
    const client = await connect(server);
    const route = Routes.applicationCommands(server.applicationId);
    const first = (await client.rest.put(route, { body: [ASK, ABOUT] })) as { id: string; version: string }[];
    const second = (await client.rest.put(route, { body: [ASK, ABOUT] })) as typeof first;
    expect(second).toEqual(first);
    expect(await client.rest.get(route)).toHaveLength(2);
    expect(() => server.command({ ...slash, name: 'research' })).toThrow(/no command/);
    expect(() => server.command({ ...slash, options: {} })).toThrow(/required/);
    server.command(slash);
  });

  test.each([
    ['capitals in a name', { ...ASK, name: 'Ask' }],
    ['no description', { name: 'ask', type: 1 }],
    ['a description on a message command', { ...ABOUT, description: 'x' }],
    [
      'an optional option before a required one',
      { ...ASK, options: [{ type: 3, name: 'a', description: 'a' }, ...ASK.options] },
    ],
    [
      'a choice name that is too long',
      { ...ASK, options: [{ ...ASK.options[0], choices: [{ name: 'x'.repeat(101), value: 'x' }] }] },
    ],
    ['a key that does not exist', { ...ASK, colour: 'red' }],
  ])('a command with %s is refused', async (_name, command) => {
    const server = await startServer();
    const { body } = await rest(server, 'PUT', `/applications/${server.applicationId}/commands`, [command]);
    expect(body.code).toBe(50_035);
  });

  test('the user of a command in a DM is known without a member', async () => {
    const server = await startServer();
    const client = await connect(server);
    const heard: Interaction[] = [];
    client.on(Events.InteractionCreate, (interaction) => heard.push(interaction));
    server.command({ ...slash, channel: '@ada' });
    await vi.waitFor(() => expect(heard).toHaveLength(1));
    expect(heard[0]).toMatchObject({ guildId: null, context: 1 });
    expect(heard[0]?.user.username).toBe('ada');
  });
});
