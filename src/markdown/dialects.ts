/**
 * The differences between the platforms' Markdown, and what makes text inert in each: no mention, no link, no mark-up under the
 * platform's own parser. Everything here takes cleaned text (`clean.ts`).
 */

/** Where literal text will stand. */
export interface Place {
  /** Whether it begins its line, apart from our own mark-up. */
  readonly lineStart: boolean;
  /** The character before it; empty at a line start. */
  readonly before: string;
  /** Whether it stands in a table cell. */
  readonly cell: boolean;
  /** Whether it is the label of a link. */
  readonly label: boolean;
}

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
  /** Separates the mark of an emphasis from a letter beside which CommonMark would not see it; empty where it is seen. */
  readonly markGap: string;
  /** Whether the platform links domains and mail addresses without a scheme. */
  readonly linksBare: boolean;
}

const THIN_SPACE = '\u2009';

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
  citeGap: THIN_SPACE,
  markGap: THIN_SPACE,
  linksBare: true,
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
  markGap: '',
  linksBare: false,
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
  linksBare: true,
};

/** Slack's older mark-up, whose only escapes are three entities. */
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
  linksBare: true,
};

function codePoints(text: string): number {
  let pairs = 0;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xdc00 && unit <= 0xdfff) pairs += 1;
  }
  return text.length - pairs;
}

/** A zero-width space, which breaks a token that the platform cannot escape. */
export const BREAKER = '\u200b';

/** Three backticks end a code block on both platforms, anywhere in a line. */
export function withoutFences(code: string): string {
  return code.replace(/`{3,}/g, (run) => run.split('').join(BREAKER));
}

/** Both platforms accept double backticks around a backtick. */
function codeSpan(code: string): string {
  const text = code.replace(/\s+/g, ' ').replace(/`(?=`)/g, `\`${BREAKER}`);
  if (text.trim() === '') return '';
  return text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``;
}

/**
 * Discord parses links before escapes and code: text between a link of ours and a later `](address)` would become a label.
 * Only an address makes it a link, so other code stays unchanged and can be copied.
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

function escapeForSlack(text: string, place: Place): string {
  // A star between spaces is no mark.
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
  const escaped = text
    .replace(/[\\*_~`|[<]/g, '\\$&')
    .replace(/(?<=<)@|@(?=everyone|here)/gi, `@${BREAKER}`)
    .replace(/(?<=<)(?=[#:/]|(?:a|t|id):)/gi, BREAKER)
    // An escape does not help: see `codeForDiscord`.
    .replace(/\](?=\()/g, `]${BREAKER}`);
  const joined = place.before === ']' && escaped.startsWith('(') ? BREAKER + escaped : escaped;
  const labelled = place.label ? joined.replace(/\]/g, '\\]') : joined;
  return place.lineStart ? escapeLineStart(labelled).replace(/^(\s*)>/, '$1\\>') : labelled;
}

/** Escapes what begins a heading, a list, a rule or small text. */
function escapeLineStart(text: string): string {
  return text
    .replace(/^(\s*)(#{1,6}(?:\s|$)|-#|[-+](?:\s|$)|-{2,})/, '$1\\$2')
    .replace(/^(\s*\d{1,9})([.)](?:\s|$))/, '$1\\$2');
}

/** `&` is literal in Slack's Markdown, unless it begins an entity. */
function neutralEntities(text: string): string {
  return text.replace(/&(?=#?\w{1,31};)/g, '&amp;');
}

function escapeForMrkdwn(text: string): string {
  return codeForMrkdwn(text).replace(/@(?=(?:channel|everyone|here|group)\b)/gi, `@${BREAKER}`);
}

function codeForMrkdwn(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

/** Plain text has no escapes: angle brackets become other ones, and what would be live is broken. */
function escapeForPlain(text: string): string {
  return text
    .replace(/</g, '‹')
    .replace(/>/g, '›')
    .replace(/@(?=everyone|here|channel|group|$)|:(?=\/\/)/gi, `$&${BREAKER}`);
}

/** Breaks an address that stands outside a code span. */
function codeForPlain(text: string): string {
  return escapeForPlain(text).replace(/[.:](?=[\p{L}\p{N}/])/gu, `$&${BREAKER}`);
}
