import { ALERT, ALERTED } from './embeds.ts';
import type { Shape } from './shape.ts';

const text = (content: string) => ({ type: 10, content });
const button = (label: string) => ({ type: 2, style: 1, label, custom_id: label });

/** What else webhooks and bots post: components, responses to commands, messages of followed channels. */
export const OTHERS: readonly Shape[] = [
  {
    name: 'words with buttons',
    by: 'bot',
    sent: {
      content: 'Pick a role',
      components: [{ type: 1, components: [button('Cooks'), button('Readers')] }],
    },
    says: ['Pick a role'],
    hides: ['Cooks', 'Readers'],
  },
  {
    name: 'words with a menu',
    by: 'bot',
    sent: {
      content: 'Pick a colour',
      components: [
        {
          type: 1,
          components: [
            { type: 3, custom_id: 'c', placeholder: 'Colours', options: [{ label: 'Blue', value: 'b' }] },
          ],
        },
      ],
    },
    says: ['Pick a colour'],
    hides: ['Colours', 'Blue'],
  },
  {
    name: 'a text display',
    by: 'bot',
    sent: { components: [text('Deploy failed at step 3')] },
    says: ['Deploy failed at step 3'],
  },
  {
    name: 'a container with a section, its picture and a button',
    by: 'bot',
    sent: {
      components: [
        {
          type: 17,
          accent_color: 1,
          components: [
            text('## Release 3'),
            {
              type: 9,
              components: [text('Faster carts'), text('Fewer bugs')],
              accessory: { type: 11, media: { url: 'https://x.example/r.png' }, description: 'A rocket' },
            },
            { type: 14, divider: true },
            { type: 1, components: [button('Roll back')] },
            { type: 9, components: [text('By Grace')], accessory: button('Profile') },
          ],
        },
      ],
    },
    says: ['## Release 3', 'Faster carts', 'Fewer bugs', 'A rocket', 'By Grace'],
    hides: ['Roll back', 'Profile'],
  },
  {
    name: 'a gallery with words in the place of its pictures',
    by: 'bot',
    sent: {
      components: [
        {
          type: 12,
          items: [
            { media: { url: 'https://x.example/1.png' }, description: 'North face' },
            { media: { url: 'https://x.example/2.png' }, description: 'South face' },
          ],
        },
      ],
    },
    says: ['North face', 'South face'],
  },
  {
    name: 'mark-up in a text display',
    by: 'bot',
    sent: { components: [{ type: 17, components: [text('<@GRACE> opened a ticket in <#RANDOM>')] }] },
    says: ['@Admiral opened a ticket in #random'],
  },
  {
    name: 'text displays between lines',
    by: 'webhook',
    sent: {
      components: [text('First part'), { type: 14 }, text('Second part'), { type: 14 }, text('Third part')],
    },
    says: ['First part', 'Second part', 'Third part'],
  },
  {
    name: 'the response of another bot to a command',
    by: 'bot',
    sent: { content: 'It is 12 °C in Oslo', command: { name: 'weather', user: 'grace' } },
    says: ['It is 12 °C in Oslo'],
  },
  {
    name: 'an embed in response to a command',
    by: 'bot',
    sent: {
      embeds: [{ title: 'Rank 4', description: '1,200 points' }],
      command: { name: 'rank', user: 'grace' },
    },
    says: ['Rank 4', '1,200 points'],
  },
  {
    name: 'the response of another bot to a command of a message’s menu',
    by: 'bot',
    sent: { content: 'In English: good day', command: { name: 'Translate', user: 'grace', menu: true } },
    says: ['In English: good day'],
  },
  {
    name: 'a message of a channel that is followed',
    by: 'webhook',
    sent: { name: 'Acme #news', content: 'We moved to Oslo', crosspost: true },
    says: ['We moved to Oslo'],
  },
  {
    name: 'an embed of a channel that is followed',
    by: 'webhook',
    sent: { embeds: [ALERT], crosspost: true },
    says: ALERTED,
  },
  {
    name: 'a log of moderators',
    by: 'bot',
    sent: {
      embeds: [
        {
          author: { name: 'Linus (42)' },
          description: '**Message edited in <#RANDOM>**',
          fields: [
            { name: 'Before', value: 'helo' },
            { name: 'After', value: 'hello' },
          ],
          footer: { text: 'ID: 42' },
        },
      ],
    },
    says: ['Linus (42)', '**Message edited in #random**', 'Before: helo', 'After: hello', 'ID: 42'],
  },
  {
    name: 'a welcome',
    by: 'bot',
    sent: { content: 'Welcome <@GRACE>! Read <#RANDOM>.' },
    says: ['Welcome @Admiral! Read #random.'],
  },
  {
    name: 'a poll of a bot',
    by: 'bot',
    sent: { content: 'Vote:', poll: { question: 'Next game?', answers: ['Chess', 'Go'], counts: [0, 2] } },
    isNotForwarded: true,
    says: ['Vote:', 'Next game?', 'Chess (0 votes)', 'Go (2 votes)'],
  },
  {
    name: 'a file with words and an embed',
    by: 'bot',
    sent: {
      content: 'Nightly report',
      attachments: [{ filename: 'report.csv', text: 'a,b' }],
      embeds: [{ title: '3 failures' }],
    },
    says: ['Nightly report', '3 failures'],
  },
  {
    name: 'a sticker of a bot beside words',
    by: 'bot',
    sent: { content: 'Level up!', stickers: ['Trophy'] },
    says: ['Level up!', 'Trophy'],
  },
  {
    name: 'a reply of a bot',
    by: 'bot',
    sent: { content: 'Reminder: buy milk', replyTo: 'EARLIER' },
    says: ['Reminder: buy milk'],
  },
  {
    name: 'a notice with an author alone',
    by: 'webhook',
    sent: { embeds: [{ author: { name: 'Ada joined the board' } }] },
    says: ['Ada joined the board'],
  },
];
