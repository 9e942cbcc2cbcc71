/**
 * What differs between the two platforms' Markdown, and nothing else. Everything here gets cleaned text (`clean.ts`), and
 * everything it returns is inert under the platform's own parser, not only under ours.
 */

/** Where a stretch of literal text will stand. */
export interface Place {
  /** Nothing but mark-up of ours stands before it on its line. */
  readonly lineStart: boolean;
  /** The character before it; empty at a line start. */
  readonly before: string;
  /** It stands in a cell of a table. */
  readonly cell: boolean;
  /** It stands between the brackets of a link. */
  readonly label: boolean;
}

export interface Dialect {
  readonly name: 'slack' | 'discord' | 'mrkdwn' | 'plain';
  /** Where a part ends at the latest, in the platform's unit. */
  readonly softLimit: number;
  /** What the platform refuses beyond. */
  readonly hardLimit: number;
  /** Room kept in a part for a link to each source it cites while the sources are not known yet. */
  readonly linkReserve: number;
  /** The most that is kept for them, as a share of the soft limit: words come first. */
  readonly mostReserved: number;
  /** Nested lists deeper than this are drawn at this depth. */
  readonly maxListDepth: number;
  readonly maxQuoteDepth: number;
  readonly maxHeading: number;
  /** Tables stay tables; otherwise they become code blocks or rows. */
  readonly hasTables: boolean;
  /** Blocks inside list items keep the item's indentation. */
  readonly indentsFences: boolean;
  readonly rule: string;
  /** What opens and closes a block of code. */
  readonly fence: string;
  readonly task: (done: boolean) => string;
  /** The length the platform counts. */
  readonly measure: (text: string) => number;
  /** Literal text, no newline in it. */
  readonly escape: (text: string, place: Place) => string;
  /** The inside of a code block. */
  readonly code: (text: string) => string;
  /** Code in a line of text; empty for nothing visible. */
  readonly codeSpan: (text: string) => string;
  /** The end of an emphasis is looked for before code: a mark inside code would end it, and the code be text. */
  readonly marksEndInCode: boolean;
  /** What opens and closes an emphasis. */
  readonly mark: (kind: 'strong' | 'em' | 'del') => string;
  /** A link with a label that is mark-up already; `target` from `linkTarget`. */
  readonly link: (label: string, target: string) => string;
  /** A citation marker that leads to its source. */
  readonly cite: (number: number, target: string) => string;
  /** Stands between such a marker and a letter, digit or marker beside it, where only the number is seen; else empty. */
  readonly citeGap: string;
}

/** Invisible, and keeps a token from being one where a platform knows no escape. */
export const BREAKER = '\u200b';

/** Slack's standard Markdown (`markdown_text`, `markdown` blocks). Limits: facts measured by others, 9,500 of about 12,000. */
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
  // Slack looks for `<…>` tokens before it looks for code.
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
  // With what lies between the limits, four or five links.
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
  // Angle brackets keep the preview away.
  link: (label, target) => `[${label}](<${target}>)`,
  cite: (number, target) => `[[${number}]](<${target}>)`,
  citeGap: '',
};

