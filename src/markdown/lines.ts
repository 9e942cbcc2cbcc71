/** What a line of Markdown is, read from as little of it as possible. */
export type Line =
  /** More of the line is needed to tell. */
  | { readonly type: 'open' }
  | ({ readonly type: 'blank' } & Place)
  /** ``` or ~~~, or what begins a formula of several lines: $$ or \[ */
  | ({ readonly type: 'fence'; readonly mark: string; readonly language: string } & Place)
  | ({ readonly type: 'heading'; readonly level: number } & Place)
  | ({ readonly type: 'rule' } & Place)
  | ({ readonly type: 'item'; readonly marker: string; readonly task: boolean | null } & Place)
  /** It begins with a bar and is whole; whether it is one the next line tells. */
  | ({ readonly type: 'row' } & Place)
  | ({ readonly type: 'text' } & Place);

interface Place {
  /** Quote marks in front. */
  readonly quote: number;
  /** Columns of white space before the content or the marker. */
  readonly indent: number;
  /** Where in the line the content begins. */
  readonly start: number;
}

/** What stands before the line and changes what it can be. */
export interface LineContext {
  readonly isWhole: boolean;
  /** A paragraph is open: only some markers end it. */
  readonly inParagraph: boolean;
  readonly inList: boolean;
  /** Headings below this level are waited for as a whole. */
  readonly maxHeading: number;
  /** Columns that the line's item has already taken (content behind a list marker). */
  readonly behindMarker: boolean;
}

/** A line that is longer before it is known what it is, is text. */
const UNDECIDED_LIMIT = 300;

/** A row of a table that is longer is text: it could not be held together in a message. */
const ROW_LIMIT = 1_200;

const OPEN: Line = { type: 'open' };

export function readLine(line: string, context: LineContext): Line {
  const prefix = /^(?: {0,3}>[ \t]?){1,16}/.exec(context.behindMarker ? '' : line)?.[0] ?? '';
  const space = /^[ \t]*/.exec(line.slice(prefix.length))?.[0] ?? '';
  const place: Place = {
    quote: prefix.split('>').length - 1,
    indent: columns(space),
    start: prefix.length + space.length,
  };
  const rest = line.slice(place.start);
  if (rest === '' && line.length > UNDECIDED_LIMIT) return { type: 'text', ...place };
  if (rest === '') return context.isWhole ? { type: 'blank', ...place } : OPEN;
  if (!context.isWhole && rest.startsWith('|') && rest.length <= ROW_LIMIT) return OPEN;
  const isLong = line.length > UNDECIDED_LIMIT;
  if (!context.isWhole && !isLong && isUndecided(rest, context)) return OPEN;
  const heading = readHeading(rest, place);
  // Had it come bit by bit, it would have been out as text before it was whole.
  if (isLong && heading !== null && heading.level > context.maxHeading) return { ...heading, type: 'text' };
  return (
    (isLong ? null : readFence(rest, place)) ??
    heading ??
    (isLong ? null : readRule(rest, place, context)) ??
    readItem(rest, place, context) ??
    (rest.startsWith('|') && rest.length <= ROW_LIMIT && context.isWhole && !context.behindMarker
      ? { type: 'row', ...place }
      : { type: 'text', ...place })
  );
}

function isUndecided(rest: string, { maxHeading }: LineContext): boolean {
  const hashes = /^#{1,6}(?=[ \t]|$)/.exec(rest)?.[0].length ?? 0;
  return (
    /^(?:`{1,2}|~{1,2}|`{3,}[^`]*|~{3,}.*)$/.test(rest) ||
    /^(?:\$\$?|\\\[?)[ \t]*$/.test(rest) ||
    hashes > maxHeading ||
    /^#{1,6}[ \t]*$/.test(rest) ||
    /^(?:([-*_])(?:[ \t]*\1)*[ \t]*|=+[ \t]*)$/.test(rest) ||
    /^(?:[-*+]|\d{1,9}[.)]?)$/.test(rest) ||
    /^(?:[-*+]|\d{1,9}[.)])[ \t]+(?:\[[ xX]?\]?)?$/.test(rest) ||
    /^(?:[-*+]|\d{1,9}[.)])[ \t]+\[[ xX]\]$/.test(rest)
  );
}

function readFence(rest: string, place: Place): Line | null {
  const formula = /^(\$\$|\\\[)[ \t]*$/.exec(rest)?.[1];
  if (formula !== undefined) return { type: 'fence', mark: formula, language: 'latex', ...place };
  const found = /^(`{3,}|~{3,})[ \t]*([^\n]*)$/.exec(rest);
  if (found === null) return null;
  const [, mark = '', info = ''] = found;
  if (mark.startsWith('`') && info.includes('`')) return null;
  const language = /^[\w+#.-]{1,20}/.exec(info)?.[0] ?? '';
  return { type: 'fence', mark, language, ...place };
}

function readHeading(rest: string, place: Place): Extract<Line, { type: 'heading' }> | null {
  const found = /^(#{1,6})(?:[ \t]+|$)/.exec(rest);
  if (found === null) return null;
  return { type: 'heading', level: found[1]?.length ?? 1, ...place, start: place.start + found[0].length };
}

/** A row of dashes, or the underline of a heading whose text is out already. */
function readRule(rest: string, place: Place, { isWhole, inParagraph }: LineContext): Line | null {
  const isRule = /^([-*_])(?:[ \t]*\1){2,}[ \t]*$/.test(rest);
  const isUnderline = inParagraph && /^(?:=+|-+)[ \t]*$/.test(rest);
  return isWhole && (isRule || isUnderline) ? { type: 'rule', ...place } : null;
}

function readItem(rest: string, place: Place, context: LineContext): Line | null {
  const found = /^([-*+]|\d{1,9}[.)])(?:[ \t]+|$)/.exec(rest);
  if (found === null) return null;
  const [all, marker = '-'] = found;
  // `2024.` at the start of a line is the end of a sentence.
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
