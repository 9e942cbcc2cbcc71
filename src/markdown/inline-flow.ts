import { mayCut } from './graphemes.ts';
import { isSpecial, OPEN_LIMIT, readMark } from './inline-scan.ts';
import { inline, type Prefix } from './pieces.ts';
import type { Parts } from './split-parts.ts';

/** Inline Markdown that can be shown: a word, or complete mark-up. */
interface Unit {
  readonly source: string;
  /** Whether it continues a word whose beginning was passed on before. */
  readonly glued: boolean;
}

/** Receives the units of a flow, in order. */
interface FlowSink {
  unit(unit: Unit): void;
  space(): void;
  newline(): void;
}

/** The streamed inline text of one block. */
export interface Flow {
  push(text: string): void;
  /** Ends the block: marks that are still open become plain characters. */
  end(): void;
}

/** Scripts without spaces: a word may end between any two of their letters. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/** Characters that never begin mark-up. */
const ORDINARY = /[A-Za-z0-9,;]+/y;

const SPACE = /\s/;

/**
 * Cuts inline text into units whose meaning later text cannot change. `eager`: the first word is passed on letter by letter,
 * so that an answer's first token is shown at once.
 */
function createFlow(sink: FlowSink, eager: boolean): Flow {
  const state: State = { sink, text: '', cursor: 0, glued: false, isFirst: eager };
  return {
    push(text) {
      state.text += text;
      drain(state, false);
    },
    end() {
      drain(state, true);
    },
  };
}

interface State {
  readonly sink: FlowSink;
  /** The text from the beginning of the current unit. */
  text: string;
  /** The end of the decided text. */
  cursor: number;
  glued: boolean;
  isFirst: boolean;
}

function drain(state: State, ended: boolean): void {
  while (state.cursor < state.text.length) {
    if (state.isFirst) takeLetters(state);
    else if (SPACE.test(state.text.charAt(state.cursor))) takeSpace(state);
    else if (!takeCharacter(state, ended)) break;
  }
  if (ended) emit(state, state.text.length);
}

function emit(state: State, end: number): void {
  if (end === 0) return;
  state.sink.unit({ source: state.text.slice(0, end), glued: state.glued });
  state.text = state.text.slice(end);
  state.cursor = 0;
}

/** Passes on the first letters of an answer one by one. */
function takeLetters(state: State): void {
  const letter = /^[\p{L}\p{N}]/u.exec(state.text)?.[0] ?? '';
  state.isFirst = letter !== '' && !UNSPACED.test(letter);
  if (!state.isFirst) return;
  emit(state, letter.length);
  state.glued = true;
}

function takeSpace(state: State): void {
  const isNewline = state.text.startsWith('\n', state.cursor);
  // A backslash at the end of a line means the line break, which follows anyway.
  const backslash = isNewline && endsInBackslash(state.text.slice(0, state.cursor)) ? 1 : 0;
  emit(state, state.cursor - backslash);
  if (isNewline) state.sink.newline();
  else state.sink.space();
  state.text = state.text.slice(backslash + 1);
  state.glued = false;
}

/** Whether the text ends in an unescaped backslash. */
function endsInBackslash(text: string): boolean {
  return (/\\+$/.exec(text)?.[0].length ?? 0) % 2 === 1;
}

/** Moves the cursor over what the character begins; false when more text is needed. */
function takeCharacter(state: State, ended: boolean): boolean {
  const { text, cursor } = state;
  if (cursor >= OPEN_LIMIT) {
    const cut = mayCut(text, cursor, ended);
    if (cut === 'unknown') return false;
    if (cut === 'here') {
      emit(state, cursor);
      state.glued = true;
      return true;
    }
  }
  const char = text.charAt(cursor);
  if (isSpecial(char)) {
    const mark = readMark({ text, ended }, cursor);
    if (mark.state === 'open') return false;
    state.cursor = mark.end;
    return true;
  }
  if (cursor > 0 && UNSPACED.test(char) && UNSPACED.test(text.charAt(cursor - 1))) {
    emit(state, cursor);
    state.glued = false;
    return true;
  }
  ORDINARY.lastIndex = cursor;
  const ordinary = ORDINARY.exec(text)?.[0].length ?? 1;
  state.cursor = cursor < OPEN_LIMIT ? Math.min(cursor + ordinary, OPEN_LIMIT) : cursor + 1;
  return true;
}

/** The end of a sentence, a good place to end a part. */
const SENTENCE_END = /[.!?…。！？]["'”’)\]*_]*$/;

/** Creates a flow that puts inline text into the parts word by word; further lines begin with `prefix`. `eager`: see `createFlow`. */
export function createParagraph(parts: Parts, prefix: Prefix, eager: boolean): Flow {
  let isSentenceOver = false;
  const sink = {
    unit({ source, glued }: { readonly source: string; readonly glued: boolean }) {
      parts.put([inline(source, { glued })], isSentenceOver && !glued ? 'sentence' : 'word');
      isSentenceOver = SENTENCE_END.test(source);
    },
    space: () => parts.space(),
    newline: () => parts.line(prefix, 1, 'line'),
  };
  return createFlow(sink, eager);
}
