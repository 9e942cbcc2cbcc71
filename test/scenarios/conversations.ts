/**
 * The conversations that must read the same on Slack and Discord: who says what where, and what everybody must find in the
 * answer. What the stand-in for Perplexity answers is listed in `test/servers/perplexity/topics.ts`.
 */
export interface Step {
  readonly say: string;
  /** `follow` goes on in the conversation's place, without a mention. */
  readonly how: 'mention' | 'direct' | 'follow';
  /** Words of the answer, in order, as read by a person. */
  readonly reads: readonly string[];
  /** The platforms draw it differently (Discord has no tables): only the words that occur are compared. */
  readonly isTable?: boolean;
  /** Numbers of the sources listed under it. */
  readonly sources: readonly number[];
  /** Beginnings of sentences of ours under the text. */
  readonly notices?: readonly string[];
  readonly buttons?: readonly string[];
}

export interface Conversation {
  readonly name: string;
  readonly steps: readonly Step[];
}

export const CONVERSATIONS: readonly Conversation[] = [
  {
    name: 'a mention is answered with sources, and a follow-up from context',
    steps: [
      {
        say: 'How did the tidal arrays do?',
        how: 'mention',
        reads: [
          'You asked',
          'How did the tidal arrays do',
          'better than expected',
          'second winter confirms the first',
        ],
        sources: [1, 2, 3, 4],
      },
      {
        say: 'what did I ask before?',
        how: 'follow',
        reads: ['Before this you asked', 'How did the tidal arrays do', 'Nothing newer'],
        sources: [1, 2, 3],
      },
    ],
  },
  {
    name: 'a second thread knows nothing of the first',
    steps: [
      {
        say: 'what did I ask before?',
        how: 'mention',
        reads: ['You asked', 'what did I ask before', 'better than expected'],
        sources: [1, 2, 3, 4],
      },
    ],
  },
  {
    name: 'a direct message is answered, and remembered',
    steps: [
      {
        say: 'Is the report out?',
        how: 'direct',
        reads: ['You asked', 'Is the report out'],
        sources: [1, 2, 3, 4],
      },
      {
        say: 'what did I ask before?',
        how: 'follow',
        reads: ['Before this you asked', 'Is the report out'],
        sources: [1, 2, 3],
      },
    ],
  },
  {
    name: 'a table keeps its cells',
    steps: [
      {
        say: 'Show me a table of the sites',
        how: 'mention',
        reads: [
          'North Sound',
          '31 4',
          'Pentle Firth',
          '17 9',
          'cable repaired',
          'Ramsey Race',
          'North Sound leads',
        ],
        isTable: true,
        sources: [1, 4, 5],
      },
    ],
  },
  {
    name: 'code stays code',
    steps: [
      {
        say: 'Give me the code',
        how: 'mention',
        reads: ['def capacity factor', 'gwh 1000', 'returns about', '0 299', 'python', 'yearly report'],
        sources: [1, 3],
      },
    ],
  },
  {
    name: 'citations that lead nowhere stay text',
    steps: [
      {
        say: 'Something out of range please',
        how: 'mention',
        reads: ['arrays delivered', 'its origin is doubtful 99'],
        sources: [1, 2],
      },
    ],
  },
  {
    name: 'an answer without sources says so',
    steps: [
      {
        say: 'Tell me with no sources',
        how: 'mention',
        reads: ['Two and two are four'],
        sources: [],
        notices: ['⚠ No web sources were used for this answer.'],
      },
    ],
  },
  {
    name: 'sources that come late are linked all the same',
    steps: [
      {
        say: 'Something with late sources',
        how: 'mention',
        reads: ['You asked', 'late sources'],
        sources: [1, 2, 3],
      },
    ],
  },
  {
    name: 'an upstream failure is explained',
    steps: [
      {
        say: 'Please fault:403',
        how: 'mention',
        reads: ['I m not set up correctly please tell whoever runs me'],
        sources: [],
      },
      {
        say: 'Then fault:400',
        how: 'follow',
        reads: ['I couldn t send that'],
        sources: [],
      },
    ],
  },
  {
    name: 'a cut stream keeps what came and offers to go on',
    steps: [
      {
        say: 'Tell me and fault:cut',
        how: 'mention',
        reads: ['You asked', 'Cut off'],
        sources: [],
        notices: ['⚠ Cut off'],
        buttons: ['Continue', 'Retry'],
      },
    ],
  },
];
