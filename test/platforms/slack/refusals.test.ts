import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StopRequested } from '../../../src/core/answering/stop.ts';
import type { SlackServer } from '../../servers/slack/server.ts';
import type { Fault } from '../../servers/slack/types.ts';
import { answersTo, askIn, connect, failureOf, fresh, GENERAL, unpaced, view } from './setup.ts';

let connected: Awaited<ReturnType<typeof connect>>;
let server: SlackServer;
beforeEach(async () => {
  connected = await connect();
  server = connected.server;
});
afterEach(() => connected.close());

const STEPS = ['One. ', 'One. Two. ', 'One. Two. Three. '];
const WHOLE = 'One. Two. Three. Four.';
const ENDED = 'the end';

/** Streams the same answer each time and returns what a person reads in the end. */
async function streamed() {
  const question = askIn(server);
  const { start, recorded } = fresh();
  const reply = unpaced(connected.app.platform, question, start);
  for (const text of STEPS) await reply.show(view({ text }));
  await reply.show(view({ state: 'done', text: WHOLE, footer: ENDED }));
  await reply.close();
  const answers = answersTo(server, question);
  expect(recorded.messages.map(({ message }) => message)).toEqual(answers.map(({ ts }) => ts));
  expect(answers.some(({ streaming }) => streaming)).toBe(false);
  return answers.map(({ text }) => text);
}

