import { describe, expect, test } from 'vitest';
import { idFrom } from '../../../src/core/ids.ts';
import { questionFromEdit, questionFromMessage } from '../../../src/platforms/discord/inbound.ts';
import { readMessage, timeOfId } from '../../../src/platforms/discord/wire.ts';

const BOT = '100000000000000001';
const GUILD = '200000000000000001';
const CHANNEL = '300000000000000001';
const ADA = { id: '400000000000000001', username: 'ada', global_name: 'Ada' };
const MESSAGE = '1300000000000000001';
const NOW = timeOfId(MESSAGE);
const TEXT = { kind: 'text', parent: null } as const;
const THREAD = { kind: 'thread', parent: CHANNEL } as const;

type Fields = Record<string, unknown>;

function payload(fields: Fields): Fields {
  const base = { id: MESSAGE, channel_id: CHANNEL, guild_id: GUILD, author: ADA, type: 0, content: 'hi' };
  return { ...base, timestamp: new Date(NOW).toISOString(), mentions: [], ...fields };
}

function heard(fields: Fields, channel: typeof TEXT | typeof THREAD | null = TEXT) {
  const message = readMessage(payload(fields));
  return message && questionFromMessage(message, { botId: BOT, channel });
}

const ours = {
  id: '1300000000000000000',
  channel_id: CHANNEL,
  author: { id: BOT, bot: true },
  content: '330 m [1]',
};
const theirs = { ...ours, author: ADA, content: 'The tower is tall' };
const replyTo = (message: Fields, fields: Fields): Fields => ({
  type: 19,
  message_reference: { message_id: message['id'], channel_id: CHANNEL },
  referenced_message: message,
  ...fields,
});

describe('who asks us something', () => {
  const cases: readonly [string, Fields, typeof TEXT | typeof THREAD | null, string | null][] = [
    ['plain talk in a channel', {}, TEXT, null],
    ['a mention', { content: `<@${BOT}> hi`, mentions: [{ id: BOT }] }, TEXT, 'mention'],
    ['a mention that only the text has', { content: `<@!${BOT}> hi` }, TEXT, 'mention'],
    ['a mention in code', { content: `\`<@${BOT}>\` hi` }, TEXT, null],
    ['@everyone', { content: '@everyone hi', mention_everyone: true }, TEXT, null],
    ['a role', { content: '<@&500000000000000001> hi', mention_roles: ['500000000000000001'] }, TEXT, null],
    ['a direct message', { guild_id: undefined, channel_type: 1 }, null, 'dm'],
    ['a message in a thread', {}, THREAD, 'thread'],
    ['a mention in a thread', { content: `<@${BOT}> hi` }, THREAD, 'mention'],
    ['a reply to us without ping', replyTo(ours, { content: 'why?' }), TEXT, 'reply'],
    ['a reply to us with ping', replyTo(ours, { content: 'why?', mentions: [{ id: BOT }] }), TEXT, 'reply'],
    ['a reply to somebody else', replyTo(theirs, { content: 'why?' }), TEXT, null],
    [
      'a reply to somebody else that mentions us',
      replyTo(theirs, { content: `<@${BOT}> why?` }),
      TEXT,
      'mention',
    ],
    ['another bot', { author: { ...ADA, bot: true }, content: `<@${BOT}> hi` }, TEXT, null],
    ['a webhook', { webhook_id: '600000000000000001', content: `<@${BOT}> hi` }, TEXT, null],
    ['the system', { author: { ...ADA, system: true }, content: `<@${BOT}> hi` }, TEXT, null],
    ['a pin notice', { type: 6, content: `<@${BOT}>` }, TEXT, null],
    ['a thread’s starter', { type: 21, content: '' }, THREAD, null],
    ['an empty message in a thread (no Message Content intent)', { content: '' }, THREAD, null],
    ['an empty mention', { content: `<@${BOT}>` }, TEXT, 'mention'],
    ['a channel of unknown kind', {}, null, null],
  ];
  test.each(cases)('%s', (_, fields, channel, trigger) => {
    expect(heard(fields, channel)?.trigger ?? null).toBe(trigger);
  });
});

