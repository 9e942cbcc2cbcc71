/** Where commands, shortcuts and buttons are answered, and that no response to one ever notifies anybody. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Intake } from '../../../src/core/ports.ts';
import type { DiscordServer } from '../../servers/discord/discord-server.ts';
import { answerOf, createTown, mention, promptModel, written } from './setup.ts';

const town = createTown();
afterEach(() => town.end());

const responseTo = (server: DiscordServer, id: string) =>
  server.interactions.find((interaction) => interaction.id === id);

/** The custom id of a button of a message, by the action it carries. */
function customIdOf(server: DiscordServer, channel: string, message: string): string {
  const components = server.history(channel).find(({ id }) => id === message)?.components;
  return /footnote:\w+:[\w-]+/.exec(JSON.stringify(components))?.[0] ?? '';
}

/** What was sent to the routes of interactions, response or follow-up, with text in it. */
function responses(server: DiscordServer): Record<string, unknown>[] {
  const routes = server.calls.filter(
    ({ method, route }) => /^\/(?:interactions|webhooks)\//.test(route) && method !== 'GET',
  );
  return routes
    .map(({ body }) => body as Record<string, unknown>)
    .map((body) => (body['data'] as Record<string, unknown> | undefined) ?? body)
    .filter((data) => typeof data['content'] === 'string');
}

describe('in a thread', () => {
  test('/ask is answered right there', async () => {
    const server = await town.server();
    await town.footnote(server);
    const thread = server.makeThread({ user: 'ada', channel: 'general', name: 'talk' });
    server.command({ user: 'ada', channel: thread, name: 'ask', options: { question: 'How tall?' } });
    await vi.waitFor(() => expect(written(server, thread)[1]?.content).toContain('Tower facts'), 5_000);
    expect(written(server, thread)[0]?.content).toBe('> How tall?');
    expect(server.channels.filter(({ kind }) => kind === 'thread')).toHaveLength(1);
    expect(written(server, 'general')).toEqual([]);
  });

  test('“Ask about this” is answered right there', async () => {
    const server = await town.server();
    const model = promptModel(() => answerOf('An answer.'));
    await town.footnote(server, { model });
    const thread = server.makeThread({ user: 'ada', channel: 'general', name: 'talk' });
    const message = server.say({ user: 'grace', channel: thread, content: 'The tower is 330 m' });
    server.messageCommand({ user: 'ada', channel: thread, message, name: 'Ask about this' });
    await vi.waitFor(() => expect(written(server, thread)[0]?.content).toContain('Tower facts'), 5_000);
    expect(JSON.stringify(model.requests.at(-1)?.messages)).toContain('The tower is 330 m');
    expect(server.channels.filter(({ kind }) => kind === 'thread')).toHaveLength(1);
  });
});

test('a command of somebody else’s making asks nothing, and that is said to its person alone', async () => {
  const server = await town.server();
  const footnote = await town.footnote(server);
  const { id } = server.command({
    user: 'ada',
    channel: '@ada',
    name: 'weather',
    options: { question: 'Rain?' },
  });
  await vi.waitFor(() => expect(responseTo(server, id)?.ephemeral[0]?.content).toContain('/ask'));
  expect(footnote.heard).toEqual([]);
});

test('no response to an interaction can notify anybody', async () => {
  const server = await town.server();
  const gate = Promise.withResolvers<void>();
  const intake = (core: Intake): Intake => ({
    ...core,
    async accept(question) {
      if (question.text.startsWith('down')) throw new Error('store down');
      if (question.text.startsWith('slow')) await gate.promise;
      return core.accept(question);
    },
    press: async () => ({ type: 'text', text: 'Only @everyone may' }),
  });
  const research = {
    run: async () => `R-4F2K @everyone\n${'x'.repeat(1_500)}\n${'y'.repeat(1_500)}`,
    choices: async () => [],
  };
  await town.footnote(server, { intake, research });
  const ask = (question: string) =>
    server.command({ user: 'ada', channel: 'general', name: 'ask', options: { question } });
  const said = server.say({ user: 'grace', channel: 'general', content: 'The tower is 330 m' });
  const ids = [
    ask('quick @everyone'),
    ask('down @everyone'),
    ask('slow @everyone'),
    server.messageCommand({ user: 'ada', channel: 'general', message: said, name: 'Ask about this' }),
    server.command({ user: 'ada', channel: 'general', name: 'jobs', subcommand: 'list' }),
    server.command({ user: 'ada', channel: 'general', name: 'unknown', options: {} }),
  ].map(({ id }) => id);
  await vi.waitFor(() => expect(responseTo(server, ids[2] ?? '')?.responseType).toBe(5), 4_000);
  gate.resolve();
  await vi.waitFor(() => {
    for (const id of ids) {
      const { response, ephemeral = [] } = responseTo(server, id) ?? {};
      expect(response?.content || ephemeral[0]?.content).toBeTruthy();
    }
  }, 5_000);
  await vi.waitFor(() => expect(responses(server).length).toBeGreaterThanOrEqual(7), 5_000);
  for (const data of responses(server)) expect(data['allowed_mentions']).toMatchObject({ parse: [] });
});

test('the press of a button is responded to without notifying anybody', async () => {
  const server = await town.server();
  const intake = (core: Intake): Intake => ({
    ...core,
    press: async () => ({ type: 'text', text: 'Only @everyone may' }),
  });
  const model = {
    // oxlint-disable-next-line require-yield -- it fails before the first word
    async *answer() {
      throw new Error('a failed answer has a button to try it again');
    },
  };
  await town.footnote(server, { intake, model });
  server.say({ user: 'ada', channel: '@ada', content: mention(server, 'Hi') });
  await vi.waitFor(() => expect(written(server, '@ada')[0]?.components.length).toBe(1), 5_000);
  const id = written(server, '@ada')[0]?.id ?? '';
  const pressed = server.press({
    user: 'ada',
    channel: '@ada',
    message: id,
    customId: customIdOf(server, '@ada', id),
  });
  await vi.waitFor(() => expect(responseTo(server, pressed.id)?.ephemeral[0]?.content).toContain('Only'));
  expect(responses(server)).toHaveLength(1);
  for (const data of responses(server)) expect(data['allowed_mentions']).toMatchObject({ parse: [] });
});
