/** How a message is read where kinds of content meet; `message-shapes.test.ts` has the kinds. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressesOthers } from '../../../src/platforms/slack/decode-text.ts';
import { quotesOf, readMessage } from '../../../src/platforms/slack/read-message.ts';
import { READER, SELF } from './payloads.ts';
import { actions, button, cell, file, line, pasted, rich, section, table, text } from './shapes/shape.ts';

const read = (message: unknown) => readMessage(message, READER);

describe('the words of a message', () => {
  test('a pasted table is rows of cells below what was written', () => {
    const event = {
      user: 'U1',
      text: 'which supports X?',
      attachments: pasted(table(['Name', 'X'], ['Alpha', rich(line(text('yes')))])),
    };
    expect(read(event).text).toBe('which supports X?\n\nName | X\nAlpha | yes');
  });

  test("an alert's attachment is its title, text and fields", () => {
    const attachment = {
      fallback: 'DiskFull db1',
      title: 'DiskFull',
      text: 'db1 is at 99 %',
      fields: [{ title: 'Severity', value: 'critical' }],
    };
    expect(read({ bot_id: 'B2', text: '', attachments: [attachment] }).text).toBe(
      'DiskFull\ndb1 is at 99 %\nSeverity: critical',
    );
  });

  test('of an app, what says more is read: the blocks, or the text for notifications', () => {
    const blocks = [section('Build 421'), section('failed on main')];
    expect(read({ bot_id: 'B2', text: 'Build 421', blocks }).text).toBe('Build 421\nfailed on main');
    expect(read({ bot_id: 'B2', text: 'Build 421 failed on main after 3 min', blocks }).text).toBe(
      'Build 421 failed on main after 3 min',
    );
    expect(read({ bot_id: 'B2', text: "This content can't be displayed.", blocks: [] }).text).toBe('');
  });

  test('of a person the text is read, not the same again from rich text', () => {
    const message = { user: 'U1', text: '*Why* &lt; how?', blocks: [rich(line(text('Why < how?')))] };
    expect(read(message).text).toBe('*Why* < how?');
  });

  test('somebody known is mentioned by name, in text and in rich text', () => {
    const blocks = [
      rich(line({ type: 'user', user_id: 'U9' }, text(' and '), { type: 'user', user_id: 'U8' })),
    ];
    expect(read({ user: 'U1', text: 'ask <@U9> and <@U8>' }).text).toBe('ask @Grace and @U8');
    expect(read({ bot_id: 'B1', blocks }).text).toBe('@Grace and @U8');
  });

  test('what only can be pressed is not read', () => {
    const blocks = [section('Deploy?', { accessory: button('Details') }), actions(button('Yes'))];
    expect(read({ bot_id: 'B1', blocks }).text).toBe('Deploy?');
  });

  test('what came over the Web API can be stored', () => {
    expect(read({ user: 'U1', text: 'a\u0000b\ud800' }).text).toBe('ab\ufffd');
    expect(read({ bot_id: 'B1', blocks: [table([cell('x\u0000')])] }).text).toBe('x');
  });

  test('a quotation in rich text is told from the words around it', () => {
    const quote = { type: 'rich_text_quote', elements: [text('Never\nat noon.')] };
    expect(read({ bot_id: 'B1', blocks: [rich(line(text('He says:')), quote)] }).text).toBe(
      'He says:\n> Never\n> at noon.',
    );
  });

  test('what Slack puts in the place of words is none of them', () => {
    const attachments = [{ fallback: '[no preview available]', blocks: [{ type: 'divider' }] }];
    expect(read({ bot_id: 'B1', text: 'Deployed', attachments }).text).toBe('Deployed');
  });

  test('of a hostile one only so much is looked at', () => {
    const wide = rich(line(...Array.from({ length: 100_000 }, () => text('x'))));
    expect(read({ bot_id: 'B1', blocks: [wide] }).text).toMatch(/^x{9000,10000}$/);
    const deep = Array.from({ length: 9_000 }).reduce<object>((inner) => rich(inner), text('x'));
    expect(read({ bot_id: 'B1', text: 'why?', blocks: [deep] }).text).toBe('why?');
  });

  test('a very long message is cut, and says so', () => {
    const blocks = Array.from({ length: 10 }, () => section('word '.repeat(600)));
    const words = read({ bot_id: 'B1', blocks, attachments: [{ text: 'z'.repeat(90_000) }] }).text;
    expect(words).toMatch(/^word .*z\n\[… shortened\]$/s);
    expect(words.length).toBeLessThan(60_100);
  });
});

describe('a message pointed at', () => {
  const share = { is_share: true, author_name: 'Grace', text: 'Rails are shy.', files: [file('rail.csv')] };

  test('that only shares another is the one it shares', () => {
    expect(quotesOf({ user: 'U1', text: '', attachments: [share] }, 'Ada', READER)).toMatchObject([
      { author: 'Grace', text: 'Rails are shy.', attachments: [{ name: 'rail.csv' }] },
    ]);
  });

  test('that says something about what it shares is both', () => {
    const quotes = quotesOf({ user: 'U1', text: 'See', attachments: [share, share] }, 'Ada', READER);
    expect(quotes.map(({ author, text }) => [author, text])).toEqual([
      ['Ada', 'See'],
      ['Grace', 'Rails are shy.'],
      ['Grace', 'Rails are shy.'],
    ]);
  });

  test("that shares an app's message in the older fields is read by them", () => {
    const alert = {
      is_share: true,
      author_name: 'Alerts',
      title: 'DiskFull',
      fields: [{ title: 'On', value: 'db1' }],
    };
    expect(quotesOf({ attachments: [alert] }, null, READER)).toEqual([
      { author: 'Alerts', text: 'DiskFull\nOn: db1', attachments: [] },
    ]);
  });

  test('that shares one that shares another is read three deep', () => {
    const nested = (depth: number): object => ({
      is_share: true,
      text: `share ${depth}`,
      ...(depth < 6 && { attachments: [nested(depth + 1)] }),
    });
    const quotes = quotesOf({ attachments: [nested(1)] }, null, READER);
    expect(quotes.map((quote) => quote.text)).toEqual(['share 1', 'share 2', 'share 3']);
  });

  test('its author is looked up where the share does not name them', () => {
    const nameless = { ...share, author_name: undefined, author_id: 'U9' };
    expect(quotesOf({ attachments: [nameless] }, null, READER)).toMatchObject([{ author: 'Grace' }]);
  });

  test.each([
    ['a huddle', { subtype: 'huddle_thread', text: '', room: { id: 'R1' } }],
    ['a canvas', { text: '', files: [file('Plan', { mode: 'quip' })] }],
    ['a list', { text: '', files: [file('Tasks', { mode: 'list' })] }],
    ['a deleted file', { text: '', files: [{ id: 'F1', mode: 'tombstone' }] }],
    ["a file beyond the workspace's limit", { text: '', files: [{ id: 'F1', mode: 'hidden_by_limit' }] }],
    ['a deleted message', { subtype: 'tombstone', text: 'This message was deleted.' }],
    ['only a picture without words', { blocks: [{ type: 'image', image_url: 'https://i.example/1' }] }],
    ['only a picture without words', { attachments: [{ image_url: 'https://i.example/1.gif' }] }],
    ['only buttons', { text: "This content can't be displayed.", blocks: [actions(button('OK'))] }],
    ['no words', { text: ' ', blocks: [{ type: 'divider' }] }],
    ['no words', 7],
  ])('without anything to read says so: %s', (unreadable, message) => {
    expect(quotesOf(message, 'Alerts', READER)).toEqual([
      { author: 'Alerts', text: '', attachments: [], unreadable },
    ]);
  });

  test.each([
    ['words', { text: 'hello', files: [file('Plan', { mode: 'quip' })] }],
    ['a file', { files: [file('a.pdf')] }],
    ['a shared message', { attachments: [share] }],
  ])('with %s is readable', (_what, message) => {
    for (const quote of quotesOf(message, null, READER)) expect(quote).not.toHaveProperty('unreadable');
  });
});

describe('files', () => {
  test.each([
    [
      file('a.pdf', { mimetype: 'application/pdf' }),
      'a.pdf',
      'application/pdf',
      'https://files.example/F0001/a.pdf',
    ],
    [
      { title: 'Plan', mode: 'external', url_private: 'https://drive.example/1' },
      'Plan',
      null,
      'https://drive.example/1',
    ],
    [{ id: 'F1', file_access: 'check_file_info' }, 'a file', null, null],
  ])('%j has a name, a type and an address', (given, name, type, url) => {
    expect(read({ user: 'U1', text: 'x', files: [given] }).attachments).toMatchObject([{ name, type, url }]);
  });
});

describe('who is addressed', () => {
  test.each([
    '<@U2> can you take this one?',
    '<@U2|grace> look',
    '<!subteam^S1|@ops> look',
    '<!subteam^S1>',
    '<!here> look',
    '<!channel>',
    '<!everyone|@everyone> lunch',
  ])('others, by %s', (words) => {
    expect(addressesOthers(words, SELF)).toBe(true);
  });

  test.each([
    '<@U2> <@UBOT> compare these',
    '<!here> <@UBOT|footnote> why?',
    'see <#C1|general> and <https://example.org>',
    'why does `<@U2>` not work?',
    '```<!here>```',
    '&lt;@U2&gt;',
    'due <!date^1764000000^{date}|today>',
    '',
  ])('nobody else, by %s', (words) => {
    expect(addressesOthers(words, SELF)).toBe(false);
  });
});

test('whatever it is, it is read or said not to be readable, without an error', () => {
  const types =
    'rich_text section rich_text_list table data_table text link date user plan mrkdwn raw_number call image'.split(
      ' ',
    );
  const keys =
    'text elements fields rows title url style type accessory options tasks offset indent value call v1'.split(
      ' ',
    );
  const parts =
    'text blocks attachments files user bot_id is_share message_blocks message fields mode from room'.split(
      ' ',
    );
  const { node } = fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 6 },
      fc.constantFrom<unknown>(null, 7, true, '', '<@U1>', '&lt;', ...types),
      fc.array(tie('node'), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom(...keys, ...parts), fc.oneof(tie('node'), fc.constantFrom(...types)), {
        maxKeys: 5,
      }),
    ),
  }));
  const message = fc.oneof(node, fc.dictionary(fc.constantFrom(...parts), node));
  fc.assert(
    fc.property(message, (one) => {
      const { text, quotes, attachments, unreadable } = read(one);
      expect(typeof text).toBe('string');
      expect(unreadable === undefined).toBe(text !== '' || quotes.length > 0 || attachments.length > 0);
      for (const quote of quotesOf(one, null, READER))
        expect(quote.unreadable === undefined).toBe(quote.text !== '' || quote.attachments.length > 0);
    }),
    { numRuns: 1_000 },
  );
});
