/** Calls that Discord accepts and never answers: each ends in the time limit, and the answer comes all the same. */
import { expect, type TestContext, test, vi } from 'vitest';
import type { DiscordServer } from '../../servers/discord/discord-server.ts';
import { answerOf, channelId, createTown, mention, promptModel, steppedModel, written } from './setup.ts';

/** The tests of this file run at the same time: each has a town of its own. */
function open({ onTestFinished }: TestContext): ReturnType<typeof createTown> {
  const town = createTown();
  onTestFinished(() => town.end());
  return town;
}

/** Longer than our time limit of 10 s, shorter than the 15 s that discord.js waits by itself. */
const LIMIT_MS = 14_000;

/** How long after a call that was never answered the same one was made again. */
function repeatedAfterMs({ calls }: DiscordServer, method: string, path: RegExp): number {
  const same = calls.filter((call) => call.method === method && path.test(call.path));
  const hung = same.findIndex(({ fault }) => fault === 'hang' || fault === 'commit-then-hang');
  return (same[hung + 1]?.at ?? Number.POSITIVE_INFINITY) - (same[hung]?.at ?? 0);
}

test.concurrent('the start of a thread', async (context) => {
  const town = open(context);
  const server = await town.server();
  server.fault('POST /channels/:channel/messages/:message/threads', 'hang');
  await town.footnote(server);
  const id = server.say({ user: 'ada', channel: 'general', content: mention(server, 'Hi') });
  await vi.waitFor(() => expect(written(server, id)[0]?.content).toContain('Tower facts'), 20_000);
  expect(repeatedAfterMs(server, 'POST', /threads$/)).toBeLessThan(LIMIT_MS);
}, 30_000);

test.concurrent('a post that was carried out stands there once', async (context) => {
  const town = open(context);
  const server = await town.server();
  server.fault('POST /channels/:channel/messages', 'commit-then-hang');
  await town.footnote(server);
  const id = server.say({ user: 'ada', channel: 'general', content: mention(server, 'Hi') });
  const repeated = () => expect(repeatedAfterMs(server, 'POST', /messages$/)).toBeLessThan(LIMIT_MS);
  await vi.waitFor(repeated, 20_000);
  await vi.waitFor(() => expect(written(server, id)[0]?.content).toContain('Tower facts'), 20_000);
  expect(written(server, id)).toHaveLength(1);
}, 30_000);

test.concurrent('the edit that ends an answer', async (context) => {
  const town = open(context);
  const server = await town.server();
  const model = steppedModel(() => answerOf('One. ', 'Two.'));
  await town.footnote(server, { model });
  const id = server.say({ user: 'ada', channel: 'general', content: mention(server, 'Hi') });
  model.step();
  await vi.waitFor(() => expect(written(server, id)).toHaveLength(1), 10_000);
  server.fault('PATCH /channels/:channel/messages/:message', 'hang');
  model.step(Number.POSITIVE_INFINITY);
  await vi.waitFor(() => expect(written(server, id)[0]?.content).toContain('Tower facts'), 20_000);
  expect(repeatedAfterMs(server, 'PATCH', /messages/)).toBeLessThan(LIMIT_MS);
}, 30_000);

test.concurrent('the reading of a thread does not keep the model waiting', async (context) => {
  const town = open(context);
  const server = await town.server();
  const thread = server.makeThread({ user: 'ada', channel: 'general', name: 'talk' });
  server.fault(`GET /channels/${thread}/messages`, 'hang', 5);
  const model = promptModel(() => answerOf('An answer.'));
  await town.footnote(server, { model });
  server.say({ user: 'ada', channel: thread, content: mention(server, 'And now?') });
  await vi.waitFor(() => expect(written(server, thread)[0]?.content).toContain('An answer.'), 5_000);
}, 30_000);

test.concurrent('a direct message', async (context) => {
  const town = open(context);
  const server = await town.server();
  const { app } = await town.footnote(server);
  const ada = server.people.find(({ username }) => username === 'ada')?.id ?? '';
  server.fault(`POST /channels/${channelId(server, '@ada')}/messages`, 'hang');
  const startedAt = performance.now();
  const sent = app.platform.directMessage(server.guild.id, ada, 'Hello');
  await expect(sent).rejects.toMatchObject({ kind: 'unreachable' });
  expect(performance.now() - startedAt).toBeLessThan(LIMIT_MS);
}, 30_000);
