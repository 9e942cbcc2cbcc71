/** Footnote stops in order while its store is slow: what had arrived is heard by the next process. */
import { afterEach, expect, test, vi } from 'vitest';
import type { Intake, KeyValue } from '../../../src/core/ports.ts';
import { openDiscord } from '../../../src/platforms/discord/app.ts';
import { memoryKeyValue, quietLog } from '../../core/fakes.ts';
import { createTown, type Footnote, mention } from './setup.ts';

const town = createTown();
afterEach(() => town.end());

const accepted = (footnote: Footnote): string[] =>
  footnote.heard.filter(({ result }) => result === 'accepted').map(({ question }) => question.text);

/** What processes with one store have taken together. */
function sharedStore() {
  const known = new Set<string>();
  return (core: Intake): Intake => ({
    ...core,
    async accept(question) {
      if (known.has(question.id)) return 'duplicate';
      const result = await core.accept(question);
      known.add(question.id);
      return result;
    },
  });
}

test('what is being stored when the process stops is waited for', async () => {
  const server = await town.server();
  const gate = Promise.withResolvers<void>();
  let asked = 0;
  const slow = (core: Intake): Intake => ({
    ...core,
    async accept(question) {
      asked++;
      await gate.promise;
      return core.accept(question);
    },
  });
  const footnote = await town.footnote(server, { intake: slow });
  server.say({ user: 'ada', channel: 'general', content: mention(server, 'slow') });
  await vi.waitFor(() => expect(asked).toBe(1));
  const stopped = footnote.stop();
  await vi.waitFor(() => expect(server.gateway.sessions()).toBe(0));
  gate.resolve();
  await stopped;
  expect(accepted(footnote)).toEqual(['slow']);
});

test('what could not be stored is heard by the next process, in order and once', async () => {
  const server = await town.server();
  const sessions = memoryKeyValue();
  const store = sharedStore();
  let isDown = false;
  const down = (core: Intake): Intake => ({
    ...store(core),
    accept: (question) => (isDown ? Promise.reject(new Error('store down')) : store(core).accept(question)),
  });
  const first = await town.footnote(server, { sessions, intake: down });
  server.say({ user: 'ada', channel: '@ada', content: 'before' });
  await vi.waitFor(() => expect(accepted(first)).toEqual(['before']));
  isDown = true;
  for (const text of ['one', 'two']) server.say({ user: 'ada', channel: '@ada', content: text });
  server.say({ user: 'grace', channel: 'general', content: mention(server, 'three') });
  await first.stop();
  server.say({ user: 'ada', channel: '@ada', content: 'four' });
  isDown = false;
  const second = await town.footnote(server, { sessions, intake: down });
  await vi.waitFor(() => expect(accepted(second)).toHaveLength(4), 12_000);
  expect(accepted(second).filter((text) => text !== 'three')).toEqual(['one', 'two', 'four']);
});

test('a process that stops before it has a session stops listening at once', async () => {
  const server = await town.server();
  const store = memoryKeyValue();
  const isIdentifying = Promise.withResolvers<void>();
  const sessions: KeyValue = {
    ...store,
    async get(key) {
      if (key.startsWith('identifies:')) isIdentifying.resolve();
      return store.get(key);
    },
  };
  await store.set(`identifies:${server.botUser.id}`, [[Date.now(), 0]]);
  const app = await openDiscord({
    token: server.token,
    apiUrl: server.apiUrl,
    messageContent: true,
    threads: 'always',
    log: quietLog,
  });
  const listening = app.listen(silentIntake, sessions).then(
    () => 'listens',
    () => 'ended',
  );
  await isIdentifying.promise;
  const before = performance.now();
  await app.stop();
  expect(await listening).toBe('ended');
  expect(performance.now() - before).toBeLessThan(4_000);
}, 40_000);

const silentIntake: Intake = {
  accept: async () => 'ignored',
  press: async () => null,
  stop: async () => {},
  withdraw: async () => {},
  overhear: async () => {},
  revise: async () => {},
};
