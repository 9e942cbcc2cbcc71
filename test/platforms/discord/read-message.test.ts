/** Messages that Discord does not send: nothing is thrown, and the work is bounded. */
import { describe, expect, test } from 'vitest';
import type { Names } from '../../../src/platforms/discord/markup.ts';
import { readMessage, readQuote } from '../../../src/platforms/discord/read-message.ts';

const nobody: Names = { person: () => null, role: () => null, channel: () => null };

const KEYS = [
  'type, flags, content, embeds, components, attachments, sticker_items, poll, message_snapshots, mentions, author, webhook_id',
  'referenced_message, message, title, description, fields, name, value, footer, text, image, items, media, file, accessory',
  'question, answers, poll_media, emoji, results, answer_counts, count, url, filename, timestamp, id, attachment_id',
].flatMap((line) => line.split(', '));
const ODD = [
  null,
  undefined,
  0,
  -1,
  Number.NaN,
  1e99,
  '',
  'x',
  '\ud800\u0000',
  true,
  [],
  {},
  [null],
  [[]],
  [1, 'x'],
  17,
  21,
];

/** Any JSON of these keys, from a seed. */
function nonsense(seed: { n: number }, depth = 0): unknown {
  const next = (): number => (seed.n = (seed.n * 48_271) % 2_147_483_647);
  if (depth > 3 || next() % 3 === 0) return ODD[next() % ODD.length];
  if (next() % 3 === 0) return Array.from({ length: next() % 4 }, () => nonsense(seed, depth + 1));
  const keys = Array.from({ length: 1 + (next() % 4) }, () => KEYS[next() % KEYS.length] ?? '');
  return Object.fromEntries(keys.map((key) => [key, nonsense(seed, depth + 1)]));
}

test('nonsense is read as words or nothing', () => {
  const seed = { n: 1 };
  for (let i = 0; i < 1_500; i++) {
    const message = Object.fromEntries(KEYS.map((key) => [key, nonsense(seed)]));
    const { text, attachments } = readMessage(message, nobody);
    const quote = readQuote(message, nobody);
    expect(typeof text).toBe('string');
    expect(JSON.stringify([text, attachments, quote])).not.toContain('\\u0000');
    if (quote.text || quote.attachments.length > 0) expect(quote.unreadable).toBeUndefined();
    else expect(quote.unreadable).toBeTruthy();
  }
});

/** Something inside something, as deep as it goes. */
function nest(depth: number, wrap: (inner: object) => object): object {
  let inner: object = { type: 10, content: 'deep' };
  for (let i = 0; i < depth; i++) inner = wrap(inner);
  return inner;
}

describe('hostile', () => {
  const many = <T>(of: T, n = 100_000): T[] => Array.from({ length: n }, () => of);
  const long = 'x'.repeat(1_000_000);
  test.each<[string, object]>([
    ['embeds', { embeds: many({ title: long, fields: many({ name: 'n', value: long }, 100) }) }],
    ['components', { components: many({ type: 17, components: many({ type: 10, content: long }, 100) }) }],
    [
      'components in components',
      { components: [nest(50_000, (inner) => ({ type: 17, components: [inner] }))] },
    ],
    [
      'forwards',
      { message_snapshots: many({ message: { content: long, embeds: many({ title: long }, 100) } }) },
    ],
    ['forwards in forwards', nest(50_000, (message) => ({ message_snapshots: [{ message }] }))],
    [
      'files',
      { attachments: many({ filename: long, title: long, url: `https://${long}`, description: long }) },
    ],
    [
      'votes',
      {
        poll: {
          answers: many({ answer_id: 1, poll_media: { text: 'a' } }),
          results: { answer_counts: many({ id: 1, count: 1 }) },
        },
      },
    ],
    ['stickers', { sticker_items: many({ name: long }) }],
    ['mentions', { content: '<@1>'.repeat(250_000), mentions: many({ id: '2', username: long }) }],
    ['backticks', { content: '`'.repeat(500_000) }],
    ['fences', { content: '```a'.repeat(250_000) }],
    ['open marks', { content: '</'.repeat(250_000) + '<t:'.repeat(100_000) + '<:a'.repeat(100_000) }],
    ['names of fields', { embeds: [{ fields: many({ name: '\u200b '.repeat(250_000), value: 'x' }) }] }],
    ['words of a thread’s beginning', { type: 21, referenced_message: { content: long } }],
  ])('%s', (_, message) => {
    const startedAt = process.cpuUsage();
    const quote = readQuote({ ...message }, nobody);
    const { user, system } = process.cpuUsage(startedAt);
    expect((user + system) / 1_000, 'milliseconds').toBeLessThan(300);
    expect(JSON.stringify(quote).length).toBeLessThan(3_000_000);
  });
});
