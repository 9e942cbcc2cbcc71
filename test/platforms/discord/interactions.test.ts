import { MessageFlags } from 'discord.js';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Failure } from '../../../src/core/failures.ts';
import type { Intake } from '../../../src/core/ports.ts';
import type { DiscordServer } from '../../servers/discord/discord-server.ts';
import { answerOf, createTown, promptModel, written } from './setup.ts';

const town = createTown();
afterEach(() => town.end());

function ask(server: DiscordServer, channel: string, question: string, options: Record<string, string> = {}) {
  return server.command({ user: 'ada', channel, name: 'ask', options: { question, ...options } });
}

const responseTo = (server: DiscordServer, id: string) =>
  server.interactions.find((interaction) => interaction.id === id);

describe('/ask', () => {
  test('restates the question and is answered in a thread under it', async () => {
    const server = await town.server();
    const model = promptModel(() => answerOf('An answer.'));
    const footnote = await town.footnote(server, { model });
    const { id } = ask(server, 'general', 'How tall?\n@everyone', { model: 'sonar-pro', recency: 'week' });
    await vi.waitFor(() => expect(responseTo(server, id)?.response?.content).toMatch(/^> How tall\?\n> @/));
    const root = responseTo(server, id)?.response;
    expect(root?.mentions).toEqual([]);
    await vi.waitFor(
      () => expect(written(server, root?.id ?? '')[0]?.content).toContain('Tower facts'),
      5_000,
    );
    expect(footnote.heard[0]?.question.overrides).toEqual({ profile: 'sonar-pro', recency: 'week' });
    expect(model.requests[0]?.options).toMatchObject({ profile: 'sonar-pro' });
    server.say({ user: 'ada', channel: root?.id ?? '', content: 'And why?' });
    await vi.waitFor(() => expect(written(server, root?.id ?? '')).toHaveLength(2));
  });

  test('in a thread or direct message the answer comes right below', async () => {
    const server = await town.server();
    await town.footnote(server);
    ask(server, '@ada', 'How tall?');
    await vi.waitFor(() => expect(written(server, '@ada')[1]?.content).toContain('Tower facts'), 5_000);
    expect(written(server, '@ada')[0]?.content).toBe('> How tall?');
  });

  test('where no thread may be started the answer replies to the restated question', async () => {
    const server = await town.server();
    await town.footnote(server);
    ask(server, 'no-threads', 'How tall?');
    await vi.waitFor(() => expect(written(server, 'no-threads')[1]?.content).toContain('Tower facts'), 5_000);
    const [root, answer] = written(server, 'no-threads');
    expect(answer?.referencedMessage).toBe(root?.id);
  });

  test('a response that never came into being is made up for', async () => {
    const server = await town.server();
    server.fault('POST /interactions/:interaction/:token/callback', 'reset-before');
    await town.footnote(server);
    ask(server, 'general', 'How tall?');
    await vi.waitFor(
      () => expect(written(server, 'general')[0]?.content).toBe('Ada asked:\n> How tall?'),
      6_000,
    );
    const root = written(server, 'general')[0]?.id ?? '';
    await vi.waitFor(() => expect(written(server, root)[0]?.content).toContain('Tower facts'));
  });

  test('a store that takes nothing is said to the asker alone', async () => {
    const server = await town.server();
    const down = (core: Intake): Intake => ({
      ...core,
      accept: () => Promise.reject(new Error('store down')),
    });
    await town.footnote(server, { intake: down });
    const { id } = ask(server, 'general', 'How tall?');
    await vi.waitFor(() => expect(responseTo(server, id)?.ephemeral[0]?.content).toContain('try again'));
  });

  test('a slow store is met by a deferred response that becomes the question', async () => {
    const server = await town.server();
    const gate = Promise.withResolvers<void>();
    const slow = (core: Intake): Intake => ({
      ...core,
      accept: async (question) => {
        await gate.promise;
        return core.accept(question);
      },
    });
    await town.footnote(server, { intake: slow });
    const { id } = ask(server, 'general', 'How tall?');
    await vi.waitFor(() => expect(responseTo(server, id)?.responseType).toBe(5), 4_000);
    gate.resolve();
    await vi.waitFor(() => expect(responseTo(server, id)?.response?.content).toBe('> How tall?'));
    const root = responseTo(server, id)?.response?.id ?? '';
    await vi.waitFor(() => expect(written(server, root)[0]?.content).toContain('Tower facts'), 5_000);
  });
});