describe('whatever Slack refuses, the whole answer stands there once', () => {
  const cases: readonly (readonly [string, Fault])[] = [
    ['chat.startStream', { error: 'missing_recipient_user_id' }],
    ['chat.startStream', { error: 'missing_recipient_team_id' }],
    ['chat.startStream', { error: 'unknown_method' }],
    ['chat.startStream', { error: 'feature_not_enabled' }],
    ['chat.startStream', { error: 'feature_disabled' }],
    ['chat.startStream', { error: 'not_subscribed_to_message_stream_stopped' }],
    ['chat.startStream', { error: 'nobody_knows_this_error' }],
    ['chat.startStream', { error: 'channel_type_not_supported' }],
    ['chat.startStream', { error: 'ratelimited' }],
    ['chat.startStream', { status: 429, retryAfter: 1 }],
    ['chat.startStream', { status: 500 }],
    ['chat.startStream', 'reset-before'],
    ['chat.startStream', 'commit-then-reset'],
    ['chat.startStream', 'commit-then-500'],
    ['chat.startStream', 'html'],
    ['chat.appendStream', { error: 'message_not_in_streaming_state' }],
    ['chat.appendStream', { error: 'msg_too_long' }],
    ['chat.appendStream', { error: 'nobody_knows_this_error' }],
    ['chat.appendStream', { error: 'msg_blocks_too_long' }],
    ['chat.appendStream', { status: 429, retryAfter: 1 }],
    ['chat.appendStream', 'reset-before'],
    ['chat.appendStream', 'commit-then-reset'],
    ['chat.appendStream', 'html'],
    ['chat.stopStream', { error: 'message_not_in_streaming_state' }],
    ['chat.stopStream', { error: 'msg_too_long' }],
    ['chat.stopStream', { error: 'msg_blocks_too_long' }],
    ['chat.stopStream', { error: 'invalid_blocks' }],
    ['chat.stopStream', { error: 'stopped_by_user' }],
    ['chat.stopStream', { error: 'nobody_knows_this_error' }],
    ['chat.stopStream', { status: 429, retryAfter: 1 }],
    ['chat.stopStream', { status: 503 }],
    ['chat.stopStream', 'commit-then-reset'],
    ['chat.stopStream', 'reset-before'],
  ];
  test.each(cases)('%s: %j', async (method, fault) => {
    server.fault(method, fault);
    expect(await streamed()).toEqual([`${WHOLE}\n${ENDED}`]);
  });

  test.each<readonly [string, Fault]>([
    ['chat.postMessage', { status: 429, retryAfter: 1 }],
    ['chat.postMessage', { error: 'invalid_blocks' }],
    ['chat.postMessage', 'reset-before'],
    ['chat.postMessage', 'commit-then-reset'],
    ['chat.postMessage', 'commit-then-500'],
    ['chat.update', { error: 'streaming_state_conflict' }],
    ['chat.update', { error: 'invalid_blocks' }],
    ['chat.update', { status: 429, retryAfter: 1 }],
    ['chat.update', 'commit-then-reset'],
    ['chat.update', { error: 'internal_error' }],
  ])('without native streams, %s: %j', async (method, fault) => {
    server.fault('chat.startStream', { error: 'unknown_method' });
    server.fault(method, fault);
    const [text, ...others] = await streamed();
    expect(others).toEqual([]);
    expect(text?.replace(/\s+/g, ' ')).toBe(`${WHOLE} ${ENDED}`);
  });

  test('a message that Slack finds too long to edit is split, nothing lost', async () => {
    server.fault('chat.startStream', { error: 'unknown_method' });
    server.fault('chat.update', { error: 'msg_too_long' }, 2);
    const question = askIn(server);
    const text = Array.from({ length: 80 }, (_, i) => `Line number ${i}.`).join('\n\n');
    const reply = unpaced(connected.app.platform, question, fresh().start);
    await reply.show(view({ text: text.slice(0, 60) }));
    await reply.show(view({ state: 'done', text }));
    await reply.close();
    const numbers = answersTo(server, question).flatMap((answer) =>
      [...answer.text.matchAll(/number (\d+)/g)].map((match) => Number(match[1])),
    );
    expect(numbers).toEqual(Array.from({ length: 80 }, (_, i) => i));
    expect(answersTo(server, question).length).toBeGreaterThan(1);
  });

  test('a message that may no longer be edited is followed by a new one', async () => {
    server.fault('chat.startStream', { error: 'unknown_method' });
    server.fault('chat.update', { error: 'edit_window_closed' }, 9);
    const question = askIn(server);
    const reply = unpaced(connected.app.platform, question, fresh().start);
    await reply.show(view({ text: STEPS[0] ?? '' }));
    await reply.show(view({ state: 'done', text: WHOLE }));
    await reply.close();
    expect(answersTo(server, question).at(-1)?.text).toBe(WHOLE);
  });

  test("Slack's own Stop ends the answer, and what came is marked in the same message", async () => {
    const question = askIn(server);
    const reply = unpaced(connected.app.platform, question, fresh().start);
    await reply.show(view({ text: STEPS[0] ?? '' }));
    server.fault('chat.appendStream', { error: 'stopped_by_user' });
    const stopped = reply.show(view({ text: STEPS[1] ?? '' }));
    await expect(stopped).rejects.toBeInstanceOf(StopRequested);
    await reply.show(view({ state: 'done', text: STEPS[1] ?? '', notices: ['⏹ Stopped'] }));
    await reply.close();
    expect(answersTo(server, question)).toMatchObject([{ text: 'One. Two.\n⏹ Stopped', streaming: false }]);
  });

  test('an answer that is there at once, its blocks refused, is posted as plain Markdown', async () => {
    server.fault('chat.postMessage', { error: 'invalid_blocks' });
    const question = askIn(server);
    const reply = unpaced(connected.app.platform, question, fresh().start);
    await reply.show(view({ state: 'done', text: WHOLE, footer: ENDED }));
    await reply.close();
    expect(answersTo(server, question)).toMatchObject([{ text: `${WHOLE}\n\n${ENDED}`, blocks: [] }]);
  });

  test('a stream that Slack has ended is not ended again, but rewritten', async () => {
    const other = await connect({ streamMaxAgeMs: 0 });
    const question = askIn(other.server);
    const reply = unpaced(other.app.platform, question, fresh().start);
    await reply.show(view({ text: STEPS[0] ?? '' }));
    await reply.show(view({ state: 'done', text: WHOLE, footer: ENDED }));
    await reply.close();
    expect(answersTo(other.server, question).map(({ text }) => text)).toEqual([`${WHOLE}\n${ENDED}`]);
    const written = other.server.calls
      .map(({ method }) => method)
      .filter((method) => method.startsWith('chat.'));
    expect(written).toEqual(['chat.startStream', 'chat.stopStream', 'chat.update']);
    await other.close();
  });

  test.each([
    ['chat.appendStream', 'msg_too_long', 2],
    ['chat.startStream', 'missing_recipient_team_id', 1],
    ['chat.startStream', 'channel_type_not_supported', 1],
  ])(
    'after %s: %s the answer goes on growing, as a message that is edited',
    async (method, error, streamCalls) => {
      server.fault(method, { error }, Number.POSITIVE_INFINITY);
      const question = askIn(server);
      const reply = unpaced(connected.app.platform, question, fresh().start);
      for (const text of STEPS) await reply.show(view({ text }));
      expect(answersTo(server, question)).toMatchObject([{ text: 'One. Two. Three.', streaming: false }]);
      const tried = server.calls.filter((call) => /startStream|appendStream/.test(call.method));
      expect(tried).toHaveLength(streamCalls);
      await reply.close();
    },
  );

  test.each(['unknown_method', 'feature_disabled', 'not_subscribed_to_message_stream_stopped'])(
    'native streams are not tried again after %s',
    async (error) => {
      server.fault('chat.startStream', { error });
      await streamed();
      await streamed();
      expect(server.calls.filter(({ method }) => method === 'chat.startStream')).toHaveLength(1);
    },
  );
});

