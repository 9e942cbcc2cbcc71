/** What is decided line by line: the kind of a line, the levels of list items, and the lines of a code block. */

import { mayCut } from './characters.ts';
import { type Dialect, withoutFences } from './dialects.ts';
import { type Prefix, raw } from './pieces.ts';
import type { Parts } from './split-parts.ts';

/** The kind of a Markdown line, decided from as little of it as possible. */
export type Line = LinePlace &
  (
    | { readonly type: 'blank' | 'rule' | 'text' }
    /** A whole line with a bar in front or behind its first word; outside a table the next line decides whether it begins one. */
    | { readonly type: 'row' }
    /** ``` or ~~~, or the beginning of a formula of several lines: $$ or \[ */
    | { readonly type: 'fence'; readonly mark: string; readonly language: string }
    | { readonly type: 'heading'; readonly level: number }
    | { readonly type: 'item'; readonly marker: string; readonly task: boolean | null }
  );

interface LinePlace {
  /** The number of quote marks. */
  readonly quote: number;
  /** Columns of white space before the content or the marker. */
  readonly indent: number;
  /** The index of the content. */
  readonly start: number;
}

/** The context that decides what a line can be. */
export interface LineContext {
  readonly isWhole: boolean;
  /** Whether a paragraph is open, which only some markers end. */
  readonly inParagraph: boolean;
  readonly inList: boolean;
  /** Whether a table is open: each line with a bar is a row of it. */
  readonly inTable: boolean;
  /** Deeper headings are held until the line is whole. */
  readonly maxHeading: number;
  /** Whether the line is the content behind a list marker. */
  readonly behindMarker: boolean;
}

/** A line that is undecided for longer is text. */
const UNDECIDED_LIMIT = 300;

/** A longer table row is text, because it would not fit into a message. */
const ROW_LIMIT = 1_200;

/** Null when more of the line is needed. */
export function readLine(line: string, context: LineContext): Line | null {
  const prefix = /^(?: {0,3}>[ \t]?){1,16}/.exec(context.behindMarker ? '' : line)?.[0] ?? '';
  const space = /^[ \t]*/.exec(line.slice(prefix.length))?.[0] ?? '';
  const place: LinePlace = {
    quote: prefix.split('>').length - 1,
    indent: columns(space),
    start: prefix.length + space.length,
  };
  const rest = line.slice(place.start);
  const isLong = line.length > UNDECIDED_LIMIT;
  if (rest === '' && !isLong) return context.isWhole ? { type: 'blank', ...place } : null;
  const canBeRow = rest.length <= ROW_LIMIT && isRow(rest, context);
  if (!context.isWhole && (canBeRow || (!isLong && isUndecided(rest, context)))) return null;
  const heading = readHeading(rest, place);
  // A streamed heading of this length has already been shown as text.
  if (isLong && heading !== null && heading.level > context.maxHeading) return { ...heading, type: 'text' };
  return (
    (isLong ? null : readFence(rest, place)) ??
    heading ??
    (isLong ? null : readRule(rest, place, context)) ??
    readItem(rest, place, context) ?? { type: canBeRow && !context.behindMarker ? 'row' : 'text', ...place }
  );
}

/** A first cell without a bar in front: one word, so that nobody waits longer for the words of a paragraph. */
const WORD = String.raw`[^\s|\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]{0,39}[^\s|.,:;!?\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]`;
const BARE_ROW = new RegExp(String.raw`^${WORD}[ \t]*\|`, 'u');
const BARE_ROW_BEGUN = new RegExp(String.raw`^${WORD}[ \t]*$`, 'u');

function isRow(rest: string, { inTable, inParagraph, behindMarker }: LineContext): boolean {
  if (rest.startsWith('|')) return true;
  return inTable ? rest.includes('|') : !inParagraph && !behindMarker && BARE_ROW.test(rest);
}

