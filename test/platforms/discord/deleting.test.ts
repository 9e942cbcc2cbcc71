/** What deleting does to an answer that is being written. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Model } from '../../../src/core/ports.ts';
import type { DiscordServer } from '../../servers/discord/discord-server.ts';
import { answerOf, createTown, mention, promptModel, written } from './setup.ts';

const town = createTown();
afterEach(() => town.end());

/** A model that begins an answer, and ends it only when it is told to stop. */
function endlessModel() {
  let stopped = 0;
  const model: Model = {
    async *answer(_, signal) {
      yield { type: 'text', text: 'The tower is ' };
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve());
      });
      stopped++;
      signal.throwIfAborted();
    },
  };
  return { model, stopped: () => stopped };
}

async function growing(server: DiscordServer, text: string): Promise<string> {
  const asked = server.say({ user: 'ada', channel: 'general', content: mention(server, text) });
  await vi.waitFor(() => expect(written(server, asked)[0]?.content).toContain('The tower is'), 5_000);
  return asked;
}

describe('an answer ends when its question is deleted', () => {
  test.each([
    [
      'alone',
      (server: DiscordServer, asked: string) => server.remove({ channel: 'general', message: asked }),
    ],
    [
      'among others',
      (server: DiscordServer, asked: string) => {
        const other = server.say({ user: 'grace', channel: 'general', content: 'spam' });
        server.removeAll({ channel: 'general', messages: [other, asked] });
      },
    ],
  ])('%s', async (_, remove) => {
    const server = await town.server();
    const { model, stopped } = endlessModel();
    await town.footnote(server, { model });
    const asked = await growing(server, 'How tall?');
    expect(stopped()).toBe(0);
    remove(server, asked);
    await vi.waitFor(() => expect(stopped()).toBe(1), 5_000);
  });

  test('in a direct conversation', async () => {
    const server = await town.server();
    const { model, stopped } = endlessModel();
    await town.footnote(server, { model });
    const asked = server.say({ user: 'ada', channel: '@ada', content: 'How tall?' });
    await vi.waitFor(() => expect(written(server, '@ada')[0]?.content).toContain('The tower is'), 5_000);
    server.remove({ channel: '@ada', message: asked });
    await vi.waitFor(() => expect(stopped()).toBe(1), 5_000);
  });
});

test('it goes on when something else is deleted: what others said, and an earlier answer of ours', async () => {
  const server = await town.server();
  const { model, stopped } = endlessModel();
  let asked = 0;
  const prompt = promptModel(() => answerOf('An answer.'));
  const first: Model = {
    answer: (...args) => (asked++ === 0 ? prompt.answer(...args) : model.answer(...args)),
  };
  const footnote = await town.footnote(server, { model: first });
  const thread = server.say({ user: 'ada', channel: 'general', content: mention(server, 'How old?') });
  await vi.waitFor(() => expect(written(server, thread)[0]?.content).toContain('Tower facts'), 5_000);
  server.say({ user: 'ada', channel: thread, content: 'And how tall?' });
  await vi.waitFor(() => expect(written(server, thread)[1]?.content).toContain('The tower is'), 5_000);

  const other = server.say({ user: 'grace', channel: 'general', content: 'never mind me' });
  server.remove({ channel: 'general', message: other });
  server.remove({ channel: thread, message: written(server, thread)[0]?.id ?? '' });
  server.say({ user: 'grace', channel: '@grace', content: 'after' });
  await vi.waitFor(() => expect(footnote.heard.map(({ question }) => question.text)).toContain('after'));
  expect(stopped()).toBe(0);
  expect(written(server, thread)[0]?.content).toContain('The tower is');
});
