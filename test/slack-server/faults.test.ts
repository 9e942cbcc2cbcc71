import { describe, expect, test, vi } from 'vitest';
import type { Fault } from '../servers/slack/types.ts';
import { clientOf, errorOf, post, startStandIn } from './setup.ts';

describe('an injected fault', () => {
  test.each<[string, Fault, string, number]>([
    ['a platform error', { error: 'ratelimited' }, 'ratelimited', 0],
    ['a 500', { status: 500 }, 'http_500', 0],
    ['a reset before', 'reset-before', 'slack_webapi_request_error', 0],
    ['a reset after', 'commit-then-reset', 'slack_webapi_request_error', 1],
    ['a 500 after', 'commit-then-500', 'http_500', 1],
    ['silence', 'hang', 'slack_webapi_request_error', 0],
    ['silence after', 'commit-then-hang', 'slack_webapi_request_error', 1],
    ['a page of HTML', 'html', 'unknown', 0],
    ['a delay', { slowMs: 20 }, 'none', 1],
  ])('of %s hits one call and does what it says', async (_what, fault, code, committed) => {
    const { slack, client, channel } = await startStandIn();
    // Only what is never answered is waited for in vain.
    const isSilent = fault === 'hang' || fault === 'commit-then-hang';
    const caller = isSilent ? clientOf(slack, slack.botToken, 1_000) : client;
    slack.fault('chat.postMessage', fault);
    const error = await errorOf(post(caller, { channel: channel('general'), text: 'a' }));
    if (code === 'unknown') expect(error).not.toBe('none');
    else expect(error).toBe(code);
    expect(slack.history(channel('general'))).toHaveLength(committed);
    expect(await errorOf(post(client, { channel: channel('general'), text: 'b' }))).toBe('none');
  });

  test('may be a 429 whose Retry-After is held against calls made too early', async () => {
    const { slack, client, channel } = await startStandIn();
    const message = {
      channel: channel('general'),
      ts: await post(client, { channel: channel('general'), text: 'a' }),
    };
    slack.fault('chat.update', { status: 429, retryAfter: 30 });
    const update = () => errorOf(client.chat.update({ ...message, text: 'b' }));
    expect(await update()).toBe('ratelimited 30');
    const later = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 10_000);
    expect(await update()).toBe('ratelimited 20');
    later.mockReturnValue(Date.now() + 21_000);
    expect(await update()).toBe('none');
    later.mockRestore();
    const updates = slack.calls.filter((call) => call.method === 'chat.update');
    expect(updates.map((call) => call.insideRetryAfter)).toEqual([false, true, false]);
    expect(updates.map((call) => call.retryAfter)).toEqual([30, 20, undefined]);
  });

  test('for any method is used up by whatever comes first', async () => {
    const { slack, client } = await startStandIn();
    slack.fault('*', { error: 'internal_error' }, 2);
    expect(await errorOf(client.auth.test())).toBe('internal_error');
    slack.clearFaults();
    expect(await errorOf(client.auth.test())).toBe('none');
  });
});

describe('real limits', () => {
  test('count calls of one method in a sliding minute', async () => {
    const { slack, client, channel, person } = await startStandIn({ limits: 'real' });
    const thread_ts = slack.say({ user: person('ada'), channel: channel('dm-ada'), text: 'hi' });
    const start = () =>
      errorOf(client.chat.startStream({ channel: channel('dm-ada'), thread_ts, markdown_text: 'a' }));
    for (let i = 0; i < 20; i++) expect(await start()).toBe('none');
    expect(await start()).toMatch(/^ratelimited (59|60)$/);
    expect(await errorOf(client.auth.test())).toBe('none');
    const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 60_000);
    expect(await start()).toBe('none');
    clock.mockRestore();
  });

  test('allow one post a second and channel after a short burst', async () => {
    const { client, channel } = await startStandIn({ limits: 'real' });
    const say = (name: string) => errorOf(post(client, { channel: channel(name), text: 'a' }));
    const results = [];
    for (let i = 0; i < 5; i++) results.push(await say('general'));
    expect(results.slice(0, 3)).toEqual(['none', 'none', 'none']);
    expect(results[3]).toBe('ratelimited 1');
    expect(await say('random')).toBe('none');
  });
});