function isUndecided(rest: string, context: LineContext): boolean {
  const { maxHeading, inTable, inParagraph, behindMarker } = context;
  if (inTable || (!inParagraph && !behindMarker && BARE_ROW_BEGUN.test(rest))) return true;
  const hashes = /^#{1,6}(?=[ \t]|$)/.exec(rest)?.[0].length ?? 0;
  return (
    /^(?:`{1,2}|~{1,2}|`{3,}[^`]*|~{3,}.*)$/.test(rest) ||
    /^(?:\$\$?|\\\[?)[ \t]*$/.test(rest) ||
    hashes > maxHeading ||
    /^#{1,6}[ \t]*$/.test(rest) ||
    /^(?:([-*_])(?:[ \t]*\1)*[ \t]*|=+[ \t]*)$/.test(rest) ||
    /^(?:[-*+]|\d{1,9}[.)]?)$/.test(rest) ||
    /^(?:[-*+]|\d{1,9}[.)])[ \t]+(?:\[[ xX]?\]?)?$/.test(rest)
  );
}

function readFence(rest: string, place: LinePlace): Line | null {
  const formula = /^(\$\$|\\\[)[ \t]*$/.exec(rest)?.[1];
  if (formula !== undefined) return { type: 'fence', mark: formula, language: 'latex', ...place };
  const found = /^(`{3,}|~{3,})[ \t]*([^\n]*)$/.exec(rest);
  if (found === null) return null;
  const [, mark = '', info = ''] = found;
  if (mark.startsWith('`') && info.includes('`')) return null;
  const language = /^[\w+#.-]{1,20}/.exec(info)?.[0] ?? '';
  return { type: 'fence', mark, language, ...place };
}

function readHeading(rest: string, place: LinePlace): Extract<Line, { type: 'heading' }> | null {
  const found = /^(#{1,6})(?:[ \t]+|$)/.exec(rest);
  if (found === null) return null;
  return { type: 'heading', level: found[1]?.length ?? 1, ...place, start: place.start + found[0].length };
}

/** A row of dashes, or the underline of a heading whose text has already been shown. */
function readRule(rest: string, place: LinePlace, { isWhole, inParagraph }: LineContext): Line | null {
  const isRule = /^([-*_])(?:[ \t]*\1){2,}[ \t]*$/.test(rest);
  const isUnderline = inParagraph && /^(?:=+|-+)[ \t]*$/.test(rest);
  return isWhole && (isRule || isUnderline) ? { type: 'rule', ...place } : null;
}

function readItem(rest: string, place: LinePlace, context: LineContext): Line | null {
  const found = /^([-*+]|\d{1,9}[.)])(?:[ \t]+|$)/.exec(rest);
  if (found === null) return null;
  const [all, marker = '-'] = found;
  // `2024.` at the start of a line ends a sentence.
  if (context.inParagraph && !context.inList && /^\d/.test(marker) && marker.slice(0, -1) !== '1')
    return null;
  const task = /^\[([ xX])\](?:[ \t]+|$)/.exec(rest.slice(all.length));
  const start = place.start + all.length + (task?.[0].length ?? 0);
  return {
    type: 'item',
    marker: /^\d/.test(marker) ? `${marker.slice(0, -1)}.` : '-',
    task: task === null ? null : task[1] !== ' ',
    ...place,
    start,
  };
}

/** A tab counts as four. */
function columns(space: string): number {
  return space.replace(/\t/g, '    ').length;
}

interface Level {
  /** The column of its marker in the source. */
  readonly column: number;
  /** The indent of its content in the output. */
  readonly content: number;
  readonly marker: number;
}

/** Two columns make a child: models indent by two even under `1. `, where CommonMark wants three. */
const STEP = 2;

/** The open list items. Columns refer to the source, indents to the output. */
export class Lists {
  readonly #maxDepth: number;
  #levels: Level[] = [];

  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth;
  }

  get depth(): number {
    return this.#levels.length;
  }

  /** The indent of the innermost item's text. */
  get contentIndent(): number {
    return this.#levels.at(-1)?.content ?? 0;
  }

  /** Opens an item; returns the indent of its marker. */
  item(column: number, marker: string, behindMarker: boolean): number {
    const at = behindMarker ? (this.#levels.at(-1)?.column ?? 0) + STEP : column;
    this.#leave(at);
    const parent = this.#levels.at(-1);
    const indent = this.depth < this.#maxDepth ? (parent?.content ?? 0) : (parent?.marker ?? 0);
    this.#levels.push({ column: at, marker: indent, content: indent + marker.length + 1 });
    return indent;
  }

  /** Places a line that is no item. `leaves`: it ends items that it is not indented for; otherwise it continues lazily. */
  text(column: number, leaves: boolean): number {
    if (leaves) this.#leave(column);
    return this.contentIndent;
  }

  reset(): void {
    this.#levels = [];
  }

  #leave(column: number): void {
    this.#levels = this.#levels.filter((level) => column >= level.column + STEP);
  }
}

/** The line that opens a block. */
type Opening = Extract<Line, { type: 'fence' }>;

/** Code without spaces is passed on in stretches of this many characters. */
const STRETCH = 200;

export type Fence = ReturnType<typeof createFence>;

/** Opens a fenced code block whose lines begin with `prefix`. It is passed on word by word. */
export function createFence(parts: Parts, dialect: Dialect, opening: Opening, prefix: Prefix) {
  const { fence } = dialect;
  parts.open({ opener: [raw(fence === '' ? '' : fence + opening.language)], closer: fence, prefix });
  let isClosed = false;
  let inLine = false;
  const end = (): void => {
    if (!isClosed) parts.close();
    isClosed = true;
  };
  return {
    get isClosed(): boolean {
      return isClosed;
    },
    /** Takes what the buffer begins with, once it is decided, and returns the rest; null when more text is needed. */
    step(buffer: string, complete: boolean): string | null {
      if (inLine) {
        const code = readCode(buffer, complete);
        if (code === null) return null;
        if (code !== '') parts.put([raw(dialect.code(withoutFences(code)))], 'word');
        inLine = !buffer.startsWith('\n', code.length);
        return buffer.slice(code.length + (inLine ? 0 : 1));
      }
      const start = readStart(buffer, complete, opening);
      if (start === null) return null;
      if (start.isClosing) end();
      else {
        parts.codeLine();
        inLine = true;
      }
      return buffer.slice(start.length);
    },
    end,
  };
}

/** A line that is not over and could be a closing one. */
const CLOSING_BEGUN = /^[ \t]*[`~$\\\]]*[.,;]?[ \t]*$/;

/** Matches the closing line: a fence at least as long as the opening one, or the end of a formula. */
function closingOf(mark: string): RegExp {
  if (mark === '$$') return /^[ \t]*\$\$[.,;]?[ \t]*$/;
  if (mark === '\\[') return /^[ \t]*\\\][.,;]?[ \t]*$/;
  return new RegExp(`^[ \\t]*${mark.charAt(0)}{${mark.length},}[ \\t]*$`);
}

/** Measures what stands before the code of a line, or the whole closing line; null when more text is needed. */
function readStart(
  buffer: string,
  complete: boolean,
  { mark, quote, indent }: Opening,
): { readonly isClosing: boolean; readonly length: number } | null {
  const end = buffer.indexOf('\n');
  const line = buffer.slice(0, end === -1 ? Math.min(buffer.length, 2 * STRETCH) : end);
  const isWhole = end !== -1 || complete || line.length >= STRETCH;
  const quoted = new RegExp(`^(?: {0,3}>[ \\t]?){${quote}}`).exec(line)?.[0];
  // A line outside the quote ends the block.
  if (quoted === undefined) return !isWhole && /^[ \t>]*$/.test(line) ? null : { isClosing: true, length: 0 };
  const content = line.slice(quoted.length);
  if (!isWhole && CLOSING_BEGUN.test(content)) return null;
  if (isWhole && closingOf(mark).test(content)) return { isClosing: true, length: line.length + 1 };
  const indented = new RegExp(`^ {0,${indent}}`).exec(content)?.[0] ?? '';
  return { isClosing: false, length: quoted.length + indented.length };
}

/** Takes one word of code with the spaces before it; null when more text is needed. */
function readCode(buffer: string, complete: boolean): string | null {
  const word = /^[^\S\n]*[^\s]*/.exec(buffer.slice(0, 2 * STRETCH))?.[0] ?? '';
  if (word.length <= STRETCH) return complete || word.length < buffer.length ? word : null;
  for (let at = STRETCH; at < word.length; at += 1) {
    const cut = mayCut(buffer, at, complete);
    if (cut === 'unknown') return null;
    if (cut === 'here') return buffer.slice(0, at);
  }
  return word.length < buffer.length || complete ? word : null;
}
