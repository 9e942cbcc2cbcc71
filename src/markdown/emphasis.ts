/**
 * Emphasis: which runs of `*`, `_` and `~~` open and close it. The scanner of a stream and the parser of a decided word both ask
 * here, so that they agree.
 */

import { UNSPACED } from './characters.ts';

export type MarkKind = 'strong' | 'em' | 'del';

/** A longer emphasis is none. While one is open, nothing behind it can be shown. */
const LONGEST_EMPHASIS = 1_200;

/** As many runs can be open at once; then the first of them is a plain character. This bounds the work for each run. */
const MOST_OPEN = 16;

/** A longer run counts as several, so that a growing run is not scanned again and again. */
const LONGEST_RUN = 32;

/** An emphasis: the indexes of its two delimiters, each of which has `size` characters. */
export interface Pair {
  readonly kind: MarkKind;
  readonly open: number;
  readonly close: number;
  readonly size: number;
}

/** A run of one delimiter, and what it can do where it stands. */
export interface Run {
  readonly char: string;
  readonly at: number;
  readonly length: number;
  readonly opens: boolean;
  readonly closes: boolean;
}

export function isDelimiter(char: string): boolean {
  return char === '*' || char === '_' || char === '~';
}

/** Reads the run that begins at `at`. `offset` is added to its index. */
export function readRun(text: string, at: number, offset = 0): Run {
  const char = text.charAt(at);
  let end = at + 1;
  while (end < at + LONGEST_RUN && text.charAt(end) === char) end += 1;
  const length = end - at;
  const before = charBefore(text, at);
  const after = charFrom(text, end);
  return { char, at: at + offset, length, ...flanking(char, length, before, after) };
}

/**
 * Where a run can open and close. Double marks open before and close behind anything but white space, beside letters of any
 * script: `**Note:**text`. Single ones follow CommonMark, except that letters of scripts without spaces count as punctuation.
 */
function flanking(
  char: string,
  length: number,
  before: string,
  after: string,
): { readonly opens: boolean; readonly closes: boolean } {
  // Neither platform strikes out between single tildes: `~5 to 7~`, H~2~O.
  if (char === '~' && length !== 2) return { opens: false, closes: false };
  // `2*3` is a product, and `10**6` a power.
  const isBetweenDigits = /\d/.test(before) && /\d/.test(after);
  if (char !== '_' && length > 1) {
    // At the end of a line it can only close: `**Note: **`.
    const isLast = after === '' || after === '\n';
    return {
      opens: !isSpace(after) && !isBetweenDigits,
      closes: !isSpace(before) || (isLast && before === ' '),
    };
  }
  const left = isLeftFlanking(before, after, isUnspaced);
  const right = isLeftFlanking(after, before, isUnspaced);
  if (char === '*') return { opens: left && !isBetweenDigits, closes: right };
  return {
    opens: left && (!right || isPunctuation(before)),
    closes: right && (!left || isPunctuation(after)),
  };
}

/** CommonMark's rule; with the arguments exchanged, that of the other side. `isOther`: letters that count as punctuation. */
export function isLeftFlanking(
  before: string,
  after: string,
  isOther: (char: string) => boolean = () => false,
): boolean {
  if (isSpace(after)) return false;
  return !isPunctuation(after) || isSpace(before) || isPunctuation(before) || isOther(before);
}

/** The open runs of a block, in order. */
export class Delimiters {
  #open: (Run & { left: number })[] = [];

  /** Takes the next run, and returns the pairs that it closes, the inner ones first. */
  take(run: Run): readonly Pair[] {
    const pairs: Pair[] = [];
    let used = 0;
    while (run.closes && used < run.length) {
      const index = this.#open.findLastIndex((opener) => matches(opener, run));
      const opener = this.#open[index];
      if (opener === undefined) break;
      const size = opener.left >= 2 && run.length - used >= 2 ? 2 : 1;
      opener.left -= size;
      const kind = run.char === '~' ? 'del' : size === 2 ? 'strong' : 'em';
      pairs.push({ kind, open: opener.at + opener.left, close: run.at + used, size });
      used += size;
      // What is open inside a pair stays a character.
      this.#open.length = opener.left === 0 ? index : index + 1;
    }
    if (run.opens && used < run.length) {
      this.#open.push({ ...run, at: run.at + used, left: run.length - used });
      if (this.#open.length > MOST_OPEN) this.#open.shift();
    }
    return pairs;
  }

  /** Where the first run stands that a run at or behind `end` can still close; null when there is none. */
  openBefore(end: number): number | null {
    while (this.#open.length > 0 && end - (this.#open[0]?.at ?? 0) > LONGEST_EMPHASIS) this.#open.shift();
    return this.#open[0]?.at ?? null;
  }
}

function matches(opener: Run, closer: Run): boolean {
  if (opener.char !== closer.char || closer.at - opener.at > LONGEST_EMPHASIS) return false;
  // CommonMark's rule of three, for runs that can do both.
  const isEither = opener.closes || closer.opens;
  const isThird = (opener.length + closer.length) % 3 === 0;
  return !(isEither && isThird && (opener.length % 3 !== 0 || closer.length % 3 !== 0));
}

/** The character before `at`, as a whole; empty at the beginning. */
function charBefore(text: string, at: number): string {
  const unit = text.charCodeAt(at - 1);
  return text.slice(unit >= 0xdc00 && unit <= 0xdfff ? at - 2 : Math.max(0, at - 1), at);
}

function charFrom(text: string, at: number): string {
  const code = text.codePointAt(at);
  return code === undefined ? '' : String.fromCodePoint(code);
}

function isSpace(char: string): boolean {
  return char === '' || /\s/.test(char);
}

function isPunctuation(char: string): boolean {
  return /[\p{P}\p{S}]/u.test(char);
}

const TOUCHING = new RegExp(String.raw`[${UNSPACED}\p{Script=Hangul}]`, 'u');

/** Letters of scripts without spaces between words, or with endings that touch a word in brackets (Korean). */
function isUnspaced(char: string): boolean {
  return TOUCHING.test(char);
}
