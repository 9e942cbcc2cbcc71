/** Discord's limits: those that are known are kept, and what a 429 says is honoured. */
import { afterEach, expect, test, vi } from 'vitest';
import type { DiscordServer } from '../../servers/discord/discord-server.ts';
import type { RecordedCall } from '../../servers/discord/recording.ts';
import { answerOf, channelId, createTown, mention, steppedModel, written } from './setup.ts';

const town = createTown();
afterEach(() => town.end());

const POST = 'POST /channels/:channel/messages';
const EDIT = 'PATCH /channels/:channel/messages/:message';
const THREAD = 'POST /channels/:channel/messages/:message/threads';

function callsOf({ calls }: DiscordServer, name: string): readonly RecordedCall[] {
  return calls.filter(({ method, route }) => `${method} ${route}` === name);
}

function ask(server: DiscordServer, channel: string, count = 1): readonly string[] {
  return Array.from({ length: count }, (_, n) =>
    server.say({ user: 'ada', channel, content: mention(server, `Question ${n}`) }),
  );
}

/** How many answers stand in a channel, or in a thread that may not be there yet. */
function whole(server: DiscordServer, channel: string): number {
  if (!server.channels.some(({ id }) => id === channel)) return 0;
  return written(server, channel).filter(({ content }) => content.includes('Tower facts')).length;
}

test('beyond what a channel takes in new threads, answers are replies', async () => {
  const server = await town.server({ limits: 'real' });
  await town.footnote(server);
  const ids = ask(server, 'random', 52);
  const answered = (): number =>
    ids.filter((id) => whole(server, id) === 1).length + whole(server, channelId(server, 'random'));
  await vi.waitFor(() => expect(answered()).toBe(52), 25_000);
  expect(callsOf(server, THREAD).length).toBeGreaterThan(40);
  // The limit of 50 is shared by everybody in the channel: some of it is left to them.
  expect(callsOf(server, THREAD).length).toBeLessThan(50);
  expect(server.calls.filter(({ status }) => status === 429)).toEqual([]);
}, 40_000);

test('answers that end without an edit leave the edits of their channel to others', async () => {
  const server = await town.server({ limits: 'real' });
  const model = steppedModel((index) => (index < 6 ? [] : answerOf('One. ', 'Two. ', 'Three. ')));
  await town.footnote(server, { model });
  const direct = channelId(server, '@ada');
  // A model that ends without a word: one message says so, and nothing is edited.
  for (let n = 1; n <= 6; n++) {
    ask(server, '@ada');
    await vi.waitFor(() => expect(written(server, direct)).toHaveLength(n), 10_000);
  }
  expect(callsOf(server, EDIT)).toEqual([]);
  ask(server, '@ada');
  model.step();
  await vi.waitFor(() => expect(written(server, direct)[6]?.content).toContain('One.'), 10_000);
  model.step();
  await vi.waitFor(() => expect(written(server, direct)[6]?.content).toContain('Two.'), 10_000);
  expect(written(server, direct)[6]?.content).toContain('▌');
}, 40_000);

test('a 429 stops what else goes into the channel, and nothing elsewhere', async () => {
  const server = await town.server();
  await town.footnote(server);
  const closed = channelId(server, 'no-threads');
  server.fault(`POST /channels/${closed}/messages`, { retryAfter: 2 });
  ask(server, 'no-threads', 3);
  await vi.waitFor(() => expect(callsOf(server, POST).some(({ status }) => status === 429)).toBe(true));
  const [id = ''] = ask(server, 'general');
  await vi.waitFor(() => expect(whole(server, id)).toBe(1));
  expect(whole(server, closed)).toBe(0);
  await vi.waitFor(() => expect(whole(server, closed)).toBe(3), 10_000);
  expect(server.calls.filter(({ insideRetryAfter }) => insideRetryAfter)).toEqual([]);
  expect(server.calls.filter(({ status }) => status === 429)).toHaveLength(1);
}, 20_000);

test('a global 429 stops everything for as long as it says', async () => {
  const server = await town.server();
  await town.footnote(server);
  server.fault(POST, { retryAfter: 3, scope: 'global' });
  const ids = ask(server, 'general', 5);
  const refusal = () => server.calls.find(({ status }) => status === 429);
  await vi.waitFor(() => expect(refusal()).toBeDefined());
  const more = [...ids, ...ask(server, 'random', 2)];
  // Whoever waited too long for a thread is answered in the channel.
  const channels = [...more, channelId(server, 'general'), channelId(server, 'random')];
  const answered = () => channels.reduce((sum, id) => sum + whole(server, id), 0);
  await vi.waitFor(() => expect(answered()).toBe(7), 20_000);
  const since = server.calls.map(({ at }) => at - (refusal()?.at ?? 0));
  // What was under way when it came cannot be called back.
  expect(since.filter((ms) => ms > 1_000 && ms < 3_000)).toEqual([]);
  expect(since.filter((ms) => ms >= 3_000).length).toBeGreaterThan(5);
});

test('a bucket that says it is used up is left alone until its reset', async () => {
  const server = await town.server();
  await town.footnote(server);
  const closed = channelId(server, 'no-threads');
  const headers = { 'x-ratelimit-limit': '1', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset-after': '2' };
  server.fault(`POST /channels/${closed}/messages`, { status: 500, headers });
  ask(server, 'no-threads');
  await vi.waitFor(() => expect(whole(server, closed)).toBe(1), 10_000);
  const [refused, repeated] = callsOf(server, POST);
  expect((repeated?.at ?? 0) - (refused?.at ?? 0)).toBeGreaterThanOrEqual(2_000);
}, 20_000);
