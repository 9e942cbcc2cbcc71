/**
 * Finds the end of inline mark-up in one pass from left to right, so that a stream can be shown up to the first open mark. The
 * content is parsed by `inline-parse.ts`.
 */
import { citationEnd, isWideBegun } from './citations.ts';
import { Delimiters, isDelimiter, type Pair, readRun } from './emphasis.ts';
import { readTag } from './html-tags.ts';

/** Longer code in a line is text. */
const LONGEST_CODE = 1_200;

/** A longer label of a link is text, and so is one with more brackets in each other. */
const LONGEST_LABEL = 400;
const MOST_BRACKETS = 8;

/** A link's address may be longer, because nobody waits to read it. */
export const TARGET_LIMIT = 2_000;

const LONGEST_RUN = 32;

/** The characters that can begin mark-up. */
const SPECIAL = /[\\`*_~[!<$【［]/;

const AUTOLINK = /<[a-z][a-z0-9+.-]{1,31}:[^\s<>]*>/iy;
const AUTOLINK_BEGUN = /^<(?:[a-z][a-z0-9+.-]{0,31}(?::[^\s<>]*)?)?$/i;

/** `open`: undecided. `closed`: mark-up up to `end`. `literal`: plain characters up to `end`. */
type Mark = { readonly state: 'open' } | { readonly state: 'closed' | 'literal'; readonly end: number };

/** The scanned text; `ended`: nothing follows it in its block. */
export interface Scan {
  readonly text: string;
  readonly ended: boolean;
}

const OPEN: Mark = { state: 'open' };

export function isSpecial(char: string): boolean {
  return SPECIAL.test(char);
}

/** Reads the mark-up that begins at `at`, a special character. Later text cannot change a decided result. */
function readMark(scan: Scan, at: number): Mark {
  const { text, ended } = scan;
  const char = text.charAt(at);
  const formula = char === '\\' || char === '$' ? readFormula(text, at, ended) : null;
  if (formula !== null) return formula;
  if (char === '$') return literal(at + 1);
  if (char === '\\' || char === '!') {
    if (at + 1 >= text.length && !ended) return OPEN;
    if (char === '\\' && text.charAt(at + 1) === '\n') return literal(at + 1);
    if (char === '\\') return { state: 'closed', end: Math.min(at + 2, text.length) };
    if (text.charAt(at + 1) !== '[') return literal(at + 1);
    const inner = readBracket(scan, at + 1);
    return inner.state === 'literal' ? literal(at + 1) : inner;
  }
  if (char === '`') return readCode(scan, at);
  if (char === '<') return readTag(text, at, ended) ?? readAutolink(scan, at);
  if (char === '[') return readCitation(scan, at);
  return readWideCitation(scan, at);
}

/** What begins at an index: `end` is where it ends, `pairs` are the emphases that it closes. */
export interface Step {
  readonly end: number;
  readonly pairs: readonly Pair[];
}

const NO_PAIRS: readonly Pair[] = [];

/**
 * Reads what the special character at `at` begins; null while later text can change it. `offset`: the index of the scanned text
 * in the block whose open runs `delimiters` holds.
 */
export function readStep(scan: Scan, at: number, delimiters: Delimiters, offset = 0): Step | null {
  if (isDelimiter(scan.text.charAt(at))) {
    const run = readRun(scan.text, at, offset);
    const end = at + run.length;
    return isKnown(scan, end) ? { end, pairs: delimiters.take(run) } : null;
  }
  const mark = readMark(scan, at);
  return mark.state === 'open' ? null : { end: mark.end, pairs: NO_PAIRS };
}

/** Finds the emphases of a text that is complete. */
export function findPairs(text: string): readonly Pair[] {
  const delimiters = new Delimiters();
  const pairs: Pair[] = [];
  for (let at = 0; at < text.length; ) {
    const step = isSpecial(text.charAt(at)) ? readStep({ text, ended: true }, at, delimiters) : null;
    if (step !== null) pairs.push(...step.pairs);
    at = step?.end ?? at + 1;
  }
  return pairs;
}

