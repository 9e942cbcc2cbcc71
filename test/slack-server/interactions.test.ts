import { describe, expect, test, vi } from 'vitest';
import { errorOf, post, startBolt, startStandIn } from './setup.ts';

async function withApp(options: Parameters<typeof startStandIn>[0] = {}) {
  const standIn = await startStandIn(options);
  const app = await startBolt(standIn.slack);
  const where = { channel: standIn.channel('general'), user: standIn.person('ada') };
  const say = (text: string): string => standIn.slack.say({ ...where, text });
  return { ...standIn, app, where, say };
}

const send = (url: string, body: object): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

describe('a slash command', () => {
  test('carries who, where and what; its acknowledgement may answer the person alone', async () => {
    const { slack, app, where, say } = await withApp();
    const bodies: Record<string, unknown>[] = [];
    app.command('/ask', async ({ ack, command }) => {
      bodies.push({ ...command });
      await ack('working on it');
    });
    say('before');
    slack.command({ ...where, command: '/ask', text: 'is 3 < 5, @grace?' });
    await vi.waitFor(() => expect(slack.ephemerals).toHaveLength(1));
    expect(bodies[0]).toMatchObject({
      command: '/ask',
      text: 'is 3 &lt; 5, <@U0000GRACE>?',
      channel_id: where.channel,
      channel_name: 'general',
      user_id: where.user,
      team_id: slack.team,
    });
    expect(bodies[0]).not.toHaveProperty('thread_ts');
    expect(slack.ephemerals[0]).toMatchObject({ ...where, text: 'working on it', from: 'bot' });
  });

  test('nobody acknowledges is reported to the person by Slack', async () => {
    const { slack, where } = await withApp({ retryScale: 0.01 });
    slack.command({ ...where, command: '/nope', text: '' });
    await vi.waitFor(() => expect(slack.ephemerals).toHaveLength(1));
    expect(slack.ephemerals[0]).toMatchObject({
      text: '/nope failed with the error "operation_timeout"',
      from: 'slack',
    });
  });

  test('works where the bot is not a member; its response_url can be used five times', async () => {
    const { slack, app, channel, person } = await withApp();
    let url = '';
    app.command('/ask', async ({ ack, command, respond }) => {
      await ack();
      await respond('for you');
      await respond({ text: 'for all', response_type: 'in_channel' });
      url = command.response_url;
    });
    const outside = channel('without-bot');
    slack.command({ user: person('ada'), channel: outside, command: '/ask', text: 'hi' });
    await vi.waitFor(() => expect(url).not.toBe(''));
    expect(slack.ephemerals).toMatchObject([{ channel: outside, text: 'for you' }]);
    expect(slack.history(outside)).toMatchObject([{ text: 'for all', bot: true }]);
    for (let i = 0; i < 3; i++) expect((await send(url, { text: 'more' })).status).toBe(200);
    expect(await (await send(url, { text: 'too much' })).json()).toEqual({ ok: false, error: 'used_url' });
    expect((await send(`${url}x`, { text: 'nowhere' })).status).toBe(404);
    expect(slack.calls.filter((call) => call.method === 'response_url')).toHaveLength(7);
  });
});

describe('a message shortcut', () => {
  test('carries the message, and its trigger opens one modal', async () => {
    const { slack, app, where, say, client } = await withApp();
    const seen: Record<string, unknown>[] = [];
    app.shortcut('ask_about_message', async ({ ack, shortcut }) => {
      await ack();
      seen.push({ ...shortcut });
    });
    const ts = say('water is wet');
    slack.shortcut({ ...where, ts, callbackId: 'ask_about_message' });
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    expect(seen[0]).toMatchObject({
      type: 'message_action',
      message_ts: ts,
      message: { text: 'water is wet', user: where.user },
      channel: { id: where.channel, name: 'general' },
      user: { id: where.user, team_id: slack.team },
      team: { id: slack.team },
    });
    const title = { type: 'plain_text', text: 'Ask' } as const;
    const view = { type: 'modal' as const, title, blocks: [] };
    const open = () => client.views.open({ trigger_id: String(seen[0]?.['trigger_id']), view });
    expect(await errorOf(open())).toBe('none');
    expect(await errorOf(open())).toBe('exchanged_trigger_id');
  });
});

describe('a button', () => {
  test('can be pressed only where it is, and its message replaced through the response_url', async () => {
    const { slack, app, where, say, client } = await withApp();
    const pressed: unknown[] = [];
    app.action('footnote:retry', async ({ ack, body, action, respond }) => {
      await ack();
      pressed.push({ ...action }, { ...body });
      await respond({ text: 'again', replace_original: true });
    });
    const root = say('a question');
    const element = (value: string) => ({
      type: 'button',
      action_id: 'footnote:retry',
      text: { type: 'plain_text', text: 'Retry' },
      value,
    });
    const blocks = [{ type: 'actions', block_id: 'row', elements: [element('q1'), element('q2')] }];
    const ts = await post(client, { channel: where.channel, thread_ts: root, text: 'failed', blocks });
    slack.press({ ...where, ts, actionId: 'footnote:retry', value: 'q2' });
    await vi.waitFor(() => expect(slack.history(where.channel, root)[1]!.text).toBe('again'));
    expect(pressed).toMatchObject([
      { action_id: 'footnote:retry', block_id: 'row', value: 'q2', type: 'button' },
      { type: 'block_actions', container: { message_ts: ts, thread_ts: root }, user: { id: where.user } },
    ]);
    expect(() => slack.press({ ...where, ts, actionId: 'footnote:retry' })).toThrow('no such button');
  });
});