describe('“Ask about this”', () => {
  test.each([
    ['in a thread started from the message', false],
    ['in the thread the message already has', true],
  ])('is answered %s', async (_, hasThread) => {
    const server = await town.server();
    const model = promptModel(() => answerOf('An answer.'));
    await town.footnote(server, { model });
    const message = server.say({ user: 'grace', channel: 'general', content: 'The tower is 330 m' });
    if (hasThread) server.makeThread({ user: 'grace', channel: 'general', name: 'x', message });
    const { id } = server.messageCommand({
      user: 'ada',
      channel: 'general',
      message,
      name: 'Ask about this',
    });
    await vi.waitFor(() => expect(written(server, message)[0]?.content).toContain('Tower facts'), 5_000);
    expect(JSON.stringify(model.requests[0]?.messages)).toContain('The tower is 330 m');
    expect(responseTo(server, id)?.ephemeral[0]?.content).toContain('thread');
  });
});

describe('buttons', () => {
  const failing = (server: DiscordServer, intake = (core: Intake): Intake => core) => {
    let asked = 0;
    const events = answerOf('Second try.');
    const model = {
      async *answer() {
        asked++;
        if (asked === 1) throw new Failure('too-slow', 'nothing came');
        yield* events;
      },
    };
    return town.footnote(server, { model, intake });
  };
  const pressed = async (server: DiscordServer, user: string) => {
    const id = server.say({ user: 'ada', channel: '@ada', content: 'Hi' });
    await vi.waitFor(() => expect(written(server, '@ada')[0]?.components.length).toBe(1), 5_000);
    const answer = written(server, '@ada')[0];
    const customId = /footnote:\w+:[\w-]+/.exec(JSON.stringify(answer?.components))?.[0] ?? '';
    expect(id).not.toBe(answer?.id);
    return server.press({ user, channel: '@ada', message: answer?.id ?? '', customId });
  };

  test('Retry asks again below', async () => {
    const server = await town.server();
    await failing(server);
    const { id } = await pressed(server, 'ada');
    await vi.waitFor(() => expect(responseTo(server, id)?.responseType).toBe(6));
    await vi.waitFor(() => expect(written(server, '@ada')[1]?.content).toContain('Second try.'), 5_000);
  });

  test('somebody else’s press is refused to them alone', async () => {
    const server = await town.server();
    await failing(server);
    const { id } = await pressed(server, 'grace');
    await vi.waitFor(() => expect(responseTo(server, id)?.ephemeral[0]?.content).toContain('Only Ada'));
    expect((responseTo(server, id)?.ephemeral[0]?.flags ?? 0) & MessageFlags.Ephemeral).toBe(
      MessageFlags.Ephemeral,
    );
  });

  test('120 sources reach the presser under the real limits', async () => {
    const server = await town.server({ limits: 'real' });
    const sources = Array.from({ length: 120 }, (_, index) => ({
      number: index + 1,
      url: `https://site${index}.example.org/${'path/'.repeat(8)}`,
      title: `Page ${index + 1} and what it is about, in many words`,
      date: '2026-11-03',
      snippet: `What page ${index} says about it. `.repeat(20),
    }));
    const press = async () => ({ type: 'sources', sources }) as const;
    await failing(server, (core) => ({ ...core, press }));
    const { id } = await pressed(server, 'ada');
    const list = (): string =>
      responseTo(server, id)
        ?.ephemeral.map(({ content }) => content)
        .join('\n') ?? '';
    await vi.waitFor(() => expect(list()).toContain('-# 120 · [Page 120'), 15_000);
    for (const { number } of sources) expect(list()).toContain(`-# ${number} · [Page ${number} `);
  });

  test('a command of another version is answered with a word', async () => {
    const server = await town.server();
    await town.footnote(server);
    const { id } = server.command({ user: 'ada', channel: 'general', name: 'old', options: {} });
    await vi.waitFor(() => expect(responseTo(server, id)?.ephemeral[0]?.content).toContain('/ask'));
  });
});