function readCode(scan: Scan, at: number): Mark {
  const { text } = scan;
  const length = runLength(text, at);
  if (!isKnown(scan, at + length)) return OPEN;
  const limit = Math.min(text.length, at + LONGEST_CODE);
  for (let i = text.indexOf('`', at + length); i !== -1 && i < limit; ) {
    const closing = runLength(text, i);
    if (!isKnown(scan, i + closing)) return OPEN;
    if (closing === length) return { state: 'closed', end: i + closing };
    i = text.indexOf('`', i + closing);
  }
  return undecided(scan, at, LONGEST_CODE) ? OPEN : literal(at + length);
}

function readAutolink(scan: Scan, at: number): Mark {
  AUTOLINK.lastIndex = at;
  const found = AUTOLINK.exec(scan.text);
  if (found !== null) return { state: 'closed', end: at + found[0].length };
  const rest = scan.text.slice(at, at + TARGET_LIMIT);
  return !scan.ended && rest.length < TARGET_LIMIT && AUTOLINK_BEGUN.test(rest) ? OPEN : literal(at + 1);
}

function readCitation(scan: Scan, at: number): Mark {
  const end = citationEnd(scan.text, at);
  if (end === null) return readBracket(scan, at);
  if (!isKnown(scan, end)) return OPEN;
  if (scan.text.charAt(end) !== '(') return { state: 'closed', end };
  const linked = readTarget(scan, end);
  return linked.state === 'literal' ? { state: 'closed', end } : linked;
}

function readWideCitation({ text, ended }: Scan, at: number): Mark {
  const end = citationEnd(text, at);
  if (end !== null) return { state: 'closed', end };
  return !ended && isWideBegun(text, at) ? OPEN : literal(at + 1);
}

function readBracket(scan: Scan, at: number): Mark {
  const { text } = scan;
  const limit = Math.min(text.length, at + LONGEST_LABEL);
  let depth = 0;
  for (let i = at; i < limit; ) {
    if (text.charAt(i) === '[') depth += 1;
    if (text.charAt(i) === ']') depth -= 1;
    if (depth > MOST_BRACKETS) return literal(at + 1);
    if (depth === 0) {
      if (!isKnown(scan, i + 1)) return OPEN;
      if (text.charAt(i + 1) !== '(') return literal(at + 1);
      const target = readTarget(scan, i + 1);
      return target.state === 'literal' ? literal(at + 1) : target;
    }
    const end = passedEnd(scan, i);
    if (end === null) return OPEN;
    i = end;
  }
  return undecided(scan, at, LONGEST_LABEL) ? OPEN : literal(at + 1);
}

/** The end of the escape, the code or the character at `at`; null while undecided. */
function passedEnd(scan: Scan, at: number): number | null {
  const char = scan.text.charAt(at);
  if (char !== '`') return at + (char === '\\' ? 2 : 1);
  const code = readCode(scan, at);
  return code.state === 'open' ? null : code.end;
}

/** From the `(` behind a label to its `)`: an address and perhaps a title. Its end may be missing; the group is the `)`. */
const TARGET = new RegExp(
  [
    String.raw`^\(\s*(?:<[^<>\n]*(?:>|$)`,
    String.raw`|(?!<)(?:\\(?:[^]|$)|\((?:\\(?:[^]|$)|[^\s()\\])*(?:\)|$)|[^\s()\\])*)`,
    String.raw`(?:\s+(?:"[^"]*(?:"|$)|'[^']*(?:'|$)|\([^)]*(?:\)|$)))?\s*(?:(\))|$)`,
  ].join(''),
);

function readTarget({ text, ended }: Scan, at: number): Mark {
  const found = TARGET.exec(text.slice(at, at + TARGET_LIMIT));
  if (found?.[1] !== undefined) return { state: 'closed', end: at + found[0].length };
  return found !== null && !ended && text.length < at + TARGET_LIMIT ? OPEN : literal(at);
}

function runLength(text: string, at: number): number {
  const char = text.charAt(at);
  let end = at + 1;
  // A longer run counts as several, so that a growing run is not scanned again and again.
  while (end < at + LONGEST_RUN && text.charAt(end) === char) end += 1;
  return end - at;
}

