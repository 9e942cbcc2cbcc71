/**
 * Finds the end of inline mark-up in one pass from left to right, so that a stream can be shown up to the first open mark. The
 * content is parsed by `inline-parse.ts`.
 */

import { citationEnd, isWideBegun } from './citation-markers.ts';
import { readFormula } from './formulas.ts';

/** An open mark that is longer becomes a plain character. */
export const OPEN_LIMIT = 400;

/** A link's address may be longer, because nobody waits to read it. */
const TARGET_LIMIT = 2_000;

const LONGEST_RUN = 32;

/** The characters that can begin mark-up. */
const SPECIAL = /[\\`*_~[!<$【［]/;

const AUTOLINK = /<[a-z][a-z0-9+.-]{1,31}:[^\s<>]*>/iy;
const AUTOLINK_BEGUN = /^<(?:[a-z][a-z0-9+.-]{0,31}(?::[^\s<>]*)?)?$/i;

/** `open`: undecided. `closed`: mark-up up to `end`. `literal`: plain characters up to `end`. */
export type Mark =
  | { readonly state: 'open' }
  | { readonly state: 'closed' | 'literal'; readonly end: number };

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
export function readMark(scan: Scan, at: number): Mark {
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
  if (char === '<') return readAutolink(scan, at);
  if (char === '[') return readCitation(scan, at);
  if (char === '【' || char === '［') return readWideCitation(scan, at);
  return readEmphasis(scan, at);
}

function readCode(scan: Scan, at: number): Mark {
  const { text } = scan;
  const length = runLength(text, at);
  if (!isKnown(scan, at + length)) return OPEN;
  const limit = Math.min(text.length, at + OPEN_LIMIT);
  for (let i = text.indexOf('`', at + length); i !== -1 && i < limit; ) {
    const closing = runLength(text, i);
    if (!isKnown(scan, i + closing)) return OPEN;
    if (closing === length) return { state: 'closed', end: i + closing };
    i = text.indexOf('`', i + closing);
  }
  return undecided(scan, at) ? OPEN : literal(at + length);
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
  const limit = Math.min(text.length, at + OPEN_LIMIT);
  let depth = 0;
  for (let i = at; i < limit; ) {
    if (text.charAt(i) === '[') depth += 1;
    if (text.charAt(i) === ']') depth -= 1;
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
  return undecided(scan, at) ? OPEN : literal(at + 1);
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

/** Scans runs of `*`, `_`, `~~`, each matched by the nearest run that can close it. */
function readEmphasis(scan: Scan, at: number): Mark {
  const { text } = scan;
  const char = text.charAt(at);
  const length = runLength(text, at);
  if (!isKnown(scan, at + length)) return OPEN;
  if (!canOpen(text, at, length)) return literal(at + length);
  const open = [length];
  const limit = Math.min(text.length, at + OPEN_LIMIT);
  for (let i = at + length; i < limit; ) {
    if (text.charAt(i) === char) {
      const run = runLength(text, i);
      if (!isKnown(scan, i + run)) return OPEN;
      const end = matchRun(text, i, run, open);
      if (end !== null) return { state: 'closed', end };
      i += run;
    } else {
      const end = passedEnd(scan, i);
      if (end === null) return OPEN;
      i = end;
    }
  }
  return undecided(scan, at) ? OPEN : literal(at + length);
}

/** Closes an open run or opens a new one; returns the end of the outermost mark if this run closed it. */
function matchRun(text: string, at: number, run: number, open: number[]): number | null {
  const closes = canClose(text, at, run);
  const opens = canOpen(text, at, run);
  if (!closes) {
    if (opens) open.push(run);
    return null;
  }
  if (opens && open.at(-1) !== run) return null;
  let left = run;
  while (left > 0 && open.length > 0) {
    const top = open.pop() ?? 0;
    if (top > left) open.push(top - left);
    left -= Math.min(top, left);
  }
  return open.length === 0 ? at + run - left : null;
}

function canOpen(text: string, at: number, run: number): boolean {
  const char = text.charAt(at);
  const before = text.charAt(at - 1);
  const after = text.charAt(at + run);
  if (after === '' || /\s/.test(after)) return false;
  if (char === '~') return run === 2;
  if (char === '_') return !isWord(before);
  // `2*3` is a product, no emphasis.
  return !(run === 1 && /\d/.test(before) && /\d/.test(after));
}

function canClose(text: string, at: number, run: number): boolean {
  if (/\s/.test(text.charAt(at - 1))) return false;
  return text.charAt(at) !== '_' || !isWord(text.charAt(at + run));
}

function isWord(char: string): boolean {
  return /[\p{L}\p{N}_]/u.test(char);
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

function undecided(scan: Scan, at: number): boolean {
  return !scan.ended && scan.text.length < at + OPEN_LIMIT;
}

function literal(end: number): Mark {
  return { state: 'literal', end };
}
