import { readFileSync } from 'node:fs';
import { MessageFlags } from 'discord.js';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type {
  Accepted,
  ButtonPress,
  Intake,
  JobsRequest,
  ResearchCommands,
} from '../../../src/core/ports.ts';
import type { Question } from '../../../src/core/types.ts';
import { asRecords } from '../../../src/core/untrusted.ts';
import { registerCommands } from '../../../src/platforms/discord/register-commands.ts';
import { createRest } from '../../../src/platforms/discord/rest.ts';
import { quietLog } from '../../core/fakes.ts';
import type { DiscordServer } from '../../servers/discord/discord-server.ts';
import { createTown, written } from './setup.ts';

const town = createTown();
afterEach(() => town.end());

const MANIFEST = new URL('../../../manifests/discord-commands.json', import.meta.url);

/** A core that takes what it is given, and what it was given. */
function taking(accept: () => Promise<Accepted> = async () => 'accepted') {
  const questions: Question[] = [];
  const presses: ButtonPress[] = [];
  const intake = (core: Intake): Intake => ({
    ...core,
    accept(question) {
      questions.push(question);
      return accept();
    },
    async press(press) {
      presses.push(press);
      return { type: 'text', text: 'Researching: R-4F2K' };
    },
  });
  return { questions, presses, intake };
}

/** Research commands that say this, and what it was asked. */
function researchSaying(
  jobs: ResearchCommands['run'],
  choices: ResearchCommands['choices'] = async () => [],
) {
  const requests: JobsRequest[] = [];
  const prefixes: string[] = [];
  const research: ResearchCommands = {
    run(request) {
      requests.push(request);
      return jobs(request);
    },
    choices(who, prefix) {
      prefixes.push(prefix);
      return choices(who, prefix);
    },
  };
  return { research, requests, prefixes };
}

/** A service whose commands are registered: the stand-in lets people use only what the manifest declares. */
async function listening(options: Parameters<typeof town.footnote>[1]): Promise<DiscordServer> {
  const server = await town.server();
  const rest = createRest({ token: server.token, apiUrl: server.apiUrl, log: quietLog });
  const manifest = asRecords(JSON.parse(readFileSync(MANIFEST, 'utf8')));
  await registerCommands(rest, manifest, { applicationId: null, guild: null, dryRun: false });
  rest.close();
  await town.footnote(server, options);
  return server;
}

const ada = { user: 'ada', channel: 'general' };
const responseTo = (server: DiscordServer, id: string) =>
  server.interactions.find((interaction) => interaction.id === id);

describe('/research', () => {
  test('is a question with a wish; the question is restated for everybody', async () => {
    const { questions, intake } = taking();
    const server = await listening({ intake });
    const options = { effort: 'high', recency: 'week', sites: 'a.org, -B.org', notify: 'dm' };
    const { id } = server.command({
      ...ada,
      name: 'research',
      options: { question: 'How tall?', ...options },
    });
    await vi.waitFor(() => expect(responseTo(server, id)?.response?.content).toBe('> How tall?'));
    expect(questions).toMatchObject([
      {
        trigger: 'command',
        text: 'How tall?',
        thread: null,
        research: { effort: 'high', notify: 'dm' },
        overrides: { recency: 'week', domains: ['a.org', '-b.org'] },
      },
    ]);
    expect(responseTo(server, id)?.ephemeral).toEqual([]);
  });

  test('needs nothing but the question', async () => {
    const { questions, intake } = taking();
    const server = await listening({ intake });
    server.command({ ...ada, channel: '@ada', name: 'research', options: { question: 'x'.repeat(4_000) } });
    await vi.waitFor(() => expect(questions).toHaveLength(1));
    expect(questions[0]).toMatchObject({ research: { effort: 'medium', notify: 'here' }, overrides: {} });
    expect(questions[0]?.text).toHaveLength(4_000);
    await vi.waitFor(() => expect(written(server, '@ada')[0]?.content).toMatch(/^> x+…$/));
  });

  test('with sites that are none begins nothing and says so to the asker alone', async () => {
    const { questions, intake } = taking();
    const server = await listening({ intake });
    const options = { question: 'How tall?', sites: 'wikipedia' };
    const { id } = server.command({ ...ada, name: 'research', options });
    await vi.waitFor(() => expect(responseTo(server, id)?.ephemeral[0]?.content).toContain('-example.com'));
    expect(questions).toEqual([]);
  });

  test('is deferred while the store is slow', async () => {
    const gate = Promise.withResolvers<Accepted>();
    const { intake } = taking(() => gate.promise);
    const server = await listening({ intake });
    const { id } = server.command({ ...ada, name: 'research', options: { question: 'How tall?' } });
    await vi.waitFor(() => expect(responseTo(server, id)?.responseType).toBe(5), 4_000);
    gate.resolve('accepted');
    await vi.waitFor(() => expect(responseTo(server, id)?.response?.content).toBe('> How tall?'));
  });

  test('that is refused leaves the reason to the core, for the asker alone', async () => {
    const { intake } = taking(async () => 'busy');
    const server = await listening({ intake });
    const { id } = server.command({ ...ada, name: 'research', options: { question: 'How tall?' } });
    await vi.waitFor(() => expect(responseTo(server, id)?.ephemeral).toHaveLength(1));
    expect(written(server, 'general').filter(({ flags }) => (flags & MessageFlags.Ephemeral) === 0)).toEqual(
      [],
    );
  });
});

