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
