import { once } from 'node:events';
import {
  type AutocompleteInteraction,
  type ChatInputCommandInteraction,
  type Client,
  Events,
  Routes,
  SlashCommandBuilder,
} from 'discord.js';
import { expect, test } from 'vitest';
import { connect, rest, startServer } from './setup.ts';

const JOBS = new SlashCommandBuilder()
  .setName('jobs')
  .setDescription('Jobs')
  .addSubcommand((list) => list.setName('list').setDescription('All of them'))
  .addSubcommand((stop) =>
    stop
      .setName('stop')
      .setDescription('End one')
      .addStringOption((id) =>
        id.setName('id').setDescription('Which').setRequired(true).setAutocomplete(true),
      ),
  )
  .toJSON();

async function registered() {
  const server = await startServer();
  const client = await connect(server);
  await client.rest.put(Routes.applicationCommands(server.applicationId), { body: [JOBS] });
  return { server, client };
}

async function next<T>(client: Client): Promise<T> {
  // The test knows which kind of interaction it causes.
  const [interaction] = (await once(client, Events.InteractionCreate)) as [T];
  return interaction;
}

const ada = { user: 'ada', channel: 'general', name: 'jobs' };

test('a subcommand arrives with its options', async () => {
  const { server, client } = await registered();
  const arriving = next<ChatInputCommandInteraction>(client);
  server.command({ ...ada, subcommand: 'stop', options: { id: 'R-4F2K' } });
  const { options } = await arriving;
  expect([options.getSubcommand(), options.getString('id')]).toEqual(['stop', 'R-4F2K']);
});

test('only declared subcommands and options can be used', async () => {
  const { server } = await registered();
  expect(() => server.command(ada)).toThrow('no subcommand');
  expect(() => server.command({ ...ada, subcommand: 'delete' })).toThrow('no subcommand delete');
  expect(() => server.command({ ...ada, subcommand: 'stop' })).toThrow('id is required');
  const typing = { ...ada, option: 'id', typed: 'R' };
  expect(() => server.autocomplete({ ...typing, subcommand: 'list' })).toThrow('no autocompletion');
});

test('typing into an option is answered with choices, within three seconds', async () => {
  let now = Date.now();
  const server = await startServer({ now: () => now });
  const client = await connect(server);
  await client.rest.put(Routes.applicationCommands(server.applicationId), { body: [JOBS] });
  const arriving = next<AutocompleteInteraction>(client);
  const seen = server.autocomplete({ ...ada, subcommand: 'stop', option: 'id', typed: 'R-4' });
  const interaction = await arriving;
  expect([interaction.options.getSubcommand(), interaction.options.getFocused()]).toEqual(['stop', 'R-4']);
  await interaction.respond([{ name: 'R-4F2K · running', value: 'R-4F2K' }]);
  expect(seen.choices).toEqual([{ name: 'R-4F2K · running', value: 'R-4F2K' }]);

  const later = next<AutocompleteInteraction>(client);
  server.autocomplete({ ...ada, subcommand: 'stop', option: 'id', typed: 'R-' });
  const late = await later;
  now += 3_001;
  await expect(late.respond([])).rejects.toMatchObject({ code: 10_062 });
});

test('26 choices are too many', async () => {
  const { server } = await registered();
  const { id, token } = server.autocomplete({ ...ada, subcommand: 'stop', option: 'id', typed: '' });
  const choices = Array.from({ length: 26 }, (_, i) => ({ name: `${i}`, value: `${i}` }));
  const callback = `/interactions/${id}/${token}/callback`;
  expect((await rest(server, 'POST', callback, { type: 8, data: { choices } }, {})).body.code).toBe(50_035);
});

test.each([
  [
    'subcommands beside options',
    [...JOBS.options!, { type: 3, name: 'x', description: 'x', required: false }],
  ],
  ['a subcommand with a capital', [{ type: 1, name: 'List', description: 'x' }]],
  [
    'autocompletion beside choices',
    [{ type: 3, name: 'x', description: 'x', autocomplete: true, choices: [{ name: 'a', value: 'a' }] }],
  ],
  [
    'two options of a name',
    [
      { type: 3, name: 'x', description: 'x' },
      { type: 3, name: 'x', description: 'y' },
    ],
  ],
  [
    'a required option behind an optional one, in a subcommand',
    [
      {
        type: 1,
        name: 'x',
        description: 'x',
        options: [
          { type: 3, name: 'a', description: 'a' },
          { type: 3, name: 'b', description: 'b', required: true },
        ],
      },
    ],
  ],
])('a command with %s is refused', async (_, options) => {
  const { server } = await registered();
  const path = `/applications/${server.applicationId}/commands`;
  expect((await rest(server, 'PUT', path, [{ ...JOBS, options }])).body.code).toBe(50_035);
});
