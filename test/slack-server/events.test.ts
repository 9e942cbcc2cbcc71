import { describe, expect, test, vi } from 'vitest';
import { post, startBolt, startStandIn } from './setup.ts';

interface Heard {
  readonly type: string;
  readonly subtype?: string;
  readonly ts: string;
  readonly text?: string;
  readonly bot_id?: string;
  readonly channel_type?: string;
  readonly thread_ts?: string;
  readonly parent_user_id?: string;
  readonly edited?: unknown;
  readonly eventId: string;
}

async function listen(options: Parameters<typeof startStandIn>[0] = {}, receivers = 1) {
  const standIn = await startStandIn(options);
  const app = await startBolt(standIn.slack, receivers);
  const heard: Heard[] = [];
  const hear = async (args: { event: object; body: { event_id: string } }): Promise<void> => {
    heard.push({ ...(args.event as Heard), eventId: args.body.event_id });
  };
  app.event('message', hear);
  app.event('app_mention', hear);
  return { ...standIn, app, heard };
}

describe('what a person writes', () => {
  test('a mention in a channel arrives twice with one ts and two event ids, in either order', async () => {
    for (const [random, first] of [
      [() => 0, 'app_mention'],
      [() => 0.9, 'message'],
    ] as const) {
      const { slack, heard, channel, person } = await listen({ random });
      const ts = slack.say({
        user: person('ada'),
        channel: channel('general'),
        text: '@footnote is 3 < 5 & 7 > 2?',
      });
      await vi.waitFor(() => expect(heard).toHaveLength(2));
      expect(heard.map((event) => event.type).sort()).toEqual(['app_mention', 'message']);
      expect(heard[0]).toMatchObject({
        type: first,
        ts,
        text: `<@${slack.botUser}> is 3 &lt; 5 &amp; 7 &gt; 2?`,
      });
      expect(heard[0]!.eventId).not.toBe(heard[1]!.eventId);
      expect(heard.find((event) => event.type === 'app_mention')!.channel_type).toBeUndefined();
      await vi.waitFor(() => expect(slack.unacked()).toEqual([]));
    }
  });

  test('a DM arrives once, as a message of channel type im, even when it mentions the bot', async () => {
    const { slack, heard, channel, person } = await listen();
    slack.say({ user: person('ada'), channel: channel('dm-ada'), text: '@footnote hello' });
    const second = slack.say({ user: person('ada'), channel: channel('dm-ada'), text: 'and again' });
    await vi.waitFor(() => expect(heard.at(-1)?.ts).toBe(second));
    expect(heard.map((event) => [event.type, event.channel_type])).toEqual([
      ['message', 'im'],
      ['message', 'im'],
    ]);
  });

  test('a reply names its thread and whose it is; one where the bot is not a member stays unheard', async () => {
    const { slack, heard, channel, person } = await listen();
    const root = slack.say({ user: person('ada'), channel: channel('general'), text: 'a root' });
    slack.say({ user: person('ada'), channel: channel('without-bot'), text: '@footnote can you hear me?' });
    slack.say({ user: person('grace'), channel: channel('general'), text: 'a reply', threadTs: root });
    await vi.waitFor(() => expect(heard).toHaveLength(2));
    expect(heard[1]).toMatchObject({ text: 'a reply', thread_ts: root, parent_user_id: person('ada') });
    expect(slack.history(channel('general'), root).map((message) => message.text)).toEqual([
      'a root',
      'a reply',
    ]);
  });

  test('in a channel shared with another workspace only the authorization names ours', async () => {
    const { slack, app, channel, person } = await listen();
    const bodies: Record<string, unknown>[] = [];
    const hear = async ({ body }: { body: object }): Promise<void> => void bodies.push({ ...body });
    app.event('app_mention', hear);
    app.event('message', hear);
    slack.say({ user: person('otto'), channel: channel('partners'), text: '@footnote hello' });
    await vi.waitFor(() => expect(bodies).toHaveLength(2));
    const otto = slack.people.find((one) => one.name === 'otto')!;
    for (const body of bodies)
      expect(body).toMatchObject({
        team_id: otto.team,
        is_ext_shared_channel: true,
        authorizations: [{ team_id: slack.team, user_id: slack.botUser, is_bot: true }],
        event: { user: otto.id, user_team: otto.team, source_team: otto.team },
      });
    const contexts = bodies.map((body) => [(body['event'] as Heard).type, body['context_team_id']]);
    expect(Object.fromEntries(contexts)).toEqual({ message: otto.team, app_mention: undefined });
  });

  test("Slack's own notices look like a person's message but for their author", async () => {
    const { slack, heard, person } = await listen();
    slack.notice({ user: person('ada'), text: '<@U1> added you to <#C1>.' });
    await vi.waitFor(() => expect(heard).toHaveLength(1));
    expect(heard[0]).toMatchObject({ type: 'message', user: 'USLACK', channel_type: 'im' });
    expect(heard[0]).not.toHaveProperty('subtype');
    expect(heard[0]).not.toHaveProperty('bot_id');
  });

  test('edits and deletions arrive as hidden subtypes; an edit of a mention mentions again', async () => {
    const { slack, heard, channel, person } = await listen();
    const ts = slack.say({ user: person('ada'), channel: channel('random'), text: 'what is a tide?' });
    slack.edit({ channel: channel('random'), ts, text: '@footnote what is a tide?' });
    await vi.waitFor(() => expect(heard).toHaveLength(3));
    slack.remove({ channel: channel('random'), ts });
    await vi.waitFor(() => expect(heard).toHaveLength(4));
    expect(heard.map((event) => event.subtype ?? event.type)).toEqual([
      'message',
      'message_changed',
      'app_mention',
      'message_deleted',
    ]);
    expect(heard[2]).toMatchObject({ ts, edited: { user: person('ada') } });
    expect(slack.history(channel('random'))).toEqual([]);
  });

  test('a deleted root whose thread lives on leaves a tombstone that can still be replied to', async () => {
    const { slack, client, heard, channel, person } = await listen();
    const root = slack.say({ user: person('ada'), channel: channel('general'), text: 'a root' });
    slack.say({ user: person('ada'), channel: channel('general'), text: 'a reply', threadTs: root });
    slack.remove({ channel: channel('general'), ts: root });
    await vi.waitFor(() => expect(heard.at(-1)?.subtype).toBe('message_changed'));
    const { messages } = await client.conversations.replies({ channel: channel('general'), ts: root });
    expect(messages).toMatchObject([{ subtype: 'tombstone' }, { text: 'a reply' }]);
    await post(client, { channel: channel('general'), thread_ts: root, text: 'late' });
    expect(slack.history(channel('general')).map((message) => message.text)).toEqual(['a reply', 'late']);
  });

  test('the bot hears itself and other bots, each with a bot_id', async () => {
    const { slack, client, app, channel } = await listen();
    // Bolt keeps an app's own new messages from its listeners: look at what reaches its global middleware.
    const bots: unknown[] = [];
    app.use(async ({ payload, next }) => {
      bots.push('bot_id' in payload ? payload.bot_id : 'none');
      await next();
    });
    await post(client, { channel: channel('general'), text: 'mine' });
    await vi.waitFor(() => expect(slack.acknowledged).toHaveLength(1));
    slack.otherBot({ channel: channel('general'), text: 'theirs' });
    await vi.waitFor(() => expect(slack.acknowledged).toHaveLength(2));
    expect(bots).toContain('B0OTHERBOT');
    expect(slack.history(channel('general')).map((message) => message.bot)).toEqual([true, true]);
  });

  test('files come with a file_share', async () => {
    const { slack, heard, channel, person } = await listen();
    const files = [{ name: 'report.pdf', mimetype: 'application/pdf', size: 2_000_000 }];
    slack.say({ user: person('ada'), channel: channel('dm-ada'), text: 'read this', files });
    await vi.waitFor(() => expect(heard).toHaveLength(1));
    expect(heard[0]).toMatchObject({ subtype: 'file_share', files });
  });
});
