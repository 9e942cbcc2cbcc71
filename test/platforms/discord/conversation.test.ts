import { MessageFlags } from 'discord.js';
import { afterEach, expect, test, vi } from 'vitest';
import { answerOf, channelId, createTown, mention, promptModel, steppedModel, written } from './setup.ts';

const town = createTown();
afterEach(() => town.end());

test('a mention is answered in a thread started from it, growing before one’s eyes', async () => {
  const server = await town.server();
  const pieces = ['The tower is ', '330 m tall ', 'since 2022 [1].\n\nIt was ', '312 m before [2].'];
  const model = steppedModel(() => answerOf(...pieces));
  await town.footnote(server, { model });
  const id = server.say({ user: 'ada', channel: 'general', content: mention(server, 'How tall is it?') });

  await vi.waitFor(() => expect(server.typing.map(({ channel }) => channel)).toContain(id));
  const seen: string[] = [];
  for (const _ of pieces) {
    model.step();
    const before = seen.at(-1);
    await vi.waitFor(() => expect(written(server, id)[0]?.content ?? before).not.toBe(before), 5_000);
    seen.push(written(server, id)[0]?.content ?? '');
  }
  model.step(Number.POSITIVE_INFINITY);
  await vi.waitFor(() => expect(written(server, id)[0]?.content).toContain('Tower facts'), 5_000);

  expect(new Set(seen).size).toBeGreaterThanOrEqual(3);
  expect(seen.every((text) => text.endsWith('▌'))).toBe(true);
  const [answer, ...more] = written(server, id);
  expect(more).toEqual([]);
  expect(answer?.content).toContain('[[1]](<https://tower.example/facts>)');
  expect(answer?.content).not.toContain('▌');
  expect(answer?.flags).toBe(MessageFlags.SuppressEmbeds);
  expect(server.channels.find((channel) => channel.id === id)?.name).toBe('How tall is it?');
  const edits = server.calls.filter(({ method }) => method === 'PATCH').map(({ at }) => at);
  const progress = edits.slice(0, -1);
  expect(progress.every((at, index) => index === 0 || at - (progress[index - 1] ?? 0) >= 1_150)).toBe(true);
});

test('a follow-up in the thread needs no mention and knows what was said', async () => {
  const server = await town.server();
  const model = promptModel((index) => answerOf(`Answer ${index + 1}.`));
  await town.footnote(server, { model });
  const id = server.say({ user: 'ada', channel: 'general', content: mention(server, 'How tall is it?') });
  await vi.waitFor(() => expect(written(server, id)[0]?.content).toContain('Answer 1.'));

  server.say({ user: 'ada', channel: id, content: 'And how old?' });
  await vi.waitFor(() => expect(written(server, id)[1]?.content).toContain('Answer 2.'));
  expect(JSON.stringify(model.requests[1]?.messages)).toContain('How tall is it?');
  expect(written(server, id)[1]?.referencedMessage).toBeNull();
});

test('a direct message is answered below it', async () => {
  const server = await town.server();
  await town.footnote(server);
  server.say({ user: 'grace', channel: '@grace', content: 'Hello?' });
  await vi.waitFor(() => expect(written(server, '@grace')[0]?.content).toContain('An answer.'));
});

test('where no thread may be started the answer is a reply, and replies go on from it', async () => {
  const server = await town.server();
  const model = promptModel((index) => answerOf(`Answer ${index + 1}.`));
  await town.footnote(server, { model });
  const asked = server.say({ user: 'ada', channel: 'no-threads', content: mention(server, 'How tall?') });
  await vi.waitFor(() => expect(written(server, 'no-threads')[0]?.content).toContain('Answer 1.'));
  expect(written(server, 'no-threads')[0]?.referencedMessage).toBe(asked);

  const answer = written(server, 'no-threads')[0]?.id ?? '';
  const again = server.say({
    user: 'ada',
    channel: 'no-threads',
    content: 'How old?',
    replyTo: answer,
    ping: false,
  });
  await vi.waitFor(() => expect(written(server, 'no-threads')[1]?.content).toContain('Answer 2.'));
  expect(written(server, 'no-threads')[1]?.referencedMessage).toBe(again);
  expect(JSON.stringify(model.requests[1]?.messages)).toContain('How tall?');

  server.say({ user: 'ada', channel: 'no-threads', content: mention(server, 'Something else') });
  await vi.waitFor(() => expect(written(server, 'no-threads')).toHaveLength(3));
  const starts = server.calls.filter(({ route }) => route.endsWith('/threads'));
  expect(starts, 'a refusal is remembered').toHaveLength(1);
});

test('where the bot may not write the asker is told which permission is missing', async () => {
  const server = await town.server();
  await town.footnote(server);
  server.say({ user: 'ada', channel: 'read-only', content: mention(server, 'How tall?') });
  await vi.waitFor(() => expect(written(server, '@ada')[0]?.content).toContain('"Send Messages"'));
});

test('bots, everyone-mentions and plain talk are not answered', async () => {
  const server = await town.server();
  const footnote = await town.footnote(server);
  server.otherBot({ channel: 'general', content: mention(server, 'hi') });
  server.otherBot({ channel: 'general', content: mention(server, 'hi'), webhook: true });
  server.everyone({ user: 'ada', channel: 'general', content: '@everyone hi' });
  server.say({ user: 'ada', channel: 'general', content: 'hi' });
  server.say({ user: 'ada', channel: 'general', content: mention(server, 'now you') });
  await vi.waitFor(() => expect(footnote.heard).toHaveLength(1));
  expect(footnote.heard[0]?.question.text).toBe('now you');
});

test('an edit that adds the mention asks once', async () => {
  const server = await town.server();
  const footnote = await town.footnote(server);
  const id = server.say({ user: 'ada', channel: 'general', content: 'How tall?' });
  server.edit({ channel: 'general', message: id, content: mention(server, 'How tall?') });
  await vi.waitFor(() => expect(written(server, id)).toHaveLength(1));
  server.edit({ channel: 'general', message: id, content: mention(server, 'How very tall?') });
  server.say({ user: 'ada', channel: '@ada', content: 'after' });
  await vi.waitFor(() => expect(written(server, '@ada')).toHaveLength(1));
  await vi.waitFor(() => expect(footnote.heard.map(({ result }) => result)).toContain('duplicate'));
  expect(footnote.heard.filter(({ result }) => result === 'accepted')).toHaveLength(2);
  expect(written(server, id)).toHaveLength(1);
});

test('a thread begun by people is read when the bot is called into it', async () => {
  const server = await town.server();
  const model = promptModel(() => answerOf('An answer.'));
  await town.footnote(server, { model });
  const root = server.say({ user: 'ada', channel: 'general', content: 'The tower looks tall' });
  const thread = server.makeThread({ user: 'ada', channel: 'general', name: 'tower', message: root });
  server.say({ user: 'grace', channel: thread, content: 'I guess 300 m' });
  server.say({ user: 'ada', channel: thread, content: mention(server, 'who is right?') });
  await vi.waitFor(() => expect(written(server, thread)).toHaveLength(1));
  const told = JSON.stringify(model.requests[0]?.messages);
  expect(told).toContain('The tower looks tall');
  expect(told).toContain('I guess 300 m');
  expect(told.match(/who is right/g)).toHaveLength(1);
  expect(channelId(server, 'general')).not.toBe(thread);
});
