import { mayCut } from './graphemes.ts';
import { isSpecial, OPEN_LIMIT, readMark } from './inline-scan.ts';
import { inline, type Prefix } from './pieces.ts';
import type { Parts } from './split-parts.ts';

/** The streamed inline text of one block. */
export interface Flow {
  push(text: string): void;
  /** Ends the block: marks that are still open become plain characters. */
  end(): void;
}

/** Scripts without spaces: a word may end between any two of their letters. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

const SPACE = /\s/;

/** The end of a sentence, a good place to end a part. */
const SENTENCE_END = /[.!?…。！？]["'”’)\]*_]*$/;

/**
 * Creates a flow that cuts inline text into units (a word, or complete mark-up) whose meaning later text cannot change, and
 * puts them into the parts; further lines begin with `prefix`. `eager`: the first word is passed on letter by letter, so that
 * an answer's first token is shown at once.
 */
export function createFlow(parts: Parts, prefix: Prefix, eager: boolean): Flow {
  const state: FlowState = {
    parts,
    prefix,
    text: '',
    cursor: 0,
    glued: false,
    isFirst: eager,
    isSentenceOver: false,
  };
  return {
    push(text) {
      state.text += text;
      drain(state, false);
    },
    end: () => drain(state, true),
  };
}

interface FlowState {
  readonly parts: Parts;
  readonly prefix: Prefix;
  /** The text from the beginning of the current unit. */
  text: string;
  /** The end of the decided text. */
  cursor: number;
  /** Whether the current unit continues a word whose beginning was passed on before. */
  glued: boolean;
  isFirst: boolean;
  isSentenceOver: boolean;
}

function drain(state: FlowState, ended: boolean): void {
  while (state.cursor < state.text.length) {
    if (state.isFirst) takeLetters(state);
    else if (SPACE.test(state.text.charAt(state.cursor))) takeSpace(state);
    else if (!takeCharacter(state, ended)) break;
  }
  if (ended) emit(state, state.text.length);
}

function emit(state: FlowState, end: number): void {
  if (end === 0) return;
  const source = state.text.slice(0, end);
  const { glued } = state;
  state.parts.put([inline(source, { glued })], state.isSentenceOver && !glued ? 'sentence' : 'word');
  state.isSentenceOver = SENTENCE_END.test(source);
  state.text = state.text.slice(end);
  state.cursor = 0;
}

/** Passes on the first letters of an answer one by one. */
function takeLetters(state: FlowState): void {
  const letter = /^[\p{L}\p{N}]/u.exec(state.text)?.[0] ?? '';
  state.isFirst = letter !== '' && !UNSPACED.test(letter);
  if (!state.isFirst) return;
  emit(state, letter.length);
  state.glued = true;
}

function takeSpace(state: FlowState): void {
  const isNewline = state.text.startsWith('\n', state.cursor);
  // A backslash at the end of a line means the line break, which follows anyway.
  const backslash = isNewline && endsInBackslash(state.text.slice(0, state.cursor)) ? 1 : 0;
  emit(state, state.cursor - backslash);
  if (isNewline) state.parts.line(state.prefix, 1, 'line');
  else state.parts.space();
  state.text = state.text.slice(backslash + 1);
  state.glued = false;
}

/** Whether the text ends in an unescaped backslash. */
function endsInBackslash(text: string): boolean {
  return (/\\+$/.exec(text)?.[0].length ?? 0) % 2 === 1;
}

/** Moves the cursor over what the character begins; false when more text is needed. */
function takeCharacter(state: FlowState, ended: boolean): boolean {
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
  state.cursor += 1;
  return true;
}
