/** What newer and older apps post beside that: cards, plans, rich text, bare fallbacks. */
import { button, byApp, file, line, mrkdwn, plain, rich, type Shape, section, text } from './shape.ts';

export const CARDS: readonly Shape[] = [
  {
    name: 'cards',
    message: {
      text: '',
      blocks: [
        {
          type: 'carousel',
          elements: [
            {
              type: 'card',
              title: mrkdwn('Berth 12'),
              subtitle: mrkdwn('free until six'),
              body: mrkdwn('Depth 4 m'),
              actions: [button('Book')],
            },
            { type: 'card', title: mrkdwn('Berth 14') },
          ],
        },
      ],
    },
    words: ['Berth 12', 'free until six', 'Depth 4 m', 'Berth 14'],
  },
  {
    name: 'a container',
    message: {
      text: '',
      blocks: [
        {
          type: 'container',
          title: plain('Night watch'),
          subtitle: plain('crew of two'),
          child_blocks: [section('Lamp checked')],
        },
      ],
    },
    words: ['Night watch', 'crew of two', 'Lamp checked'],
  },
  {
    name: 'the plan of an agent',
    message: {
      text: 'Done',
      blocks: [
        {
          type: 'plan',
          title: 'Looked into the leak',
          tasks: [
            {
              type: 'task_card',
              task_id: '1',
              title: 'Read the log',
              status: 'complete',
              output: rich(line(text('Valve 3 was open'))),
              sources: [{ type: 'url', url: 'https://log.example/', text: 'the log book' }],
            },
          ],
        },
      ],
    },
    words: [
      'Looked into the leak',
      'Read the log',
      'Valve 3 was open',
      'the log book (https://log.example/)',
    ],
  },
  {
    name: 'pictures in a context',
    message: {
      text: '',
      blocks: [
        section('Deploy to the *breakwater*'),
        {
          type: 'context',
          elements: [
            { type: 'image', image_url: 'https://i.example/a.png', alt_text: 'green light' },
            mrkdwn('by kim'),
          ],
        },
      ],
    },
    words: ['Deploy to the *breakwater*', 'green light by kim'],
  },
  {
    name: 'text that says more than its blocks',
    message: { text: 'Sluice 2 opened at 04:10 by remote command', blocks: [section('Sluice 2')] },
    words: ['Sluice 2 opened at 04:10 by remote command'],
  },
  {
    name: 'nothing but a fallback',
    message: { text: '', attachments: [{ fallback: 'Ferry 9 is late', color: 'danger' }] },
    words: ['Ferry 9 is late'],
  },
  {
    name: 'several alerts at once',
    message: {
      text: '',
      attachments: ['north', 'south', 'west'].map((name) => ({
        title: `Probe ${name} lost`,
        fallback: `Probe ${name} lost`,
      })),
    },
    words: ['Probe north lost', 'Probe south lost', 'Probe west lost'],
  },
  {
    name: 'rich text of an app',
    message: {
      text: 'Report',
      blocks: [
        rich(
          line(
            text('Report of '),
            { type: 'date', timestamp: 1_764_000_000, format: '{date}', fallback: '24 November' },
            text(' for '),
            { type: 'broadcast', range: 'here' },
            text(', colour '),
            { type: 'color', value: '#20808D' },
          ),
          {
            type: 'rich_text_list',
            style: 'ordered',
            indent: 1,
            offset: 2,
            elements: [
              line(text('grease the '), text('hinge', { code: true }), {
                type: 'link',
                url: 'https://hinge.example/',
              }),
            ],
          },
        ),
      ],
    },
    words: [
      'Report of 24 November for @here, colour #20808D',
      '  3. grease the `hinge`https://hinge.example/',
    ],
  },
  {
    name: 'a file by an app',
    message: { subtype: undefined, text: 'Daily export', files: [file('export.csv')] },
    words: ['Daily export'],
    files: ['export.csv'],
  },
  {
    name: 'buttons of the old kind',
    message: {
      text: 'Approve the dredging?',
      attachments: [
        {
          text: 'Cost: 4,000',
          fallback: 'no buttons here',
          callback_id: 'c',
          actions: [{ name: 'ok', type: 'button', text: 'OK' }],
        },
      ],
    },
    words: ['Approve the dredging?', 'Cost: 4,000'],
  },
  {
    name: 'the same words in text and attachment',
    message: {
      text: '*Lock 5* jammed again',
      attachments: [{ text: 'Lock 5 jammed again', fallback: 'Lock 5 jammed again' }],
    },
    words: ['jammed again'],
  },
].map(byApp);
