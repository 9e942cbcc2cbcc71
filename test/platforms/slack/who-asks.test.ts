/** Messages and edits in, questions out, over a real socket: what counts as a question on Slack and what does not. */
import { describe, expect, test } from 'vitest';
import { clientOf, post } from '../../slack-server/setup.ts';
import { ADA, allAcknowledged, GENERAL, listening } from './setup.ts';

const DM = 'D000000ADA';
const US = '<@U0FOOTNOTE>';
const DAY_S = 24 * 60 * 60;

describe('nobody is answered', () => {
  test.each([
    ['a join', { subtype: 'channel_join', user: ADA, text: `${US} has joined the channel` }],
    ['an app that was added', { subtype: 'bot_add', user: ADA, text: `added an integration: ${US}` }],
    ['a topic', { subtype: 'channel_topic', user: ADA, topic: US, text: `set the topic: ${US}` }],
    ['a purpose', { subtype: 'channel_purpose', user: ADA, text: `set the purpose: ${US}` }],
    ['a new name', { subtype: 'channel_name', user: ADA, text: `renamed the channel: ${US}` }],
    ['a pin', { subtype: 'pinned_item', user: ADA, text: `pinned a message: ${US}` }],
    ['a reminder', { subtype: 'reminder_add', user: ADA, text: `set a reminder: ${US}` }],
    ['a huddle', { subtype: 'huddle_thread', user: 'USLACKBOT', text: US }],
    ['a webhook', { subtype: 'bot_message', bot_id: 'B1', username: 'alerts', text: US }],
    ['a bot with a user', { user: 'U0OTHERBOT', bot_id: 'B0OTHERBOT', text: US }],
    ["another bot's mention", { type: 'app_mention', user: 'U0OTHERBOT', bot_id: 'B0OTHERBOT', text: US }],
    ['Slackbot', { user: 'USLACKBOT', text: US }],
    ["Slackbot's answer", { subtype: 'slackbot_response', user: 'USLACKBOT', text: US }],
    ['ourselves', { user: 'U0FOOTNOTE', text: US }],
    ['a mention in code', { user: ADA, text: '`&lt;@U0FOOTNOTE&gt;` and `@footnote`' }],
    ['a mention of another', { user: ADA, text: '<@U0FOOTNOTE2> why?' }],
    ['channel talk', { user: ADA, text: 'why?' }],
  ])('for %s in a channel', async (_name, event) => {
    const { server, intake } = await listening();
    server.event({ channel: GENERAL, event: { type: 'message', ...event } });
    await allAcknowledged(server);
    expect(intake.questions).toEqual([]);
  });

  test('in a direct message for what Slack, Slackbot or we say', async () => {
    const { server, intake, app } = await listening();
    server.notice({ user: ADA, text: '<@U1> added you to <#C1>.' });
    server.event({ channel: DM, event: { type: 'message', user: 'USLACKBOT', text: 'Reminder: ask.' } });
    await app.platform.directMessage(server.team, ADA, 'Your research is done.');
    await allAcknowledged(server);
    expect(server.history(DM).map(({ text }) => text)).toContain('Your research is done.');
    expect(intake.questions).toEqual([]);
  });
});

test('every edit of what a person wrote is told, in a direct message too', async () => {
  const { server, intake } = await listening();
  const asked = server.say({ user: ADA, channel: GENERAL, text: `${US} why?` });
  server.edit({ channel: GENERAL, ts: asked, text: `${US} why not?` });
  const direct = server.say({ user: ADA, channel: DM, text: 'when?' });
  server.edit({ channel: DM, ts: direct, text: 'since when?' });
  await allAcknowledged(server);
  expect(intake.revised.toSorted()).toEqual(['since when?', 'why not?']);
});

test("what others' bots say is overheard in threads, and only there", async () => {
  const { server, intake } = await listening();
  const root = server.say({ user: ADA, channel: GENERAL, text: 'a root' });
  server.otherBot({ channel: GENERAL, text: 'in the channel' });
  server.otherBot({ channel: GENERAL, text: 'in the thread', threadTs: root });
  const hook = { type: 'message', subtype: 'bot_message', bot_id: 'B1', thread_ts: root, text: 'a webhook' };
  server.event({ channel: GENERAL, event: hook });
  server.event({ channel: GENERAL, event: { ...hook, bot_id: 'B0FOOTNOTE', subtype: undefined } });
  await allAcknowledged(server);
  expect(intake.overheard).toEqual([root, root]);
});

