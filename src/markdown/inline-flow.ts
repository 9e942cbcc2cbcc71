import { mayCut } from './graphemes.ts';
import { isSpecial, OPEN_LIMIT, readMark } from './inline-scan.ts';
import { inline, type Prefix } from './pieces.ts';
import type { Parts } from './split-parts.ts';

/** Scripts without spaces: a word may end between any two of their letters. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

const SPACE = /\s/;

/** The end of a sentence, a good place to end a part. */
const SENTENCE_END = /[.!?…。！？]["'”’)\]*_]*$/;

/**
 * The streamed inline text of one block. It is cut into units (a word, or complete mark-up) whose meaning later text cannot
 * change, and put into the parts.
 */
export class Flow {
  readonly #parts: Parts;
  readonly #prefix: Prefix;
  /** The text from the beginning of the current unit. */
  #text = '';
  /** The end of the decided text. */
  #cursor = 0;
  /** Whether the current unit continues a word whose beginning was passed on before. */
  #glued = false;
  #isEager: boolean;
  #isSentenceOver = false;

  /**
   * Further lines begin with `prefix`. `eager`: the first word is passed on letter by letter, so that an answer's first token is
   * shown at once.
   */
  constructor(parts: Parts, prefix: Prefix, eager: boolean) {
    this.#parts = parts;
    this.#prefix = prefix;
    this.#isEager = eager;
  }

  push(text: string): void {
    this.#text += text;
    this.#drain(false);
  }

  /** Ends the block: marks that are still open become plain characters. */
  end(): void {
    this.#drain(true);
    this.#emit(this.#text.length);
  }

  #drain(ended: boolean): void {
    while (this.#cursor < this.#text.length) {
      if (this.#isEager) this.#takeLetters();
      else if (SPACE.test(this.#text.charAt(this.#cursor))) this.#takeSpace();
      else if (!this.#takeCharacter(ended)) break;
    }
  }

  #emit(end: number, glued = false): void {
    if (end > 0) {
      const source = this.#text.slice(0, end);
      const isSentence = this.#isSentenceOver && !this.#glued;
      this.#parts.put([inline(source, { glued: this.#glued })], isSentence ? 'sentence' : 'word');
      this.#isSentenceOver = SENTENCE_END.test(source);
    }
    this.#text = this.#text.slice(end);
    this.#cursor = 0;
    this.#glued = glued;
  }

  /** Passes on the first letters of an answer one by one. */
  #takeLetters(): void {
    const letter = /^[\p{L}\p{N}]/u.exec(this.#text)?.[0] ?? '';
    this.#isEager = letter !== '' && !UNSPACED.test(letter);
    if (this.#isEager) this.#emit(letter.length, true);
  }

  #takeSpace(): void {
    const isNewline = this.#text.startsWith('\n', this.#cursor);
    // A backslash at the end of a line means the line break, which follows anyway.
    const backslash = isNewline && endsInBackslash(this.#text.slice(0, this.#cursor)) ? 1 : 0;
    this.#emit(this.#cursor - backslash);
    if (isNewline) this.#parts.line(this.#prefix, 1, 'line');
    else this.#parts.space();
    this.#text = this.#text.slice(backslash + 1);
  }

  /** Moves the cursor over what the character begins; false when more text is needed. */
  #takeCharacter(ended: boolean): boolean {
    const text = this.#text;
    const cursor = this.#cursor;
    if (cursor >= OPEN_LIMIT) {
      const cut = mayCut(text, cursor, ended);
      if (cut === 'unknown') return false;
      if (cut === 'here') {
        this.#emit(cursor, true);
        return true;
      }
    }
    const char = text.charAt(cursor);
    if (isSpecial(char)) {
      const mark = readMark({ text, ended }, cursor);
      if (mark.state === 'open') return false;
      this.#cursor = mark.end;
    } else if (cursor > 0 && UNSPACED.test(char) && UNSPACED.test(text.charAt(cursor - 1))) {
      this.#emit(cursor);
    } else this.#cursor += 1;
    return true;
  }
}

/** Whether the text ends in an unescaped backslash. */
function endsInBackslash(text: string): boolean {
  return (/\\+$/.exec(text)?.[0].length ?? 0) % 2 === 1;
}
