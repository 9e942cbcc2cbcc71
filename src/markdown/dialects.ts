/** The differences between the platforms' Markdown. */
import {
  codeForDiscord,
  codeForMrkdwn,
  codeForPlain,
  codeForSlack,
  codeSpan,
  escapeForDiscord,
  escapeForMrkdwn,
  escapeForPlain,
  escapeForSlack,
  type Place,
} from './escape.ts';

export interface Dialect {
  readonly name: 'slack' | 'discord' | 'mrkdwn' | 'plain';
  /** The longest part, in the platform's unit. */
  readonly softLimit: number;
  /** The platform's own limit. */
  readonly hardLimit: number;
  /** The room reserved in a part for the link to each source it cites, while the sources are unknown. */
  readonly linkReserve: number;
  /** The largest reserved share of the soft limit. */
  readonly mostReserved: number;
  /** Deeper lists are drawn at this depth. */
  readonly maxListDepth: number;
  readonly maxQuoteDepth: number;
  readonly maxHeading: number;
  /** Whether the platform shows tables; otherwise they become code blocks or lists. */
  readonly hasTables: boolean;
  /** Whether code blocks inside list items keep the item's indentation. */
  readonly indentsFences: boolean;
  readonly rule: string;
  /** The fence of a code block. */
  readonly fence: string;
  readonly task: (done: boolean) => string;
  /** Measures text in the platform's unit. */
  readonly measure: (text: string) => number;
  /** Escapes literal text of one line. */
  readonly escape: (text: string, place: Place) => string;
  /** Makes the content of a code block inert. */
  readonly code: (text: string) => string;
  /** Writes inline code; empty when nothing in it is visible. */
  readonly codeSpan: (text: string) => string;
  /** Whether the platform matches emphasis before code, so that a mark inside code ends the emphasis. */
  readonly marksEndInCode: boolean;
  /** The delimiter of an emphasis. */
  readonly mark: (kind: 'strong' | 'em' | 'del') => string;
  /** Writes a link. `label` is mark-up already; `target` comes from `linkTarget`. */
  readonly link: (label: string, target: string) => string;
  /** Writes a linked citation marker. */
  readonly cite: (number: number, target: string) => string;
  /** Separates a linked marker from a neighbouring letter, digit or marker where only its number is visible; else empty. */
  readonly citeGap: string;
}

const MARKS = { strong: '**', em: '*', del: '~~' } as const;

/** Slack's standard Markdown (`markdown_text`, `markdown` blocks). Slack takes about 12,000 characters. */
export const slackMarkdown: Dialect = {
  name: 'slack',
  softLimit: 9_500,
  hardLimit: 12_000,
  linkReserve: 120,
  mostReserved: 0.5,
  maxListDepth: 8,
  maxQuoteDepth: 3,
  maxHeading: 6,
  hasTables: true,
  indentsFences: true,
  rule: '---',
  fence: '```',
  task: (done) => (done ? '[x] ' : '[ ] '),
  measure: (text) => text.length,
  escape: escapeForSlack,
  // Slack parses `<…>` tokens before code.
  code: codeForSlack,
  codeSpan: (text) => codeSpan(codeForSlack(text)),
  marksEndInCode: false,
  mark: (kind) => MARKS[kind],
  link: (label, target) => `[${label}](${target})`,
  cite: (number, target) => `[${number}](${target})`,
  citeGap: '\u2009',
};

/** Discord's Markdown in plain message content: 2,000 characters, counted as code points. */
export const discordMarkdown: Dialect = {
  name: 'discord',
  softLimit: 1_900,
  hardLimit: 2_000,
  linkReserve: 60,
  // With the room between the limits: four or five links.
  mostReserved: 0.08,
  maxListDepth: 5,
  maxQuoteDepth: 1,
  maxHeading: 3,
  hasTables: false,
  indentsFences: false,
  rule: '⎯⎯⎯',
  fence: '```',
  task: (done) => (done ? '☑ ' : '☐ '),
  measure: codePoints,
  escape: escapeForDiscord,
  code: codeForDiscord,
  codeSpan: (text) => codeSpan(codeForDiscord(text)),
  marksEndInCode: true,
  mark: (kind) => MARKS[kind],
  // Angle brackets suppress the preview.
  link: (label, target) => `[${label}](<${target}>)`,
  cite: (number, target) => `[[${number}]](<${target}>)`,
  citeGap: '',
};

/** Plain text: no mark-up of any platform, no live token. */
export const plainDialect: Dialect = {
  ...discordMarkdown,
  name: 'plain',
  softLimit: Number.POSITIVE_INFINITY,
  hardLimit: Number.POSITIVE_INFINITY,
  maxQuoteDepth: 0,
  maxHeading: 0,
  fence: '',
  escape: escapeForPlain,
  code: codeForPlain,
  codeSpan: codeForPlain,
  mark: () => '',
  link: (label) => label,
  cite: (number) => `[${number}]`,
};

/** Slack's older mark-up, whose only escapes are three codeForMrkdwn. */
export const mrkdwnDialect: Dialect = {
  ...discordMarkdown,
  name: 'mrkdwn',
  softLimit: Number.POSITIVE_INFINITY,
  hardLimit: Number.POSITIVE_INFINITY,
  maxHeading: 0,
  escape: escapeForMrkdwn,
  code: codeForMrkdwn,
  codeSpan: (text) => codeSpan(codeForMrkdwn(text)).replace(/^`` | ``$/g, '`'),
  mark: (kind) => ({ strong: '*', em: '_', del: '~' })[kind],
  link: (label, target) => `<${target}|${label}>`,
  cite: (number, target) => `<${target}|[${number}]>`,
};

function codePoints(text: string): number {
  let pairs = 0;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xdc00 && unit <= 0xdfff) pairs += 1;
  }
  return text.length - pairs;
}
