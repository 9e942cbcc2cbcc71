/** Meetings, feeds, reports and media of other apps. */
import { byApp, plain, type Shape, section, table } from './shape.ts';

export const REPORTS: readonly Shape[] = [
  {
    name: 'a meeting (calendar)',
    message: {
      text: '',
      attachments: [
        {
          fallback: 'Tide review',
          title: 'Tide review',
          text: 'Today from 3:00 PM to 3:30 PM',
          fields: [{ title: 'Where', value: 'Lighthouse room' }],
          author_name: 'Harbour calendar',
        },
      ],
    },
    words: ['Harbour calendar', 'Tide review', 'Today from 3:00 PM to 3:30 PM', 'Where: Lighthouse room'],
  },
  {
    name: 'a call',
    message: {
      text: 'A call began',
      blocks: [
        {
          type: 'call',
          call_id: 'R1',
          call: { v1: { id: 'R1', name: 'Mooring sync call began', join_url: 'https://z.example' } },
        },
      ],
    },
    words: ['Mooring sync call began'],
  },
  {
    name: 'a feed with a preview (RSS)',
    message: {
      text: '<https://feed.example/1|Spring tide records>',
      attachments: [
        {
          from_url: 'https://feed.example/1',
          title: 'Highest in ten years',
          text: 'Measured on Tuesday.',
          fallback: 'Highest in ten years',
        },
      ],
    },
    words: ['Spring tide records (https://feed.example/1)', 'Highest in ten years', 'Measured on Tuesday.'],
  },
  {
    name: 'plain words of a webhook',
    message: { text: 'Backup of *tides* done in 3 min, next <!date^1764000000^{date_short}|24 Nov 2025>' },
    words: ['Backup of *tides* done in 3 min, next 24 Nov 2025'],
  },
  {
    name: 'Markdown of an agent',
    message: {
      text: 'Summary',
      blocks: [
        { type: 'markdown', text: '## Summary of tides\n\n- Low at **06:12**\n- a < b, <@U0000GRACE|grace>' },
      ],
    },
    words: ['## Summary of tides', 'Low at **06:12**', 'a < b, @grace'],
  },
  {
    name: 'a table with numbers',
    message: {
      text: 'Weekly figures',
      blocks: [
        section('Weekly figures'),
        table(['Port', 'Ships'], ['Elsmoor', { type: 'raw_number', value: 41, text: '41' }]),
      ],
    },
    words: ['Weekly figures', 'Port | Ships', 'Elsmoor | 41'],
  },
  {
    name: 'a data table',
    message: {
      text: '',
      blocks: [
        { ...table(['Gauge', 'cm'], ['Inner', '212']), type: 'data_table', caption: 'Gauges at noon' },
      ],
    },
    words: ['Gauges at noon', 'Gauge | cm', 'Inner | 212'],
  },
  {
    name: 'a video',
    message: {
      text: '',
      blocks: [
        {
          type: 'video',
          video_url: 'https://v.example/embed',
          thumbnail_url: 'https://v.example/t.png',
          alt_text: 'thumbnail',
          title: plain('How locks work'),
          title_url: 'https://v.example/1',
          description: plain('Filmed at the north gate'),
          author_name: 'Canal school',
        },
      ],
    },
    words: ['How locks work', 'https://v.example/1', 'Filmed at the north gate', 'Canal school'],
  },
  {
    name: 'a picture with its title',
    message: {
      text: '',
      blocks: [
        {
          type: 'image',
          image_url: 'https://i.example/1.png',
          title: plain('Radar at 9'),
          alt_text: 'Rain over the bay',
        },
      ],
    },
    words: ['Radar at 9', 'Rain over the bay'],
  },
  {
    name: 'a form in a message',
    message: {
      text: '',
      blocks: [
        {
          type: 'input',
          label: plain('What went well at sea?'),
          hint: plain('One line is enough'),
          element: { type: 'plain_text_input' },
        },
      ],
    },
    words: ['What went well at sea?', 'One line is enough'],
  },
  {
    name: 'an alert block',
    message: { text: '', blocks: [{ type: 'alert', level: 'warning', text: plain('Gale from the west') }] },
    words: ['Gale from the west'],
  },
].map(byApp);