describe('what a question holds', () => {
  test('a mention in a channel names the thread still to be started', () => {
    const question = heard({ content: `<@${BOT}>, how tall?` });
    expect(question).toMatchObject({
      id: idFrom('discord', GUILD, CHANNEL, MESSAGE),
      workspace: GUILD,
      channel: CHANNEL,
      thread: { channel: MESSAGE, thread: MESSAGE },
      message: { channel: CHANNEL, message: MESSAGE },
      asker: { id: ADA.id, name: 'Ada' },
      text: 'how tall?',
      askedAt: NOW,
    });
  });

  test('threads and direct messages are their own conversation', () => {
    expect(heard({}, THREAD)?.thread).toMatchObject({ channel: CHANNEL, thread: CHANNEL });
    const direct = heard({ guild_id: undefined, channel_type: 1 }, null);
    expect(direct).toMatchObject({ workspace: '@me', thread: { channel: CHANNEL, thread: CHANNEL } });
  });

  test('a reply carries what it replies to', () => {
    const question = heard(replyTo(ours, { content: 'why?' }));
    expect(question).toMatchObject({
      repliesTo: { channel: CHANNEL, message: ours.id },
      quote: { text: '330 m [1]' },
      thread: { channel: MESSAGE, thread: MESSAGE },
    });
  });

  test('a forward is quoted without an author, and its files are named', () => {
    const message = {
      content: 'old words',
      attachments: [{ filename: 'map.png', content_type: 'image/png', size: 9 }],
    };
    const forward = {
      content: '',
      guild_id: undefined,
      message_reference: { type: 1, message_id: ours.id, channel_id: CHANNEL },
      message_snapshots: [{ message }],
    };
    expect(heard(forward, null)).toMatchObject({
      text: '',
      repliesTo: null,
      quote: { author: null, text: 'old words' },
      attachments: [{ name: 'map.png', type: 'image/png', bytes: 9 }],
    });
  });

  test('mark-up reads as words', () => {
    const content = `<@${BOT}> ask <@${ADA.id}> in <#${CHANNEL}> at <t:0:F> <a:wave:1> </ask:2> <@&3>`;
    expect(heard({ content, mentions: [{ id: BOT }, ADA] })?.text).toBe(
      'ask @Ada in #channel at 1970-01-01 00:00 :wave: /ask @role',
    );
  });

  test('the server’s name for a person goes before their own', () => {
    expect(heard({ content: `<@${BOT}> hi`, member: { nick: 'Countess' } })?.asker.name).toBe('Countess');
  });

  test('what a database refuses is left out', () => {
    expect(heard({ content: `<@${BOT}> a\u0000b \ud800` })?.text).toBe('ab \ufffd');
  });
});

describe('edits', () => {
  const edited = (fields: Fields, now = NOW) => {
    const edited_timestamp = new Date(NOW + 5_000).toISOString();
    const message = readMessage(payload({ edited_timestamp, ...fields }));
    return message && questionFromEdit(message, { botId: BOT, channel: TEXT }, now);
  };

  test('one that mentions us asks under the message’s own id', () => {
    const question = edited({ content: `<@${BOT}> hi` });
    expect(question).toMatchObject({ id: idFrom('discord', GUILD, CHANNEL, MESSAGE), trigger: 'mention' });
  });

  test.each([
    ['without a mention', { content: 'hi' }, NOW],
    ['of the preview only', { content: `<@${BOT}> hi`, edited_timestamp: null }, NOW],
    ['more than a day later', { content: `<@${BOT}> hi` }, NOW + 25 * 3_600_000],
  ])('one %s asks nothing', (_, fields, now) => {
    expect(edited(fields, now)).toBeNull();
  });
});

test('malformed payloads are no messages', () => {
  const broken = [
    null,
    [],
    'x',
    {},
    { id: MESSAGE },
    { id: 1, channel_id: 2 },
    { id: '__proto__', channel_id: CHANNEL },
  ];
  for (const value of broken) expect(readMessage(value)).toBeNull();
  const odd = {
    author: [],
    mentions: 'all',
    attachments: [null, 7],
    message_snapshots: {},
    referenced_message: 3,
  };
  expect(heard({ ...odd, content: { a: 1 }, type: 'x' })).toBeNull();
});
