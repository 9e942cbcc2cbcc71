/** What Slack's client makes of every kind of answer, over real sockets; and the faults of the SDK that it works around. */
import { WebAPIHTTPError, WebAPIPlatformError, WebAPIRateLimitedError, WebClient } from '@slack/web-api';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { clientOptions, SlackClient } from '../../../src/platforms/slack/client.ts';
import { toFailure } from '../../../src/platforms/slack/errors.ts';
import { type SlackServer, startSlackServer } from '../../servers/slack/server.ts';
import type { Fault } from '../../servers/slack/types.ts';
import { silentLog } from './log.ts';
import { answersTo, askIn, connect, failureOf, fresh, GENERAL, unpaced, view } from './setup.ts';

let server: SlackServer;
let client: SlackClient;
beforeEach(async () => {
  server = await startSlackServer();
  client = new SlackClient(server.botToken, server.apiUrl, silentLog);
});
afterEach(() => server.close());

const post = (text = 'Hello') => client.chat.postMessage({ channel: GENERAL, text });
const posted = () => server.history(GENERAL).map(({ text }) => text);

describe('a call that fails', () => {
  test.each<readonly [string, Fault, object]>([
    ['429', { status: 429, retryAfter: 7 }, { kind: 'rate-limited', retryAfterMs: 7_000, ambiguous: false }],
    [
      '429 with an epoch',
      { status: 429, retryAfter: 1_796_043_611 },
      { kind: 'rate-limited', retryAfterMs: 600_000 },
    ],
    ['429 without a time', { status: 429 }, { kind: 'rate-limited', retryAfterMs: 5_000, ambiguous: false }],
    ['ratelimited', { error: 'ratelimited' }, { kind: 'rate-limited', ambiguous: false }],
    ['503', { status: 503 }, { kind: 'unreachable', status: 503, ambiguous: true }],
    ['404', { status: 404 }, { kind: 'unreachable', status: 404, ambiguous: false }],
    ['internal_error', { error: 'internal_error' }, { kind: 'unreachable', ambiguous: true }],
    ['a page', 'html', { kind: 'unreachable', ambiguous: true }],
    ['a reset', 'reset-before', { kind: 'unreachable', ambiguous: true }],
    ['a body without end', 'endless', { kind: 'unreachable', ambiguous: true }],
    [
      'is_archived',
      { error: 'is_archived' },
      { kind: 'undeliverable', code: 'is_archived', ambiguous: false },
    ],
    ['invalid_blocks', { error: 'invalid_blocks' }, { kind: 'rejected', code: 'invalid_blocks' }],
    ['message_not_found', { error: 'message_not_found' }, { kind: 'gone' }],
    ['token_revoked', { error: 'token_revoked' }, { kind: 'not-authorised', code: 'token_revoked' }],
  ])('with %s says whether it may have taken effect, and is not repeated', async (_what, fault, expected) => {
    server.fault('chat.postMessage', fault);
    expect(await failureOf(post())).toMatchObject(expected);
    expect(server.calls).toHaveLength(1);
    expect(posted()).toEqual([]);
  });

  test('because nobody listens has certainly not taken effect', async () => {
    await server.close();
    expect(await failureOf(post())).toMatchObject({
      kind: 'unreachable',
      code: 'ECONNREFUSED',
      ambiguous: false,
    });
  });

  test.each<readonly [string, object]>([
    ['files.getUploadURLExternal', { kind: 'unreachable', status: 500 }],
    ['upload_url', { kind: 'unreachable', status: 500 }],
    ['files.completeUploadExternal', { kind: 'unreachable', status: 500 }],
  ])('in the middle of an upload (%s) is told the same way', async (method, expected) => {
    server.fault(method, { status: 500 });
    const upload = client.filesUploadV2({ filename: 'a.md', content: 'Hello' });
    expect(await failureOf(upload)).toMatchObject(expected);
  });
});

test('a 429 holds up no call of another method', async () => {
  server.fault('chat.update', { status: 429, retryAfter: 30 });
  await failureOf(client.chat.update({ channel: GENERAL, ts: '1.1', text: 'x' }));
  await post();
  expect(posted()).toEqual(['Hello']);
});

test('a body without end fills no memory, and the answer is there all the same', async () => {
  const connected = await connect();
  const question = askIn(connected.server);
  for (const method of ['chat.appendStream', 'chat.stopStream']) connected.server.fault(method, 'endless');
  const reply = unpaced(connected.app.platform, question, fresh().start);
  for (const text of ['One. ', 'One. Two. ']) await reply.show(view({ text }));
  await reply.show(view({ state: 'done', text: 'One. Two. Three.' }));
  await reply.close();
  const endless = connected.server.calls.filter(({ result }) => result === 'endless');
  expect(endless.length).toBeGreaterThan(1);
  for (const { sentBytes } of endless) expect(sentBytes).toBeLessThan(40_000_000);
  expect(answersTo(connected.server, question)).toMatchObject([{ text: 'One. Two. Three.' }]);
  await connected.close();
});

describe('a token that is revoked', () => {
  test('is known to the client until a call succeeds; a missing scope says nothing about it', async () => {
    server.fault('chat.postMessage', { error: 'missing_scope' });
    await failureOf(post());
    expect(client.isTokenAccepted()).toBe(true);
    server.fault('chat.postMessage', { error: 'token_revoked' });
    await failureOf(post());
    expect(client.isTokenAccepted()).toBe(false);
    await post();
    expect(client.isTokenAccepted()).toBe(true);
  });
});

describe('@slack/web-api still', () => {
  const plain = () => new WebClient(server.botToken, clientOptions(server.apiUrl, silentLog));
  const errorOf = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => null,
      (error: unknown) => error,
    );

  test('refuses texts with half of a surrogate pair (SlackClient repairs them)', async () => {
    const error = await errorOf(plain().chat.postMessage({ channel: GENERAL, text: 'half \ud83d' }));
    expect(error).toBeInstanceOf(URIError);
    await post('half \ud83d');
    expect(posted()).toEqual(['half \ufffd']);
  });

  test('has no class for a 429 without a usable Retry-After (toFailure knows its message)', async () => {
    server.fault('chat.postMessage', { status: 429 });
    const error = await errorOf(plain().chat.postMessage({ channel: GENERAL, text: 'x' }));
    for (const known of [WebAPIRateLimitedError, WebAPIHTTPError, WebAPIPlatformError])
      expect(error).not.toBeInstanceOf(known);
    expect(toFailure(error, 'chat.postMessage').kind).toBe('rate-limited');
  });

  test('gives a body that is no JSON as the error code', async () => {
    server.fault('chat.postMessage', 'html');
    const error = await errorOf(plain().chat.postMessage({ channel: GENERAL, text: 'x' }));
    expect(error).toBeInstanceOf(WebAPIPlatformError);
    expect(String(error)).toContain('<!doctype html>');
  });
});
