import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SlackServer } from '../../servers/slack/server.ts';
import { answersTo, askIn, connect, failureOf, fresh, GENERAL, openApp, unpaced, view } from './setup.ts';

let connected: Awaited<ReturnType<typeof connect>>;
let server: SlackServer;
beforeEach(async () => {
  connected = await connect();
  server = connected.server;
});
afterEach(() => connected.close());

const LONG = Array.from({ length: 160 }, (_, i) => `Paragraph ${i} ${'word '.repeat(18)}`).join('\n\n');
const DONE = view({ state: 'done', text: 'The whole answer.', footer: 'sonar' });

/** What another process would make of it: nothing is shared but the stand-in and what was recorded. */
async function secondAttempt(
  question: ReturnType<typeof askIn>,
  recorded: ReturnType<typeof fresh>['recorded'],
) {
  const app = await openApp(server);
  const attempt = fresh(2, recorded.messages);
  const reply = unpaced(app.platform, question, attempt.start);
  return { reply, recorded: attempt.recorded };
}

describe('a second attempt', () => {
  test('finds the root of an /ask and its answer also where nothing can be read', async () => {
    const question = { ...askIn(server), thread: null, message: null, trigger: 'command' } as const;
    for (const method of ['conversations.history', 'conversations.replies'])
      server.fault(method, { error: 'missing_scope' }, Number.POSITIVE_INFINITY);
    const first = fresh();
    const { thread } = await unpaced(connected.app.platform, question, first.start).open();
    const second = await secondAttempt(question, first.recorded);
    await second.reply.show(view({ text: 'Half of an ans' }));
    const third = await secondAttempt(question, second.recorded);
    await third.reply.show(DONE);
    await third.reply.close();
    const written = server.history(GENERAL).filter((message) => message.bot);
    expect(written.map(({ ts, threadTs }) => threadTs ?? ts)).toEqual([thread, thread]);
    expect(written[1]).toMatchObject({ text: 'The whole answer.\nsonar', streaming: false });
  });

  test('ends the stream the first left open and rewrites its message', async () => {
    const question = askIn(server);
    const first = fresh();
    await unpaced(connected.app.platform, question, first.start).show(view({ text: 'Half of an ans' }));
    const { reply, recorded } = await secondAttempt(question, first.recorded);
    await reply.show(view({ text: 'The whole ' }));
    await reply.show(DONE);
    await reply.close();
    expect(answersTo(server, question)).toMatchObject([
      { ts: first.recorded.messages[0]?.message, text: 'The whole answer.\nsonar', streaming: false },
    ]);
    expect(recorded.messages).toEqual(first.recorded.messages);
    expect(server.calls.filter(({ result }) => result === 'streaming_state_conflict')).toEqual([]);
  });

  test('finds a stream that was started but never recorded', async () => {
    const question = askIn(server);
    const first = fresh();
    const crash = { ...first.start, posted: () => Promise.reject(new Error('killed')) };
    const dying = unpaced(connected.app.platform, question, crash);
    await expect(dying.show(view({ text: 'Half of an answer' }))).rejects.toThrow('killed');
    const { reply, recorded } = await secondAttempt(question, first.recorded);
    await reply.show(DONE);
    expect(answersTo(server, question)).toMatchObject([
      { text: 'The whole answer.\nsonar', streaming: false },
    ]);
    expect(recorded.messages).toHaveLength(1);
    await reply.close();
  });

  test('finds a post that was never recorded', async () => {
    const question = askIn(server);
    const first = fresh();
    const crash = { ...first.start, posted: () => Promise.reject(new Error('killed')) };
    await expect(unpaced(connected.app.platform, question, crash).show(DONE)).rejects.toThrow('killed');
    const { reply } = await secondAttempt(question, first.recorded);
    await reply.show(DONE);
    expect(answersTo(server, question)).toHaveLength(1);
    await reply.close();
  });

  test('deletes messages that its shorter answer does not need', async () => {
    const question = askIn(server);
    const first = fresh();
    const reply = unpaced(connected.app.platform, question, first.start);
    for (const share of [0.3, 0.7, 1]) await reply.show(view({ text: LONG.slice(0, LONG.length * share) }));
    expect(first.recorded.messages.length).toBeGreaterThan(1);
    const second = await secondAttempt(question, first.recorded);
    await second.reply.show(DONE);
    await second.reply.close();
    expect(answersTo(server, question)).toHaveLength(1);
    expect(second.recorded.messages).toEqual(first.recorded.messages.slice(0, 1));
  });

  test('goes on in new messages where its answer is longer', async () => {
    const question = askIn(server);
    const first = fresh();
    await unpaced(connected.app.platform, question, first.start).show(view({ text: 'Paragraph 0' }));
    const { reply, recorded } = await secondAttempt(question, first.recorded);
    await reply.show(view({ state: 'done', text: LONG }));
    await reply.close();
    const answers = answersTo(server, question);
    expect(answers[0]?.ts).toBe(first.recorded.messages[0]?.message);
    expect(recorded.messages.map(({ message }) => message)).toEqual(answers.map(({ ts }) => ts));
    const numbers = answers.flatMap(({ text }) =>
      [...text.matchAll(/Paragraph (\d+)/g)].map((match) => Number(match[1])),
    );
    expect(numbers).toEqual(Array.from({ length: 160 }, (_, i) => i));
  });

  test('leaves the finished answers of other questions in the thread alone', async () => {
    const earlier = askIn(server);
    const later = { ...earlier, id: 'later' };
    const other = unpaced(connected.app.platform, earlier, fresh().start);
    await other.show(view({ text: 'An answer ' }));
    await other.show(view({ state: 'done', text: 'An answer to the other question.' }));
    await other.close();
    const { reply } = await secondAttempt(later, fresh().recorded);
    await reply.show(DONE);
    await reply.close();
    expect(answersTo(server, earlier).map(({ text }) => text)).toEqual([
      'An answer to the other question.',
      'The whole answer.\nsonar',
    ]);
  });

  test('leaves words that are no answer alone', async () => {
    const question = askIn(server);
    server.fault('chat.postEphemeral', { error: 'user_not_in_channel' });
    await connected.app.platform.replyPrivately(question, 'One moment.');
    const { reply } = await secondAttempt(question, fresh().recorded);
    await reply.show(DONE);
    await reply.close();
    expect(answersTo(server, question).map(({ text }) => text)).toEqual([
      'One moment.',
      'The whole answer.\nsonar',
    ]);
  });

  test('writes nothing while it cannot know what the first has written', async () => {
    const question = askIn(server);
    const first = fresh();
    const crash = { ...first.start, posted: () => Promise.reject(new Error('killed')) };
    await expect(unpaced(connected.app.platform, question, crash).show(DONE)).rejects.toThrow('killed');
    const { reply } = await secondAttempt(question, first.recorded);
    server.fault('conversations.replies', 'reset-before', 5);
    expect((await failureOf(reply.show(DONE))).kind).toBe('unreachable');
    await reply.show(DONE);
    await reply.close();
    expect(answersTo(server, question)).toHaveLength(1);
  });

  test('rewrites what is recorded where the thread may not be read', async () => {
    const question = askIn(server);
    const first = fresh();
    await unpaced(connected.app.platform, question, first.start).show(view({ text: 'Half of an ans' }));
    server.fault('conversations.replies', { error: 'missing_scope' }, 9);
    const { reply } = await secondAttempt(question, first.recorded);
    await reply.show(DONE);
    await reply.close();
    expect(answersTo(server, question).map(({ text }) => text)).toEqual(['The whole answer.\nsonar']);
  });
});

test('showing the final view once more changes nothing for the reader', async () => {
  const question = askIn(server);
  const reply = unpaced(connected.app.platform, question, fresh().start);
  await reply.show(view({ text: 'The whole ' }));
  await reply.show(DONE);
  await reply.show(DONE);
  await reply.close();
  expect(answersTo(server, question).map(({ text }) => text)).toEqual(['The whole answer.\nsonar']);
});
