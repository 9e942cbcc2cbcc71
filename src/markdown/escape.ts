/**
 * Makes text inert: no mention, no link, no mark-up under the platform's own parser. Everything here takes cleaned text
 * (`clean.ts`).
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

/** A zero-width space, which breaks a token that the platform cannot escape. */
export const BREAKER = '\u200b';

/** Three backticks end a code block on both platforms, anywhere in a line. */
export function withoutFences(code: string): string {
  return code.replace(/`{3,}/g, (run) => run.split('').join(BREAKER));
}

/** Both platforms accept double backticks around a backtick. */
export function codeSpan(code: string): string {
  const text = code.replace(/\s+/g, ' ').replace(/`(?=`)/g, `\`${BREAKER}`);
  if (text.trim() === '') return '';
  return text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``;
}

/**
 * Discord parses links before escapes and code: text between a link of ours and a later `](address)` would become a label.
 * Only an address makes it a link, so other code stays unchanged and can be copied.
 */
export function codeForDiscord(text: string): string {
  return text.replace(
    /\](?=\(\s*<?(?:https?|discord):\/\/)|(?<=^[^[]*)\](?=\((?:\s*$|[^\w\s&*)]))/gi,
    `]${BREAKER}`,
  );
}

export function codeForSlack(text: string): string {
  return neutralEntities(text).replace(/</g, '&lt;');
}

export function escapeForSlack(text: string, place: Place): string {
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

export function escapeForDiscord(text: string, place: Place): string {
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

export function escapeForMrkdwn(text: string): string {
  return codeForMrkdwn(text).replace(/@(?=(?:channel|everyone|here|group)\b)/gi, `@${BREAKER}`);
}

export function codeForMrkdwn(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

/** Plain text has no escapes: angle brackets become other ones, and what would be live is broken. */
export function escapeForPlain(text: string): string {
  return text
    .replace(/</g, '‹')
    .replace(/>/g, '›')
    .replace(/@(?=everyone|here|channel|group|$)|:(?=\/\/)/gi, `$&${BREAKER}`);
}

/** Breaks an address that stands outside a code span. */
export function codeForPlain(text: string): string {
  return escapeForPlain(text).replace(/[.:](?=[\p{L}\p{N}/])/gu, `$&${BREAKER}`);
}