/** Whether the character at `at` is known, or known to be absent. */
function isKnown(scan: Scan, at: number): boolean {
  return scan.ended || at < scan.text.length;
}

function undecided(scan: Scan, at: number, limit: number): boolean {
  return !scan.ended && scan.text.length < at + limit;
}

function literal(end: number): Mark {
  return { state: 'literal', end };
}

/** A longer formula in a line is text. Formulas are shown as code: as text their underscores and stars would become marks. */
const LONGEST_FORMULA = 1_200;

interface Kind {
  readonly open: string;
  readonly close: string;
  /** Content that is a formula. */
  readonly formula: RegExp;
  /** Content that cannot become a formula any more. */
  readonly isText?: (inside: string) => boolean;
}

/** Characters of formulas; escaped brackets around words are none. */
const SIGNED = /[\\^_=<>+*/|{}]|^\s*\p{L}\s*$/u;

const KINDS: readonly Kind[] = [
  { open: '\\(', close: '\\)', formula: SIGNED },
  { open: '\\[', close: '\\]', formula: SIGNED },
  { open: '$$', close: '$$', formula: /\S/ },
  // A dollar usually means money: `$5 and $6`, `$AAPL rose`.
  { open: '$', close: '$', formula: SIGNED, isText: isMoney },
];

function isMoney(inside: string): boolean {
  if (/^[\s\d]|\n/.test(inside)) return true;
  const words = inside.replace(/\\[^]*/, '').split(/\s/);
  return words.filter((word) => /\p{L}{2}/u.test(word)).length > 1;
}

type Formula =
  | { readonly state: 'open' }
  | { readonly state: 'closed'; readonly end: number; readonly inside: string };

/** Reads the formula that begins at `at`: `open` while undecided, null when there is none. `ended`: nothing follows. */
function readFormula(text: string, at: number, ended: boolean): Formula | null {
  // The opening itself may be incomplete.
  if (!ended && at + 1 >= text.length) return { state: 'open' };
  const kind = KINDS.find(({ open }) => text.startsWith(open, at));
  if (kind === undefined) return null;
  const isDollar = kind.open === '$';
  // Inside a word or an address it is no formula.
  if (isDollar && /[^\s([{"'*_~—–:|>「（]/u.test(text.charAt(at - 1))) return null;
  const from = at + kind.open.length;
  // The bound keeps a text of nothing but openings linear.
  const near = text.slice(from, from + LONGEST_FORMULA + kind.close.length);
  const length = near.indexOf(kind.close);
  const inside = length === -1 ? near : near.slice(0, length);
  // A backtick would end the code.
  if (inside.includes('`') || kind.isText?.(inside) === true) return null;
  if (length === -1)
    return !ended && near.length < LONGEST_FORMULA + kind.close.length ? { state: 'open' } : null;
  if (!kind.formula.test(inside) || (isDollar && /\s$/.test(inside))) return null;
  const end = from + length + kind.close.length;
  if (isDollar && end >= text.length && !ended) return { state: 'open' };
  return isDollar && /[\p{L}\p{N}$]/u.test(text.charAt(end)) ? null : { state: 'closed', end, inside };
}

/** Code, an escape or one character: what is passed over in the search for formulas. */
const PASSED = /(`+)[^]*?[^`]\1(?!`)|\\[^]|[^]/y;

/** Turns formulas into code; existing code stays unchanged. */
export function formulasAsCode(text: string): string {
  if (!/\$|\\[([]/.test(text)) return text;
  let result = '';
  for (let at = 0; at < text.length; ) {
    const formula = readFormula(text, at, true);
    if (formula?.state === 'closed') {
      at = formula.end;
      // Adjacent code spans would be parsed as one.
      result += `${result.endsWith('`') ? ' ' : ''}\`${formula.inside.trim()}\`${text.charAt(at) === '`' ? ' ' : ''}`;
    } else {
      PASSED.lastIndex = at;
      result += PASSED.exec(text)?.[0] ?? '';
      at = PASSED.lastIndex;
    }
  }
  return result;
}