describe('a reply that is also sent to the channel', () => {
  test.each([
    ['@footnote and why?', 'mention'],
    ['and why?', 'thread'],
  ])('asks in its thread: %s', async (text, trigger) => {
    const { server, intake } = await listening();
    const root = server.say({ user: ADA, channel: GENERAL, text: 'a root' });
    server.say({ user: ADA, channel: GENERAL, text, threadTs: root, broadcast: true });
    await allAcknowledged(server);
    expect(intake.questions).toMatchObject([{ trigger, text: 'and why?', thread: { thread: root } }]);
  });
});

test.each([
  ['@grace can you take this one?', true],
  ['@here who can take this one?', true],
  ['<!subteam^S0HARBOR01> who can take this one?', true],
  ['and why?', false],
  ['@grace @footnote compare these', false],
])('in a thread it is told who is addressed: %s', async (text, addressesOthers) => {
  const { server, intake } = await listening();
  const root = server.say({ user: ADA, channel: GENERAL, text: 'a root' });
  server.say({ user: ADA, channel: GENERAL, text, threadTs: root });
  await allAcknowledged(server);
  expect(intake.questions).toMatchObject([{ addressesOthers }]);
});

describe('an edit', () => {
  test('that adds the mention asks once, under the id that the message has', async () => {
    const { server, intake } = await listening();
    const ts = server.say({ user: ADA, channel: GENERAL, text: 'why?' });
    server.edit({ channel: GENERAL, ts, text: '@footnote why?' });
    server.edit({ channel: GENERAL, ts, text: '@footnote why not?' });
    await allAcknowledged(server);
    expect(intake.questions).toMatchObject([{ message: { message: ts }, thread: { thread: ts } }]);
    server.remove({ channel: GENERAL, ts });
    await allAcknowledged(server);
    expect(intake.withdrawn).toEqual([intake.questions[0]?.id]);
  });

  test.each(['message_changed', 'app_mention'])(
    'of a message older than a day asks nothing (%s)',
    async (kind) => {
      const { server, intake } = await listening();
      for (const [index, ageS] of [DAY_S + 60, DAY_S - 60].entries()) {
        const ts = `${Math.floor(Date.now() / 1000) - ageS}.00000${index}`;
        server.event({ channel: GENERAL, event: editTo(kind, ts) });
      }
      await allAcknowledged(server);
      expect(intake.questions.map(({ message }) => message?.message.slice(-1))).toEqual(['1']);
    },
  );

  test('in a direct message asks nothing', async () => {
    const { server, intake } = await listening();
    const ts = server.say({ user: ADA, channel: DM, text: 'why?' });
    server.edit({ channel: DM, ts, text: '@footnote why not?' });
    await allAcknowledged(server);
    expect(intake.questions).toMatchObject([{ text: 'why?' }]);
    expect(intake.calls).toBe(1);
  });

  test('that is none, a preview that arrives, asks nothing', async () => {
    const { server, intake } = await listening();
    const { edited: _edited, ...message } = editTo('message_changed', '1800000000.000100').message;
    const attachments = [{ from_url: 'https://example.org', title: 'A page' }];
    const event = { ...editTo('message_changed', '1800000000.000100'), message: { ...message, attachments } };
    server.event({ channel: GENERAL, event });
    await allAcknowledged(server);
    expect(intake.questions).toEqual([]);
  });
});

describe('a deletion', () => {
  test.each([
    ['a message', false],
    ['a message with replies, of which Slack leaves a tombstone', true],
  ])('of %s withdraws its question', async (_name, hasReply) => {
    const { server, intake } = await listening();
    const ts = server.say({ user: ADA, channel: GENERAL, text: '@footnote why?' });
    if (hasReply) server.say({ user: ADA, channel: GENERAL, text: 'anybody?', threadTs: ts });
    await allAcknowledged(server);
    const id = intake.questions.find(({ message }) => message?.message === ts)?.id;
    server.remove({ channel: GENERAL, ts });
    await allAcknowledged(server);
    expect(intake.withdrawn).toEqual([id]);
  });

  test('of one of our own messages withdraws nothing, with replies or without', async () => {
    const { server, intake } = await listening();
    const client = clientOf(server);
    const root = await post(client, { channel: GENERAL, text: 'a root of ours' });
    const reply = await post(client, { channel: GENERAL, text: 'a reply of ours', thread_ts: root });
    await client.chat.delete({ channel: GENERAL, ts: root });
    await client.chat.delete({ channel: GENERAL, ts: reply });
    await allAcknowledged(server);
    expect(intake.withdrawn).toEqual([]);
  });
});

function editTo(type: string, ts: string) {
  const edited = { user: ADA, ts: '1800000000.000000' };
  const message = { type: 'message', user: ADA, text: `${US} why?`, ts, edited };
  if (type === 'app_mention') return { ...message, type, message };
  return { type: 'message', subtype: type, message, previous_message: { ...message, text: 'why?' } };
}
