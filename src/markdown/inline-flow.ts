import { mayCut, UNSPACED } from './characters.ts';
import { Delimiters, isDelimiter } from './emphasis.ts';
import { isInvisible } from './inline-parse.ts';
import { isSpecial, readStep, TARGET_LIMIT } from './inline-scan.ts';
import { inline, type Prefix } from './pieces.ts';
import type { Parts } from './split-parts.ts';
import { ADDRESS_END } from './urls.ts';

/** Scripts without spaces: a word may end between any two of their letters. */
const UNSPACED_LETTER = new RegExp(`[${UNSPACED}]`, 'u');

const ENDS_ADDRESS = new RegExp(`[${ADDRESS_END}]`);

/** A longer word is passed on in pieces; an address is one for longer. */
const LONGEST_WORD = 400;

/** The end of a sentence, a good place to end a part. */
const SENTENCE_END = /[.!?…。！？]["'”’)\]*_]*$/;

/** A place where a unit ends: before white space, between two letters, or (`glued`) within a word that is too long. */
interface Break {
  readonly at: number;
  readonly kind: 'newline' | 'space' | 'letter' | 'glued';
}

/**
 * The streamed inline text of one block. It is cut into units (a word, or complete mark-up) whose meaning later text cannot
 * change, and put into the parts. Indexes count from the beginning of the block.
 */
export class Flow {
  readonly #parts: Parts;
  readonly #prefix: Prefix;
  readonly #delimiters = new Delimiters();
  /** The text from the beginning of the current unit, which stands at `#start`. */
  #text = '';
  #start = 0;
  /** The end of what has been scanned. */
  #scanned = 0;
  /** The ends of units in the scanned text, but none inside an emphasis. */
  #breaks: Break[] = [];
  #isInAddress = false;
  /** Whether the current unit continues a word whose beginning was passed on before. */
  #glued = false;
  #isSentenceOver = false;

  /** Further lines begin with `prefix`. */
  constructor(parts: Parts, prefix: Prefix) {
    this.#parts = parts;
    this.#prefix = prefix;
  }

  push(text: string): void {
    this.#text += text;
    this.#scan(false);
    this.#passOn(this.#delimiters.openBefore(this.#scanned) ?? this.#scanned);
  }

  /** Ends the block: marks that are still open become plain characters. */
  end(): void {
    this.#scan(true);
    this.#passOn(this.#scanned);
    this.#emit(this.#text.length);
  }

  #scan(ended: boolean): void {
    const text = this.#text;
    const start = this.#start;
    for (let at = this.#scanned - start; at < text.length; at = this.#scanned - start) {
      const char = text.charAt(at);
      if (ENDS_ADDRESS.test(char)) this.#isInAddress = false;
      if (char === '\n' || /\s/.test(char)) {
        this.#breaks.push({ at: this.#scanned, kind: char === '\n' ? 'newline' : 'space' });
        this.#scanned += 1;
        continue;
      }
      if (!this.#breakWord(at, ended)) return;
      if (!isSpecial(char)) {
        this.#isInAddress ||= char === '/' && text.startsWith('://', at - 2);
        this.#scanned += 1;
        continue;
      }
      const step = readStep({ text, ended }, at, this.#delimiters, start);
      if (step === null) return;
      for (const { open } of step.pairs) this.#joinFrom(open);
      this.#scanned = start + step.end;
    }
  }

  /** Makes one unit of an emphasis. */
  #joinFrom(open: number): void {
    while ((this.#breaks.at(-1)?.at ?? -1) > open) this.#breaks.pop();
  }

  /** Ends a unit before the character at `at` of the text where a word has no spaces or is too long; false while undecided. */
  #breakWord(at: number, ended: boolean): boolean {
    const { at: last, kind } = this.#breaks.at(-1) ?? { at: this.#start, kind: 'glued' };
    const from = last - this.#start + (kind === 'newline' || kind === 'space' ? 1 : 0);
    const text = this.#text;
    if (at - from >= (this.#isInAddress ? TARGET_LIMIT : LONGEST_WORD)) {
      const cut = mayCut(text, at, ended);
      if (cut === 'unknown') return false;
      // A run of marks must not be divided.
      if (cut === 'here' && !isDelimiter(text.charAt(at)) && !isDelimiter(text.charAt(at - 1)))
        this.#breaks.push({ at: this.#scanned, kind: 'glued' });
    } else if (
      at > from &&
      !this.#isInAddress &&
      UNSPACED_LETTER.test(text.charAt(at)) &&
      UNSPACED_LETTER.test(text.charAt(at - 1))
    ) {
      this.#breaks.push({ at: this.#scanned, kind: 'letter' });
    }
    return true;
  }

  /** Passes on the units that end before an index. */
  #passOn(end: number): void {
    let count = 0;
    for (const { at, kind } of this.#breaks) {
      if (at >= end) break;
      this.#passUnit(at - this.#start, kind);
      count += 1;
    }
    this.#breaks = this.#breaks.slice(count);
  }

  #passUnit(end: number, kind: Break['kind']): void {
    if (kind === 'letter' || kind === 'glued') return this.#emit(end, kind === 'glued');
    // A backslash at the end of a line means the line break, which follows anyway.
    const backslash = kind === 'newline' && endsInBackslash(this.#text.slice(0, end)) ? 1 : 0;
    this.#emit(end - backslash);
    if (kind === 'newline') this.#parts.line(this.#prefix, 1, 'line');
    else this.#parts.space();
    this.#text = this.#text.slice(backslash + 1);
    this.#start += backslash + 1;
  }

  #emit(end: number, glued = false): void {
    const source = this.#text.slice(0, end);
    // Where nothing is written, the next unit still begins the line.
    if (end > 0 && !isInvisible(source)) {
      const isSentence = this.#isSentenceOver && !this.#glued;
      this.#parts.put([inline(source, { glued: this.#glued })], isSentence ? 'sentence' : 'word');
      this.#isSentenceOver = SENTENCE_END.test(source);
    }
    this.#text = this.#text.slice(end);
    this.#start += end;
    this.#glued = glued;
  }
}

/** Whether the text ends in an unescaped backslash. */
function endsInBackslash(text: string): boolean {
  return (/\\+$/.exec(text)?.[0].length ?? 0) % 2 === 1;
}
