import { isSpecial, OPEN_LIMIT, readMark } from './inline-scan.ts';

/** A stretch of inline Markdown that can be shown: a word, or marks with what they hold. */
export interface Unit {
  readonly source: string;
  /** The rest of a word whose beginning was handed out before. */
  readonly glued: boolean;
}

/** What a flow hands out, in order. Several spaces are one; a newline stands alone. */
export interface FlowSink {
  unit(unit: Unit): void;
  space(): void;
  newline(): void;
}

/** The inline text of one block, arriving in pieces. */
export interface Flow {
  push(text: string): void;
  /** The block is over: marks still open are plain characters. */
  end(): void;
}

/** How much of what follows is known before a word without end is cut. */
const LOOK_AHEAD = 16;

/** Scripts that are written without spaces: between two of their letters a word may end. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/**
 * Cuts inline text into units at places that cannot change what any of it means, whatever comes later.
 * `eager`: the first word is handed out letter by letter, so that an answer's first token is seen at once.
 */
export function createFlow(sink: FlowSink, eager: boolean): Flow {
  let text = '';
  let cursor = 0;
  let glued = false;
  let isFirst = eager;

  const emit = (end: number): void => {
    if (end === 0) return;
    sink.unit({ source: text.slice(0, end), glued });
    text = text.slice(end);
    cursor = 0;
  };
  /** One step over what is known; false when more text is needed. */
  const step = (ended: boolean): boolean => {
    const char = text.charAt(cursor);
    if (char === '' || (cursor >= OPEN_LIMIT && !ended && text.length < cursor + LOOK_AHEAD)) return false;
    if (/[ \t\n\u00a0]/.test(char)) {
      emit(cursor);
      if (char === '\n') sink.newline();
      else sink.space();
      text = text.slice(1);
      glued = false;
      isFirst = false;
      return true;
    }
    if (isSpecial(char)) {
      const mark = readMark({ text, ended }, cursor);
      if (mark.state === 'open') return false;
      cursor = mark.end;
    } else cursor += 1;
    return true;
  };
  const cut = (): void => {
    if (isFirst && cursor > 0) {
      const letters = /^[\p{L}\p{N}]+/u.exec(text.slice(0, cursor))?.[0].length ?? 0;
      isFirst = letters > 0 && !UNSPACED.test(text.slice(0, letters));
      if (isFirst) {
        emit(letters);
        glued = true;
      }
    } else if (cursor >= OPEN_LIMIT && mayCut(text, cursor)) {
      emit(cursor);
      glued = true;
    }
  };
  const drain = (ended: boolean): void => {
    for (;;) {
      const before = cursor;
      if (!step(ended)) break;
      if (
        cursor > 1 &&
        cursor === before + 1 &&
        UNSPACED.test(text.charAt(before)) &&
        UNSPACED.test(text.charAt(before - 1))
      ) {
        cursor = before;
        emit(before);
        glued = false;
      }
      cut();
    }
    if (ended) emit(text.length);
  };
  return {
    push(more) {
      text += more;
      drain(false);
    },
    end() {
      drain(true);
      text = '';
    },
  };
}

const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** A word without end is cut between two characters as a reader sees them. */
function mayCut(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  if (unit >= 0xdc00 && unit <= 0xdfff) return false;
  if (at >= 2 * OPEN_LIMIT || at >= text.length) return true;
  return GRAPHEMES.segment(text.slice(0, at + LOOK_AHEAD)).containing(at)?.index === at;
}
