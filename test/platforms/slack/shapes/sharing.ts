/** What people forward and link to. */
import { byGrace, file, GRACE, line, pasted, rich, type Shape, section, table, text } from './shape.ts';

const permalink = 'https://harbor.slack.example/archives/C1/p1';
const shared = (words: string, rest: object = {}) => ({
  is_share: true,
  is_msg_unfurl: true,
  author_id: GRACE,
  author_name: 'Grace Hopper',
  channel_id: 'C1',
  ts: '1764000000.000100',
  text: words,
  from_url: permalink,
  fallback: `[November 30th, 2026 9:00 AM] grace: ${words}`,
  footer: 'Posted in #general',
  ...rest,
});

export const SHARING: readonly Shape[] = [
  {
    name: 'the preview of a link',
    message: {
      text: 'Is <https://news.example/knot> true?',
      attachments: [
        {
          id: 1,
          service_name: 'Tidal News',
          title: 'Knots fly 9,000 km',
          title_link: 'https://news.example/knot',
          from_url: 'https://news.example/knot',
          original_url: 'https://news.example/knot',
          text: 'Without a single stop.',
          fallback: 'Tidal News: Knots fly 9,000 km',
        },
      ],
    },
    words: ['https://news.example/knot', '> Tidal News', '> Knots fly 9,000 km', '> Without a single stop.'],
  },
  {
    name: "another app's preview",
    message: {
      text: '<https://git.example/pull/7>',
      attachments: [
        {
          id: 1,
          app_unfurl_url: 'https://git.example/pull/7',
          is_app_unfurl: true,
          fallback: '[no preview available]',
          blocks: [section('*Count ruffs twice* by kim'), section('Fixes the spring total.')],
        },
      ],
    },
    words: ['https://git.example/pull/7', '> *Count ruffs twice* by kim', '> Fixes the spring total.'],
  },
  {
    name: 'a forwarded message with a comment',
    message: {
      text: 'Is that so?',
      attachments: [shared('Eiders &amp; smews <https://e.example|dive>', { author_name: 'Rosalind' })],
    },
    words: ['Is that so?', 'Rosalind', 'Eiders & smews dive (https://e.example)'],
  },
  {
    name: 'two forwarded messages and nothing else',
    message: { text: '', attachments: [shared('Rails are shy.'), shared('Crakes are shyer.')] },
    words: ['Rails are shy.', 'Crakes are shyer.'],
  },
  {
    name: 'a link to a message',
    message: {
      text: `<${permalink}>`,
      attachments: [{ ...shared('Phalaropes spin.'), is_share: undefined }],
    },
    words: ['Phalaropes spin.'],
  },
  {
    name: 'a forwarded message with files',
    message: { text: 'Read it', attachments: [shared('', { files: [file('stint.csv')] })] },
    words: ['Read it', 'stint.csv'],
  },
  {
    name: 'a forwarded alert',
    message: {
      text: 'What now?',
      attachments: [
        shared('', {
          author_id: 'B1',
          author_name: 'Alerts',
          message_blocks: [
            { team: 'T1', channel: 'C1', ts: '1.2', message: { blocks: [section('Nest camera 4 is dark')] } },
          ],
        }),
      ],
    },
    words: ['What now?', 'Nest camera 4 is dark'],
  },
  {
    name: 'a forwarded message that forwards one, with a table',
    message: {
      text: 'Sum up',
      attachments: [
        shared('See what he says', {
          message_blocks: [
            {
              message: {
                blocks: [rich(line(text('See what he says')))],
                attachments: [
                  shared('The totals:', { author_name: 'Linus' }),
                  ...pasted(table(['Dotterel', '17'])),
                ],
              },
            },
          ],
        }),
      ],
    },
    words: ['Sum up', 'See what he says', 'Linus', 'The totals:', 'Dotterel | 17'],
  },
].map(byGrace);