describe('/jobs', () => {
  test.each([
    ['list', {}, null],
    ['status', { id: ' R-4F2K ' }, 'R-4F2K'],
    ['stop', { id: 'r-4f2k' }, 'r-4f2k'],
  ])('%s runs it and answers the person alone', async (action, options, wanted) => {
    const { research, requests } = researchSaying(async () => 'R-4F2K · running · *How* tall? @everyone');
    const server = await listening({ research });
    const { id } = server.command({ ...ada, name: 'jobs', subcommand: action, options });
    await vi.waitFor(() => expect(responseTo(server, id)?.ephemeral[0]?.content).toContain('\\*How\\*'));
    const person = { id: server.people[0]?.id, name: 'Ada' };
    const where = { platform: 'discord', workspace: server.guild.id };
    expect(requests).toEqual([{ ...where, person, action, job: wanted }]);
    expect(responseTo(server, id)?.ephemeral[0]?.mentions).toEqual([]);
  });

  test('works in direct messages; a long list goes on in further messages, none lost', async () => {
    const lines = Array.from({ length: 60 }, (_, i) => `R-${i + 1000} · done · ${'a question '.repeat(8)}`);
    const { research, requests } = researchSaying(async () => lines.join('\n'));
    const server = await listening({ research });
    const { id } = server.command({ ...ada, channel: '@ada', name: 'jobs', subcommand: 'list' });
    await vi.waitFor(() => expect(responseTo(server, id)?.ephemeral).toHaveLength(4));
    const said = responseTo(server, id)?.ephemeral.map(({ content }) => content) ?? [];
    expect(said.every((page) => page.length <= 2_000)).toBe(true);
    expect(said.join('\n').match(/R-\d{4}/g)).toHaveLength(60);
    expect(requests[0]?.workspace).toBe('@me');
  });

  test('research commands that are slow are waited for, still for the person alone', async () => {
    const gate = Promise.withResolvers<string>();
    const { research } = researchSaying(() => gate.promise);
    const server = await listening({ research });
    const { id } = server.command({ ...ada, name: 'jobs', subcommand: 'list' });
    await vi.waitFor(() => expect(responseTo(server, id)?.responseType).toBe(5), 4_000);
    gate.resolve('Nothing is running.');
    await vi.waitFor(() =>
      expect(responseTo(server, id)?.ephemeral[0]?.content).toContain('Nothing is running'),
    );
  });

  test.each([
    ['fails', researchSaying(() => Promise.reject(new Error('store down'))).research],
    ['is not there', undefined],
  ])('research commands that are missing or fail are said in plain words: %s', async (_, research) => {
    const server = await listening(research ? { research } : {});
    const { id } = server.command({ ...ada, name: 'jobs', subcommand: 'list' });
    await vi.waitFor(() => expect(responseTo(server, id)?.ephemeral[0]?.content).toContain('try again'));
  });
});

describe('typing a job’s id', () => {
  const typing = { ...ada, name: 'jobs', subcommand: 'stop', option: 'id', typed: ' R-4' };
  const chosen = (server: DiscordServer, id: string) => responseTo(server, id)?.choices;

  test('is completed with own jobs, as many and as long as Discord takes', async () => {
    const found = Array.from({ length: 40 }, (_, i) => ({
      job: `R-4F${i}`,
      label: `R-4F${i} · ${'😀'.repeat(80)}`,
    }));
    const { research, prefixes } = researchSaying(
      async () => '',
      async () => found,
    );
    const server = await listening({ research });
    const { id } = server.autocomplete(typing);
    await vi.waitFor(() => expect(chosen(server, id)).toHaveLength(25));
    expect(chosen(server, id)?.[0]).toMatchObject({
      value: 'R-4F0',
      name: expect.stringMatching(/^R-4F0 · 😀+$/u),
    });
    expect(prefixes).toEqual(['R-4']);
  });

  test.each([
    ['slow', () => new Promise<never>(() => {})],
    ['failing', () => Promise.reject(new Error('store down'))],
  ])('a list of jobs that is %s completes nothing, in time', async (_, choices) => {
    const { research } = researchSaying(async () => '', choices);
    const server = await listening({ research });
    const { id } = server.autocomplete(typing);
    await vi.waitFor(() => expect(chosen(server, id)).toEqual([]), 2_900);
  });

  test('without research it completes nothing', async () => {
    const server = await listening({});
    const { id } = server.autocomplete(typing);
    await vi.waitFor(() => expect(chosen(server, id)).toEqual([]));
  });
});

test('“Dig deeper” goes to the core with the answer it stands under', async () => {
  const { presses, intake } = taking();
  const server = await listening({ intake });
  const question = '00000000-0000-5000-8000-00000000000a';
  const customId = `footnote:research:${question}`;
  const components = [
    { type: 1, components: [{ type: 2, style: 2, label: 'Dig deeper', custom_id: customId }] },
  ];
  const url = `${server.apiUrl}/v10/channels/${server.channels[0]?.id}/messages`;
  const headers = { authorization: `Bot ${server.token}`, 'content-type': 'application/json' };
  await fetch(url, {
    method: 'POST',
    headers,
    body: JSON.stringify({ content: 'It is 330 m.', components, allowed_mentions: { parse: [] } }),
  });
  const [answer] = written(server, 'general');
  const { id } = server.press({ ...ada, message: answer?.id ?? '', customId });
  await vi.waitFor(() => expect(responseTo(server, id)?.ephemeral[0]?.content).toContain('R-4F2K'));
  expect(presses).toMatchObject([{ action: 'research', question, presser: { name: 'Ada' }, press: id }]);
});
