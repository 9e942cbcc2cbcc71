/** Characters that no request can carry as they are: half of a surrogate pair, from a model, a person or a text cut between both. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SlackServer } from '../../servers/slack/server.ts';
import type { Fault } from '../../servers/slack/types.ts';
import { commanded } from './research-side.ts';
import { ADA, answersTo, askIn, connect, fresh, GENERAL, unpaced, view } from './setup.ts';

let connected: Awaited<ReturnType<typeof connect>>;
let server: SlackServer;
beforeEach(async () => {
  connected = await connect();
  server = connected.server;
});
afterEach(() => connected.close());

const HALF = '\ud83d';
const text = `Half of a face ${HALF}, and at the end ${HALF}`;

test.each<Fault | null>([null, { error: 'unknown_method' }])(
  'an answer with them arrives, streamed or edited (%j)',
  async (fault) => {
    if (fault !== null) server.fault('chat.startStream', fault);
    const question = askIn(server);
    const reply = unpaced(connected.app.platform, question, fresh().start);
    await reply.show(view({ state: 'searching', status: text }));
    await reply.show(view({ text }));
    await reply.show(view({ text: `${text}${HALF}` }));
    await reply.show(view({ state: 'done', text: `${text}${HALF}`, notices: [text], footer: text }));
    await reply.close();
    const [answer, ...others] = answersTo(server, question);
    expect(others).toEqual([]);
    expect(answer?.text).toContain('Half of a face \ufffd, and at the end \ufffd');
    expect(server.statuses.map(({ status }) => status)).toContain(text.toWellFormed());
    expect(server.calls.filter(({ result }) => !['ok', 'unknown_method'].includes(result))).toEqual([]);
  },
);

test('so do the root of an /ask, private words and direct messages, cut between both halves or not', async () => {
  const { platform } = connected.app;
  const asked = { ...commanded(server), text: `${text}${'\ud83d\ude00'.repeat(2_500)}` };
  const { thread } = await unpaced(platform, asked, fresh().start).open();
  expect(server.history(GENERAL, thread).map(({ text: shown }) => shown.slice(0, 60))).toEqual([
    expect.stringContaining('Half of a face'),
  ]);
  await platform.replyPrivately(askIn(server), `x${'\ud83d\ude00'.repeat(2_500)}`);
  expect(server.ephemerals).toMatchObject([{ user: ADA, text: expect.stringMatching(/^x\ud83d\ude00/u) }]);
  await platform.directMessage(server.team, ADA, text);
  expect(server.history('D000000ADA').map((message) => message.text)).toEqual([text.toWellFormed()]);
  expect(server.calls.filter(({ result }) => result !== 'ok')).toEqual([]);
});