/** Three backticks end a block on both platforms wherever they stand. */
export function withoutFences(code: string): string {
  return code.replace(/`{3,}/g, (run) => run.split('').join(BREAKER));
}

const MARKS = { strong: '**', em: '*', del: '~~' } as const;

/** Both platforms understand two backticks around one. */
function codeSpan(code: string): string {
  const text = code.replace(/\s+/g, ' ').replace(/`(?=`)/g, `\`${BREAKER}`);
  if (text.trim() === '') return '';
  return text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``;
}

/**
 * Discord looks for the end of a link before it looks for escapes and code: what stands between a link of ours and a later
 * `](address)` would become that link's label. Only an address makes it one, so that other code stays as it can be copied.
 */
function codeForDiscord(text: string): string {
  return text.replace(
    /\](?=\(\s*<?(?:https?|discord):\/\/)|(?<=^[^[]*)\](?=\((?:\s*$|[^\w\s&*)]))/gi,
    `]${BREAKER}`,
  );
}

function codeForSlack(text: string): string {
  return neutralEntities(text).replace(/</g, '&lt;');
}

/** Nothing in it that any platform would act on, but for a line start and what stands before. */
const INERT = /^[\p{L}\p{N} ,.;'’"!?-]*$/u;

function isInert(text: string, { lineStart }: Place): boolean {
  return !lineStart && INERT.test(text);
}

function escapeForSlack(text: string, place: Place): string {
  if (isInert(text, place)) return text;
  // Between spaces it is a star.
  if (text === '*' && !place.lineStart) return text;
  const escaped = neutralEntities(text)
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/\\(?=[!-/:-@[-`{-~]|$)/g, '\\\\')
    .replace(/[*`]|~(?=~)|(?<=\S)~(?=\S)|(?<=~)~/g, '\\$&')
    .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '\\_')
    .replace(/\](?=[([:])/g, ']\\')
    .replace(/@(?=(?:channel|everyone|here|group)\b)/gi, `@${BREAKER}`);
  const joined = place.before === ']' && /^[([:]/.test(escaped) ? `\\${escaped}` : escaped;
  const labelled = place.label ? joined.replace(/(?<!\\)[[\]]/g, '\\$&') : joined;
  const inCell = place.cell ? labelled.replace(/\|/g, '\\|') : labelled;
  return place.lineStart ? escapeLineStart(inCell).replace(/^(\s*)([|=])/, '$1\\$2') : inCell;
}

function escapeForDiscord(text: string, place: Place): string {
  if (isInert(text, place)) return text;
  const escaped = text
    .replace(/[\\*_~`|[<]/g, '\\$&')
    .replace(/(?<=<)@|@(?=everyone|here)/gi, `@${BREAKER}`)
    .replace(/(?<=<)(?=[#:/]|(?:a|t|id):)/gi, BREAKER)
    // An escape does not help here: see `codeForDiscord`.
    .replace(/\](?=\()/g, `]${BREAKER}`);
  const joined = place.before === ']' && escaped.startsWith('(') ? BREAKER + escaped : escaped;
  const labelled = place.label ? joined.replace(/\]/g, '\\]') : joined;
  return place.lineStart ? escapeLineStart(labelled).replace(/^(\s*)>/, '$1\\>') : labelled;
}

/** What would open a heading, a list, a rule or small text at the start of a line. */
function escapeLineStart(text: string): string {
  return text
    .replace(/^(\s*)(#{1,6}(?:\s|$)|-#|[-+](?:\s|$)|-{2,})/, '$1\\$2')
    .replace(/^(\s*\d{1,9})([.)](?:\s|$))/, '$1\\$2');
}

/** `&` stays itself in Slack's Markdown, except where it would be read as an entity. */
function neutralEntities(text: string): string {
  return text.replace(/&(?=#?\w{1,31};)/g, '&amp;');
}

function codePoints(text: string): number {
  let pairs = 0;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xdc00 && unit <= 0xdfff) pairs += 1;
  }
  return text.length - pairs;
}

/** What a text reads as: no mark-up of any platform, no token either would act on. */
export const plainDialect: Dialect = {
  ...discordMarkdown,
  name: 'plain',
  softLimit: Number.POSITIVE_INFINITY,
  hardLimit: Number.POSITIVE_INFINITY,
  maxQuoteDepth: 0,
  maxHeading: 0,
  fence: '',
  escape: plainEscape,
  code: plainCode,
  codeSpan: plainCode,
  mark: () => '',
  link: (label) => label,
  cite: (number) => `[${number}]`,
};

/** Slack's older mark-up, which has no escapes but the three entities. */
export const mrkdwnDialect: Dialect = {
  ...discordMarkdown,
  name: 'mrkdwn',
  softLimit: Number.POSITIVE_INFINITY,
  hardLimit: Number.POSITIVE_INFINITY,
  maxHeading: 0,
  escape: mrkdwnEscape,
  code: entities,
  codeSpan: (text) => codeSpan(entities(text)).replace(/^`` | ``$/g, '`'),
  mark: (kind) => ({ strong: '*', em: '_', del: '~' })[kind],
  link: (label, target) => `<${target}|${label}>`,
  cite: (number, target) => `<${target}|[${number}]>`,
};

function mrkdwnEscape(text: string): string {
  return entities(text).replace(/@(?=(?:channel|everyone|here|group)\b)/gi, `@${BREAKER}`);
}

function entities(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

function plainEscape(text: string): string {
  return text
    .replace(/</g, '‹')
    .replace(/>/g, '›')
    .replace(/@(?=everyone|here|channel|group|$)|:(?=\/\/)/gi, `$&${BREAKER}`);
}

/** Without a code span around it, an address must fall apart by itself. */
function plainCode(text: string): string {
  return plainEscape(text).replace(/[.:](?=[\p{L}\p{N}/])/gu, `$&${BREAKER}`);
}
