import type { types } from '@slack/bolt';
import { describe, expect, test } from 'vitest';
import { idFrom } from '../../../src/core/ids.ts';
import { questionFromMention, questionFromMessage } from '../../../src/platforms/slack/questions.ts';
import { ASKED_AT_S, editEvent, mentionEvent, messageEvent, READER, TS } from './payloads.ts';

const heard = (event: types.MessageEvent | types.AppMentionEvent, sentAt = ASKED_AT_S) =>
  event.type === 'message'
    ? questionFromMessage(event, READER, sentAt)
    : questionFromMention(event, READER, sentAt);

describe('an event', () => {
  test('makes a mention a question in the thread its message starts', () => {
    expect(heard(mentionEvent())).toEqual({
      id: idFrom('slack', 'T1', 'C1', TS),
      platform: 'slack',
      workspace: 'T1',
      channel: 'C1',
      thread: { platform: 'slack', workspace: 'T1', channel: 'C1', thread: TS },
      message: { platform: 'slack', workspace: 'T1', channel: 'C1', message: TS },
      repliesTo: null,
      trigger: 'mention',
      asker: { id: 'U1', name: null },
      text: 'why?',
      quotes: [],
      attachments: [],
      title: null,
      addressesOthers: false,
      overrides: {},
      delivery: { recipient: 'U1', recipientTeam: 'T1' },
      askedAt: ASKED_AT_S * 1000,
    });
  });

  test('gives the twins of one mention the same id and the same text', () => {
    const text = 'Hey <@UBOT|footnote> why?';
    const mention = heard(mentionEvent({ text }));
    const message = heard(messageEvent({ text }));
    expect(message).toEqual(mention);
  });

  test('answers in the thread a mention was written in', () => {
    const question = heard(mentionEvent({ thread_ts: '1.000001', ts: TS }));
    expect(question?.thread?.thread).toBe('1.000001');
    expect(question?.message?.message).toBe(TS);
  });

  test.each([
    ['a direct message', messageEvent({ channel: 'D1', channel_type: 'im' }), 'dm'],
    ['a message in a thread', messageEvent({ thread_ts: '1.000001' }), 'thread'],
    [
      'a message in a group conversation that mentions us',
      messageEvent({ channel_type: 'mpim', text: 'a <@UBOT>' }),
      'mention',
    ],
    ['a message with a file', messageEvent({ subtype: 'file_share', channel_type: 'im' }), 'dm'],
    [
      'a reply also sent to the channel',
      messageEvent({ subtype: 'thread_broadcast', thread_ts: '1.0' }),
      'thread',
    ],
  ])('hears %s', (_name, event, trigger) => {
    expect(heard(event)?.trigger).toBe(trigger);
  });

  test.each([
    ['channel talk', messageEvent()],
    ['the root of a thread, without a mention', messageEvent({ thread_ts: TS })],
    ['our own messages', messageEvent({ user: 'UBOT', channel_type: 'im' })],
    ['other bots', messageEvent({ bot_id: 'B2', text: '<@UBOT> hi' })],
    [
      'bot messages without a user',
      messageEvent({ subtype: 'bot_message', user: undefined, channel_type: 'im' }),
    ],
    ['mentions by bots', mentionEvent({ bot_id: 'B2' })],
    ['Slackbot', messageEvent({ user: 'USLACKBOT', channel_type: 'im' })],
    [
      "Slack's own notices",
      messageEvent({ user: 'USLACK', channel_type: 'im', text: '<@U1> added you to <#C1>.' }),
    ],
    ['joins', messageEvent({ subtype: 'channel_join', text: '<@UBOT> joined' })],
    ['deletions', messageEvent({ subtype: 'message_deleted', channel_type: 'im' })],
  ])('ignores %s', (_name, event) => {
    expect(heard(event)).toBeNull();
  });

  test('names the files that came along', () => {
    const files = [{ name: 'report.pdf', mimetype: 'application/pdf', size: 12 }, { title: 'Untitled' }];
    expect(heard(mentionEvent({ files }))?.attachments).toEqual([
      { name: 'report.pdf', type: 'application/pdf', bytes: 12, url: null },
      { name: 'Untitled', type: null, bytes: null, url: null },
    ]);
  });

  test('quotes a message that was forwarded with the question', () => {
    const attachments = [{ is_share: true, author_name: 'Grace', text: 'A &amp; B' }];
    expect(heard(mentionEvent({ attachments }))?.quotes).toEqual([
      { author: 'Grace', text: 'A & B', attachments: [] },
    ]);
  });

  test.each([
    ['somebody from outside', { user_team: 'T9', source_team: 'T9', team: 'T9' }, 'T9'],
    ['somebody whose organisation is named', { user_team: 'E7', source_team: 'T9', team: 'T9' }, 'T9'],
    ['somebody of whom only the organisation is known', { user_team: 'E7', team: 'E7' }, 'T1'],
  ])('names the home workspace of %s as recipient, never an organisation', (_name, teams, recipientTeam) => {
    const question = heard(mentionEvent(teams));
    expect(question).toMatchObject({ workspace: 'T1', delivery: { recipient: 'U1', recipientTeam } });
  });
});

describe('edits', () => {
  test('an edit that adds the mention asks under the id of the message', () => {
    const question = heard(editEvent('why?', '<@UBOT> why?'));
    expect(question).toMatchObject({ id: idFrom('slack', 'T1', 'C1', TS), trigger: 'mention', text: 'why?' });
  });

  test('the mention event of an edited message has that id too', () => {
    const edited = { user: 'U1', ts: TS };
    expect(heard(mentionEvent({ edited }))?.id).toBe(idFrom('slack', 'T1', 'C1', TS));
  });

  test.each([
    ['an edit of a message that mentioned us before', editEvent('<@UBOT> why', '<@UBOT> why?')],
    ['an edit without a mention', editEvent('a', 'b')],
    [
      'a preview added to a message',
      editEvent('a', '<@UBOT>', { message: { text: '<@UBOT>', ts: TS, user: 'U1' } }),
    ],
    ['an edit in a direct message', editEvent('why', '<@UBOT> why', { channel_type: 'im' })],
    ['an edit of an old message', editEvent('why', '<@UBOT> why'), ASKED_AT_S + 90_000],
    ['an old message mentioned anew', mentionEvent({ edited: { ts: TS } }), ASKED_AT_S + 90_000],
    ['our own update', editEvent('a', 'b', { message: { text: 'b', ts: TS, bot_id: 'BBOT', edited: {} } })],
  ])('ignores %s', (_name, event, sentAt = ASKED_AT_S) => {
    expect(heard(event, sentAt)).toBeNull();
  });
});
