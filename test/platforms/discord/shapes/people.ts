import type { Shape } from './shape.ts';

/** What people write. */
export const PEOPLES: readonly Omit<Shape, 'by'>[] = [
  { name: 'a sentence', sent: { content: 'The tower is 330 m tall' }, says: ['The tower is 330 m tall'] },
  {
    name: 'paragraphs with headings, quotes, lists and subtext',
    sent: { content: '# Heights\n> they said 300\n\n- Paris: 330\n- Tokyo: 333\n-# last checked today' },
    says: ['# Heights', 'they said 300', '- Paris: 330', '- Tokyo: 333', '-# last checked today'],
  },
  {
    name: 'code with mark-up in it',
    sent: { content: 'why does ``<@GRACE> ` `` and\n```js\nsend(`<#RANDOM>`)\n```\nnot ping?' },
    says: ['why does ``<@', '> ` `` and', 'send(`<#', 'not ping?'],
    hides: ['@Admiral', '#random'],
  },
  { name: 'a person', sent: { content: 'ask <@GRACE> about it' }, says: ['ask @Admiral about it'] },
  { name: 'a person, old style', sent: { content: 'ask <@!GRACE> now' }, says: ['ask @Admiral now'] },
  { name: 'a role', sent: { content: 'for <@&READERS> only' }, says: ['for @readers only'] },
  { name: 'a channel', sent: { content: 'see <#RANDOM> for it' }, says: ['see #random for it'] },
  {
    name: 'a channel that not everybody sees',
    sent: { content: 'see <#SECRET> for it' },
    says: ['see #channel for it'],
    hides: ['secret-plans'],
  },
  {
    name: 'emoji of its own and everybody’s',
    sent: { content: 'ship it <:shipit:100000000000000001> <a:party:100000000000000002> 🎉' },
    says: ['ship it :shipit: :party: 🎉'],
  },
  {
    name: 'moments',
    sent: { content: 'launch <t:1793491200:R>, that is <t:1793491200>, not <t:99999999999:F>' },
    says: ['launch 2026-11-01 00:00, that is 2026-11-01 00:00, not 5138-11-16 09:46'],
  },
  { name: 'a command', sent: { content: 'try </ask:100000000000000001> it' }, says: ['try /ask it'] },
  {
    name: 'a place of the server',
    sent: { content: 'go to <id:customize> first' },
    says: ['go to customize first'],
  },
  {
    name: 'a spoiler',
    sent: { content: 'the killer is ||the butler||' },
    says: ['the killer is', 'the butler'],
  },
  {
    name: 'links with labels and without previews',
    sent: { content: 'read [the report](https://a.example/r?x=1&y=2) and <https://b.example/>' },
    says: ['the report', 'https://a.example/r?x=1&y=2', 'https://b.example/'],
  },
  {
    name: 'a link with the preview of an article',
    sent: {
      content: 'is it so? https://news.example/tower',
      embeds: [
        { type: 'article', url: 'https://news.example/tower', title: 'Tower grows', description: 'By 6 m' },
      ],
    },
    says: ['is it so? https://news.example/tower'],
    hides: ['Tower grows', 'By 6 m'],
  },
  {
    name: 'a link with the preview of a post',
    sent: {
      content: 'https://social.example/1 really?',
      embeds: [
        {
          type: 'rich',
          url: 'https://social.example/1',
          description: 'I say so',
          author: { name: 'Poster' },
        },
      ],
    },
    says: ['https://social.example/1 really?'],
    hides: ['I say so', 'Poster'],
    isNotForwarded: true,
  },
  {
    name: 'a moving picture from the picker',
    sent: {
      content: 'https://tenor.example/view/cat-1',
      embeds: [{ type: 'gifv', url: 'https://tenor.example/view/cat-1', provider: { name: 'Tenor' } }],
    },
    says: ['https://tenor.example/view/cat-1'],
    hides: ['Tenor\n'],
  },
  {
    name: 'a picture with a caption and words in its place',
    sent: {
      content: 'our sales',
      attachments: [{ filename: 'chart.png', contentType: 'image/png', description: 'Sales doubled in May' }],
    },
    says: ['our sales', 'Sales doubled in May'],
  },
  {
    name: 'a picture with words in its place only',
    sent: {
      attachments: [{ filename: 'map.webp', contentType: 'image/webp', description: 'The way to the tower' }],
    },
    says: ['The way to the tower'],
  },
  {
    name: 'words with a sticker',
    sent: { content: 'good morning', stickers: ['Wumpus waves'] },
    says: ['good morning', 'Wumpus waves'],
  },
  {
    name: 'a poll without counts',
    sent: { poll: { question: 'Where to eat?', answers: ['Thai place', 'Pizza corner'] } },
    isNotForwarded: true,
    says: ['Where to eat?', 'Thai place', 'Pizza corner'],
  },
  {
    name: 'a poll with counts',
    sent: { poll: { question: 'Which day?', answers: ['On Monday', 'On Friday'], counts: [3, 1] } },
    isNotForwarded: true,
    says: ['Which day?', 'On Monday (3 votes)', 'On Friday (1 vote)'],
  },
  {
    name: 'many scripts',
    sent: { content: 'Привет, これは何ですか？ مرحبا 👩‍👩‍👧 a\u0301' },
    says: ['Привет, これは何ですか？ مرحبا 👩‍👩‍👧 a\u0301'],
  },
  { name: 'everybody', sent: { content: 'hey @everyone, lunch' }, says: ['hey @everyone, lunch'] },
  {
    name: 'things that look like mark-up',
    sent: { content: 'if a <b & c> d <@x> <#y> <t:z>' },
    says: ['if a <b & c> d <@x> <#y> <t:z>'],
  },
];
