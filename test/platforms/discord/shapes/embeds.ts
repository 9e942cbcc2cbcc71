import type { Shape } from './shape.ts';

export const ALERT = {
  type: 'rich',
  title: 'Disk full',
  description: 'db1 is at 99%',
  color: 15158332,
  fields: [
    { name: 'Host', value: 'db1', inline: true },
    { name: 'Log', value: 'line one\nline two' },
  ],
  footer: { text: 'Watchdog' },
  timestamp: '2026-11-01T10:20:30.000Z',
};
/** What it says. */
export const ALERTED = [
  'Disk full',
  'db1 is at 99%',
  'Host: db1',
  'Log: line one',
  'line two',
  'Watchdog · 2026-11-01 10:20',
];

/** What webhooks and bots post in embeds. */
export const EMBEDS: readonly Shape[] = [
  {
    name: 'words of a webhook',
    by: 'webhook',
    sent: { name: 'Deploys', content: 'v2.1 is live' },
    says: ['v2.1 is live'],
  },
  { name: 'an alert', by: 'webhook', sent: { name: 'Watchdog', embeds: [ALERT] }, says: ALERTED },
  {
    name: 'an alert with words and a link above it',
    by: 'webhook',
    sent: { content: '**Firing** see https://grafana.example/d/1', embeds: [ALERT] },
    says: ['**Firing** see https://grafana.example/d/1', ...ALERTED],
  },
  {
    name: 'a push, as GitHub tells it',
    by: 'webhook',
    sent: {
      name: 'GitHub',
      embeds: [
        {
          type: 'rich',
          author: { name: 'octocat', url: 'https://github.com/octocat' },
          title: '[acme/site:main] 2 new commits',
          url: 'https://github.com/acme/site/compare/a...b',
          description:
            '[`6dcb09b`](https://github.com/acme/site/commit/6dcb09b) Fix the cart - octocat\n[`aa218f5`](https://github.com/acme/site/commit/aa218f5) Add a test - hubot',
        },
      ],
    },
    says: [
      'octocat',
      '[acme/site:main] 2 new commits',
      'https://github.com/acme/site/compare/a...b',
      'Fix the cart - octocat',
      'Add a test - hubot',
    ],
  },
  {
    name: 'an issue, as GitHub tells it',
    by: 'webhook',
    sent: {
      embeds: [
        {
          type: 'rich',
          author: { name: 'mona' },
          title: '[acme/site] Issue opened: #7 Cart is empty',
          url: 'https://github.com/acme/site/issues/7',
          description: 'Steps:\r\n1. add\r\n2. reload',
        },
      ],
    },
    says: [
      'mona',
      'Issue opened: #7 Cart is empty',
      'https://github.com/acme/site/issues/7',
      'Steps:',
      '1. add',
      '2. reload',
    ],
  },
  {
    name: 'a comment, as GitHub tells it',
    by: 'webhook',
    sent: {
      embeds: [
        {
          type: 'rich',
          author: { name: 'mona' },
          title: '[acme/site] New comment on pull request #8: Pay by card',
          url: 'https://github.com/acme/site/pull/8#issuecomment-1',
          description: 'Does this handle refunds?',
        },
      ],
    },
    says: ['New comment on pull request #8: Pay by card', 'Does this handle refunds?'],
  },
  {
    name: 'a build with nothing but its title',
    by: 'webhook',
    sent: { embeds: [{ type: 'rich', title: 'Build 512 failed', url: 'https://ci.example/512' }] },
    says: ['Build 512 failed (https://ci.example/512)'],
  },
  {
    name: 'an exception in fields side by side',
    by: 'webhook',
    sent: {
      embeds: [
        {
          title: 'TypeError: x is undefined',
          fields: [
            { name: 'environment', value: 'production', inline: true },
            { name: 'release', value: '1.2.3', inline: true },
            { name: 'Tags', value: '`browser: Firefox`', inline: false },
          ],
        },
      ],
    },
    says: [
      'TypeError: x is undefined',
      'environment: production',
      'release: 1.2.3',
      'Tags: `browser: Firefox`',
    ],
  },
  {
    name: 'fields without names',
    by: 'bot',
    sent: {
      embeds: [
        {
          fields: [
            { name: '\u200b', value: 'only a value' },
            { name: '** **', value: 'x' },
          ],
        },
      ],
    },
    says: ['only a value', '** **: x'],
    hides: ['\u200b'],
  },
  {
    name: 'two alerts',
    by: 'bot',
    sent: { embeds: [ALERT, { title: 'Disk fine', description: 'db2 is at 9%' }] },
    says: [...ALERTED, 'Disk fine', 'db2 is at 9%'],
  },
  {
    name: 'ten embeds',
    by: 'webhook',
    sent: {
      embeds: Array.from({ length: 10 }, (_, n) => ({ title: `Entry ${n}.`, description: `Text ${n}.` })),
    },
    says: Array.from({ length: 10 }, (_, n) => [`Entry ${n}.`, `Text ${n}.`]).flat(),
  },
  {
    name: 'mark-up in an embed',
    by: 'bot',
    sent: {
      embeds: [{ title: 'Case 12', description: '<@GRACE> was warned in <#RANDOM> <t:0:d> by <@&READERS>' }],
    },
    says: ['Case 12', '@Admiral was warned in #random 1970-01-01 00:00 by @readers'],
  },
  {
    name: 'a picture with words in its place, in an embed',
    by: 'bot',
    sent: {
      embeds: [{ title: 'Map', image: { url: 'https://x.example/a.png', description: 'A red roof' } }],
    },
    says: ['Map', 'A red roof'],
  },
  {
    name: 'a feed: a link with its preview',
    by: 'bot',
    sent: {
      content: 'New: https://blog.example/1',
      embeds: [{ type: 'article', url: 'https://blog.example/1', title: 'We grew', description: 'By a lot' }],
    },
    says: ['New: https://blog.example/1'],
    hides: ['We grew', 'By a lot'],
  },
  {
    name: 'an embed that says what the words above it say',
    by: 'bot',
    sent: { content: 'Server restarts at noon', embeds: [{ description: 'Server restarts at noon' }] },
    says: ['Server restarts at noon'],
  },
  {
    name: 'what plays',
    by: 'bot',
    sent: {
      embeds: [
        {
          author: { name: 'Now playing', icon_url: 'https://x.example/i.png' },
          title: 'Song 2',
          url: 'https://music.example/song2',
          thumbnail: { url: 'https://x.example/t.png' },
          fields: [{ name: 'Duration', value: '2:01' }],
          footer: { text: 'Asked for by Ada' },
        },
      ],
    },
    says: ['Now playing', 'Song 2 (https://music.example/song2)', 'Duration: 2:01', 'Asked for by Ada'],
  },
];
