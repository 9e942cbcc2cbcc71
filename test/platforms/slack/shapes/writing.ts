/** What people write, paste and attach. */
import { byGrace, file, GRACE, line, pasted, rich, type Shape, table, text } from './shape.ts';

export const WRITING: readonly Shape[] = [
  {
    name: 'plain words',
    message: { text: 'The kestrel nests in May.' },
    words: ['The kestrel nests in May.'],
  },
  {
    name: 'escaped characters',
    message: { text: 'Is 3 &lt; 5 &amp;&amp; 7 &gt; 2 true?' },
    words: ['Is 3 < 5 && 7 > 2 true?'],
  },
  {
    name: 'links, with a label and without, and an address',
    message: {
      text: 'See <https://plovers.example/a?b=1&amp;c=2|the survey>, <https://stork.example/> or <mailto:kim@owl.example|kim@owl.example>',
    },
    words: ['the survey (https://plovers.example/a?b=1&c=2)', 'https://stork.example/', 'kim@owl.example'],
  },
  {
    name: 'mentions of people, groups, channels and all',
    message: {
      text: `Ask <@${GRACE}>, <!subteam^S1|@ornithology> and <!here> in <#C000RANDOM|random> about it`,
    },
    words: ['@ornithology and @here in #random about it'],
  },
  { name: 'emoji', message: { text: 'Shipped :rocket: to the heronry' }, words: [':rocket: to the heronry'] },
  {
    name: 'a block of code',
    message: { text: 'Why?\n```const egret = 1 &lt; 2;\nthrow egret;```' },
    words: ['const egret = 1 < 2;', 'throw egret;'],
  },
  {
    name: 'a quotation',
    message: { text: '&gt; Bitterns boom at dusk.\nIs that right?' },
    words: ['> Bitterns boom at dusk.', 'Is that right?'],
  },
  {
    name: 'a list, as text and as rich text',
    message: {
      text: 'Pick:\n• avocet\n• dunlin\n    ◦ winter dunlin',
      blocks: [
        rich(line(text('Pick:\n')), {
          type: 'rich_text_list',
          style: 'bullet',
          indent: 0,
          elements: [line(text('avocet')), line(text('dunlin'))],
        }),
      ],
    },
    words: ['• avocet', '• dunlin', '◦ winter dunlin'],
  },
  {
    name: 'rich text without text',
    message: {
      text: '',
      blocks: [
        rich(
          line(text('Steps of the '), text('curlew', { bold: true }), text(' count:\n')),
          {
            type: 'rich_text_list',
            style: 'ordered',
            indent: 0,
            elements: [line(text('find the mudflat')), line(text('wait for low tide'))],
          },
          { type: 'rich_text_quote', elements: [text('Never at noon.')] },
          { type: 'rich_text_preformatted', elements: [text('count --species curlew')] },
        ),
      ],
    },
    words: [
      'Steps of the curlew count:',
      '1. find the mudflat',
      '2. wait for low tide',
      '> Never at noon.',
      'count --species curlew',
    ],
  },
  {
    name: 'a pasted table',
    message: {
      text: 'which supports X?',
      attachments: pasted(table(['Name', 'X'], ['Alpha', rich(line(text('yes')))])),
    },
    words: ['which supports X?', 'Name | X', 'Alpha | yes'],
  },
  {
    name: 'a table among the blocks',
    message: {
      text: 'who is largest?',
      blocks: [rich(line(text('who is largest?'))), table(['Bird', 'Span'], ['Gannet', '180 cm'])],
    },
    words: ['who is largest?', 'Bird | Span', 'Gannet | 180 cm'],
  },
  {
    name: 'two pasted tables and nothing else',
    message: { text: '', attachments: pasted(table(['Tern', '1']), table(['Skua', '2'])) },
    words: ['Tern | 1', 'Skua | 2'],
  },
  {
    name: 'a table with links, emoji and lines in its cells',
    message: {
      text: 'compare',
      attachments: pasted(
        table(
          ['Site', 'Note'],
          [
            rich(line({ type: 'link', url: 'https://fen.example/', text: 'the fen' })),
            rich(line({ type: 'emoji', name: 'warning', unicode: '26a0' }, text(' flooded\nuntil spring'))),
          ],
        ),
      ),
    },
    words: ['the fen (https://fen.example/) | :warning: flooded until spring'],
  },
  {
    name: 'a file with a comment',
    message: { subtype: 'file_share', text: 'What does the osprey report say?', files: [file('osprey.pdf')] },
    words: ['What does the osprey report say?'],
    files: ['osprey.pdf'],
  },
  {
    name: 'a snippet',
    message: {
      subtype: 'file_share',
      text: 'Explain the query',
      files: [file('smew.sql', { mode: 'snippet', mimetype: 'text/plain', filetype: 'sql' })],
    },
    words: ['Explain the query'],
    files: ['smew.sql'],
  },
  {
    name: 'a picture with a description',
    message: {
      subtype: 'file_share',
      text: 'Which bird?',
      files: [file('IMG_1.png', { mimetype: 'image/png', alt_txt: 'A wader with a curved bill' })],
    },
    words: ['Which bird?', 'A wader with a curved bill'],
    files: ['IMG_1.png'],
  },
  {
    name: 'a voice clip with its transcript',
    message: {
      subtype: 'file_share',
      text: '',
      files: [
        file('audio_message.m4a', {
          subtype: 'slack_audio',
          transcription: {
            status: 'complete',
            preview: { content: 'We saw six whimbrels', has_more: false },
          },
        }),
      ],
    },
    words: ['We saw six whimbrels'],
    files: ['audio_message.m4a'],
  },
  {
    name: 'a document of another service',
    message: {
      text: 'Sum this up',
      files: [file('Ringing plan', { mode: 'external', is_external: true, external_type: 'gdrive' })],
    },
    words: ['Sum this up'],
    files: ['Ringing plan'],
  },
  {
    name: 'files that Slack no longer shows',
    message: {
      text: 'And these?',
      files: [
        { id: 'F1', mode: 'tombstone' },
        { id: 'F2', mode: 'hidden_by_limit' },
      ],
    },
    words: ['And these?'],
    files: ['a deleted file', "a file beyond the workspace's limit"],
  },
  {
    name: 'a file of another workspace that is still to be checked',
    message: { text: 'From our partner', files: [{ id: 'F1', file_access: 'check_file_info' }] },
    words: ['From our partner'],
  },
  {
    name: 'a forwarded e-mail',
    message: {
      subtype: 'file_share',
      text: '',
      files: [
        file('Permit', {
          mode: 'email',
          filetype: 'email',
          subject: 'Your ringing permit',
          from: [{ name: 'Bird Office', address: 'office@permits.example' }],
          plain_text: 'It ends on 3 March.',
        }),
      ],
    },
    words: ['Your ringing permit', 'From: Bird Office', 'It ends on 3 March.'],
  },
  {
    name: 'a canvas with words',
    message: { text: 'Check our plan', files: [file('Launch plan', { mode: 'quip', filetype: 'quip' })] },
    words: ['Check our plan'],
    files: ['Launch plan'],
  },
  {
    name: '/me',
    message: { subtype: 'me_message', text: 'wonders about grebes' },
    words: ['wonders about grebes'],
  },
].map(byGrace);
