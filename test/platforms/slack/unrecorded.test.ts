/** Messages whose posting has an unknown outcome, or that belong to somebody else: no answer is doubled, none is taken over. */
import { expect, onTestFinished, test } from 'vitest';
import { answersTo, askIn, connect, fresh, questionAt, unpaced, view } from './setup.ts';

const DONE = view({ state: 'done', text: 'The whole answer.' });

async function connected() {
  const all = await connect();
  onTestFinished(() => all.close());
  return all;
}

test.each(['chat.startStream', 'chat.postMessage'])(
  '%s was done, and Slack could not be asked for it: the answer stands there once',
  async (method) => {
    const { server, app } = await connected();
    if (method === 'chat.postMessage') server.fault('chat.startStream', { error: 'unknown_method' });
    server.fault(method, 'commit-then-reset');
    server.fault('conversations.replies', 'reset-before', 5);
    const question = askIn(server);
    const reply = unpaced(app.platform, question, fresh().start);
    await reply.show(view({ text: 'The whole ' }));
    for (const next of [view({ text: 'The whole ' }), view({ text: 'The whole ' }), DONE])
      await reply.show(next).catch((error: unknown) => expect(error).toMatchObject({ kind: 'unreachable' }));
    await reply.close();
    expect(answersTo(server, question)).toMatchObject([{ text: 'The whole answer.', streaming: false }]);
  },
);

test('what is posted below a research card leaves the answer alone that is being streamed there', async () => {
  const { server, app } = await connected();
  const question = askIn(server);
  const live = fresh();
  const streamed = unpaced(app.platform, question, live.start);
  await streamed.show(view({ text: 'The whole ' }));
  const isTaken = async ({ message }: { readonly message: string }) =>
    live.recorded.messages.some((recorded) => recorded.message === message);
  const below = unpaced(app.platform, { ...question, id: 'report' }, { ...fresh(2).start, isTaken });
  await below.show(view({ state: 'done', text: 'The report.' }));
  await below.close();
  await streamed.show(DONE);
  await streamed.close();
  expect(answersTo(server, question)).toMatchObject([
    { text: 'The whole answer.', streaming: false },
    { text: 'The report.' },
  ]);
});

test('posts that fail do not use up the calls that messages are edited with', async () => {
  const { server, app } = await connected();
  server.fault('chat.startStream', { error: 'unknown_method' });
  server.fault('chat.postMessage', { error: 'is_archived' }, 60);
  const channels = Array.from({ length: 60 }, (_, i) => `C0000FULL${i}`);
  for (const channel of channels) {
    const reply = unpaced(app.platform, questionAt(server.team, channel, '1700000000.000100'), fresh().start);
    await reply.show(view({ text: 'The whole ' })).catch(() => {});
    await reply.close();
  }
  server.clearFaults();
  server.fault('chat.startStream', { error: 'unknown_method' });
  const question = askIn(server, '@footnote why?', 'C000RANDOM');
  const reply = unpaced(app.platform, question, fresh().start);
  await reply.show(view({ text: 'The whole ' }));
  expect(answersTo(server, question)).toHaveLength(1);
  await reply.close();
});
