/** What a person wrote, over a real socket, as the question holds it. */
import { expect, test } from 'vitest';
import { ADA, allAcknowledged, GENERAL, listening } from './setup.ts';

const DM = 'D000000ADA';

test('files are named, with their type and size', async () => {
  const { server, intake } = await listening();
  const files = [{ name: 'report.pdf', mimetype: 'application/pdf', size: 2_000_000 }];
  server.say({ user: ADA, channel: GENERAL, text: '@footnote what does it say?', files });
  await allAcknowledged(server);
  expect(intake.questions).toMatchObject([
    {
      text: 'what does it say?',
      attachments: [{ name: 'report.pdf', type: 'application/pdf', bytes: 2_000_000 }],
    },
  ]);
});

test('a forwarded message is quoted with its author, mark-up decoded', async () => {
  const { server, intake } = await listening();
  const preview = { from_url: 'https://example.org', title: 'a page', text: 'its words' };
  const shared = { is_share: true, author_name: 'Grace', text: 'A &amp; B, see <https://example.org|this>' };
  server.event({
    channel: DM,
    event: { type: 'message', user: ADA, text: 'is that so?', attachments: [preview, shared] },
  });
  await allAcknowledged(server);
  const quote = { author: 'Grace', text: 'A & B, see this (https://example.org)' };
  const text = 'is that so?\n\n> a page\n> its words';
  expect(intake.questions).toMatchObject([{ text, quotes: [quote] }]);
});

test.each([
  ['@footnote is 3 < 5 & 7 > 2?', 'is 3 < 5 & 7 > 2?'],
  ['why? @footnote', 'why?'],
  ['@footnote ask @grace in #random', 'ask @U0000GRACE in #random'],
  ['@footnote see <https://example.org/a?b=1|the page>', 'see the page (https://example.org/a?b=1)'],
  ['@footnote @here everybody', '@here everybody'],
])('%s is read as %s', async (typed, text) => {
  const { server, intake } = await listening();
  server.say({ user: ADA, channel: GENERAL, text: typed });
  await allAcknowledged(server);
  expect(intake.questions).toMatchObject([{ text }]);
});

test('nothing reaches the store that it could not hold: NUL, half a surrogate pair', async () => {
  const { server, intake } = await listening();
  const files = [{ name: 're\u0000port\ud800.pdf', mimetype: 'application/pdf', size: 1 }];
  server.event({ channel: DM, event: { type: 'message', user: ADA, text: 'w\u0000hy\udc00?', files } });
  await allAcknowledged(server);
  expect(intake.questions).toMatchObject([
    { text: 'why\ufffd?', attachments: [{ name: 'report\ufffd.pdf' }] },
  ]);
});