describe('what cannot be delivered is said to the core', () => {
  test('a message that somebody deleted is gone, and is not posted again', async () => {
    const question = askIn(server);
    const { start, recorded } = fresh();
    const reply = unpaced(connected.app.platform, question, start);
    await reply.show(view({ text: STEPS[0] ?? '' }));
    server.remove({ channel: GENERAL, ts: recorded.messages[0]?.message ?? '' });
    const failure = await failureOf(reply.show(view({ state: 'done', text: WHOLE })));
    expect(failure.kind).toBe('gone');
    expect(answersTo(server, question)).toEqual([]);
    await reply.close();
  });

  test.each([
    'is_archived',
    'is_inactive',
    'not_in_channel',
    'channel_not_found',
    'restricted_action_read_only_channel',
  ])('%s in the middle of a message is undeliverable at once, streamed or edited', async (error) => {
    for (const start of [null, { error: 'unknown_method' }]) {
      if (start) server.fault('chat.startStream', start);
      const reply = unpaced(connected.app.platform, askIn(server), fresh().start);
      await reply.show(view({ text: STEPS[0] ?? '' }));
      for (const method of ['chat.appendStream', 'chat.update']) server.fault(method, { error }, 9);
      const failure = await failureOf(reply.show(view({ text: STEPS[1] ?? '' })));
      expect(failure).toMatchObject({ kind: 'undeliverable', remedy: expect.any(String) });
      server.clearFaults();
      await reply.close();
    }
  });

  test.each(['is_archived', 'not_in_channel', 'channel_not_found', 'restricted_action_read_only_channel'])(
    '%s is undeliverable, with a remedy',
    async (error) => {
      server.fault('*', { error }, 99);
      const reply = unpaced(connected.app.platform, askIn(server), fresh().start);
      const failure = await failureOf(reply.show(view({ state: 'done', text: WHOLE })));
      expect(failure).toMatchObject({ kind: 'undeliverable', remedy: expect.any(String) });
      await reply.close();
    },
  );

  test('a revoked token is not retried', async () => {
    server.fault('chat.postMessage', { error: 'token_revoked' }, 9);
    const reply = unpaced(connected.app.platform, askIn(server), fresh().start);
    const failure = await failureOf(reply.show(view({ state: 'done', text: WHOLE })));
    expect(failure.kind).toBe('not-authorised');
    expect(server.calls.filter(({ method }) => method === 'chat.postMessage')).toHaveLength(1);
    await reply.close();
  });
});
