import {
  type Citations,
  countMarker,
  type Linked,
  type LinkRoom,
  type Links,
  noLinks,
  takeLinkRoom,
} from './citations.ts';
import { BREAKER, type Dialect, type Place } from './dialects.ts';
import { isLeftFlanking, type MarkKind } from './emphasis.ts';
import { hidesMarks, parseInline, type Span } from './inline-parse.ts';
import { type Stretch, shownAddress, splitAddresses } from './urls.ts';

/** The citations shown in one run; more are counted. */
const MAX_RUN = 4;

/** The context of inline Markdown. */
export interface InlineContext {
  readonly dialect: Dialect;
  readonly links: Links;
  readonly citations: Citations;
  readonly place: Place;
  /** Whether it continues a word whose beginning has been written. */
  readonly glued: boolean;
  /** Whether it is bold as a whole. */
  readonly bold: boolean;
  /** Whether every character is literal. */
  readonly literal: boolean;
  readonly linkRoom: LinkRoom;
}

/** A word that no platform could take for mark-up. */
const WORD = /^[\p{L}\p{N}]+,?$/u;

/** Writes inline Markdown in the platform's dialect. Newlines become spaces; everything but our own mark-up is escaped. */
export function renderInline(source: string, context: InlineContext): string {
  if (!context.bold && !context.glued && WORD.test(source)) return source;
  const writer: Writer = { text: '', isAfterCitation: false, marks: null, context };
  writeSpans(writer, readSpans(source.replace(/(?<!\s)\s*\n\s*/g, ' '), context));
  return writer.text;
}

function readSpans(text: string, { literal, bold, links }: InlineContext): readonly Span[] {
  if (literal) return [{ type: 'text', text }];
  if (!bold) return parseInline(text, links, []);
  const mark = 'strong';
  return [{ type: 'open', mark }, ...parseInline(text, links, [mark]), { type: 'close', mark }];
}

interface Writer {
  text: string;
  /** Whether the last thing written is a linked citation. */
  isAfterCitation: boolean;
  /** The marks written last, what stands before them, and where they begin; null behind anything else. */
  marks: { readonly type: 'open' | 'close'; readonly before: string; readonly at: number } | null;
  readonly context: InlineContext;
}

function writeSpans(writer: Writer, all: readonly Span[]): void {
  // Code must not end an emphasis and set free what it holds.
  const isUnmarked = writer.context.dialect.marksEndInCode && hidesMarks(all);
  const spans = isUnmarked ? all.filter(({ type }) => type !== 'open' && type !== 'close') : all;
  for (let i = 0; i < spans.length; ) {
    const span = spans[i];
    if (span?.type === 'text') i = writeTexts(writer, spans, i);
    else if (span?.type === 'cite') i = writeCitations(writer, spans, i);
    else {
      if (span !== undefined) writeMarkup(writer, span, spans[i - 1]);
      i += 1;
    }
  }
}

/** Joins adjacent text, because an address may contain escapes. */
function writeTexts(writer: Writer, spans: readonly Span[], from: number): number {
  let text = '';
  let at = from;
  for (let span = spans[at]; span?.type === 'text'; span = spans[at]) {
    // Two tags between two words separate them once.
    text += span.text === ' ' && /\s$/.test(text) ? '' : span.text;
    at += 1;
  }
  const isGlued = writer.context.glued && writer.text === '';
  const isSource = (address: string): boolean => sourceOf(address, writer.context.links) !== null;
  for (const stretch of isGlued ? ungluedStretches(text, writer) : splitAddresses(text, isSource))
    writeStretch(writer, stretch);
  return at;
}

function writeStretch(writer: Writer, { text, address }: Stretch): void {
  const { dialect, links, place } = writer.context;
  const linked = address === null ? null : sourceOf(text, links);
  if (linked !== null) return writeLinked(writer, linked, [], shownAddress(text));
  if (address === 'full' || (address === 'bare' && dialect.linksBare))
    return write(writer, codeIn(writer.context, shownAddress(text)));
  if (writer.isAfterCitation && /^[\p{L}\p{N}]/u.test(text)) writeGap(writer, dialect.citeGap);
  writer.isAfterCitation = false;
  const here = { ...place, before: lastChar(writer), lineStart: place.lineStart && writer.text === '' };
  write(writer, dialect.escape(text, here));
}

function sourceOf(address: string, links: Links): Linked | null {
  return links.byAddress(address.includes('://') ? address : `https://${address}`);
}

/** The rest of a written word cannot become code with it, so anything that could make it a link is broken. */
function ungluedStretches(text: string, writer: Writer): readonly Stretch[] {
  const end = text.search(/\s/);
  const rest = end === -1 ? text : text.slice(0, end);
  const first = /[@<.:/]$/.test(lastChar(writer)) ? BREAKER : '';
  const apart = first + rest.replace(/[.:](?=[\p{L}\p{N}/])|@(?=[\p{L}\p{N}])/gu, `$&${BREAKER}`);
  return [{ text: apart, address: null }, ...(end === -1 ? [] : splitAddresses(text.slice(end)))];
}

function writeMarkup(
  writer: Writer,
  span: Exclude<Span, { type: 'text' | 'cite' }>,
  before: Span | undefined,
): void {
  const { context } = writer;
  switch (span.type) {
    case 'code':
      write(writer, codeIn(context, span.text));
      break;
    case 'open':
      // Adjacent `*a*` and `**b**` would be parsed as one run.
      if (before?.type === 'close' && context.dialect.mark(span.mark).startsWith(lastChar(writer)))
        write(writer, context.dialect.markGap || BREAKER);
      writeMark(writer, span.type, span.mark);
      break;
    case 'close':
      writer.text = writer.text.trimEnd();
      writeMark(writer, span.type, span.mark);
      break;
    case 'link':
      writeLinked(writer, span.linked, span.label, span.shown);
      break;
  }
}

function writeMark(writer: Writer, type: 'open' | 'close', mark: MarkKind): void {
  const { marks } = writer;
  const isMore = marks?.type === type;
  if (!isMore) separateMarks(writer, '*');
  writer.marks = null;
  const run = isMore ? marks : { type, before: lastChar(writer), at: writer.text.length };
  write(writer, writer.context.dialect.mark(mark));
  writer.marks = run;
}

/** Puts a gap outside the marks written last if CommonMark would not see them before `after`. */
function separateMarks(writer: Writer, after: string): void {
  const { marks } = writer;
  const { markGap } = writer.context.dialect;
  writer.marks = null;
  if (marks === null || markGap === '' || after === '') return;
  if (marks.type === 'close') {
    if (needsGap(after, marks.before)) writer.text += markGap;
  } else if (needsGap(marks.before, after)) insertGap(writer, marks.at, markGap);
}

/** Some parsers take an emoji, which is two units, for letters. */
function needsGap(outside: string, inside: string): boolean {
  return !isLeftFlanking(outside, inside) || (outside.length > 1 && !isLeftFlanking('a', inside));
}

/** Writes a gap, outside marks that have just been opened. */
function writeGap(writer: Writer, gap: string): void {
  const { marks } = writer;
  if (marks?.type !== 'open') return write(writer, gap);
  insertGap(writer, marks.at, gap);
  writer.marks = null;
}

function insertGap(writer: Writer, at: number, gap: string): void {
  writer.text = writer.text.slice(0, at) + gap + writer.text.slice(at);
}

/** Writes a link to a source; without a label its address is shown. */
function writeLinked(writer: Writer, linked: Linked, label: readonly Span[], shown: string): void {
  const { context } = writer;
  const inner: Writer = {
    text: '',
    isAfterCitation: false,
    marks: null,
    context: {
      ...context,
      links: noLinks,
      glued: false,
      place: { ...context.place, label: true, lineStart: false, before: '[' },
    },
  };
  writeSpans(inner, label);
  const words = inner.text.trim() === '' ? codeIn(context, shown) : inner.text;
  countMarker(context.citations, `${linked.number}`);
  write(writer, linkIfRoom(context, linked.number, context.dialect.link(words, linked.target), words));
}

/** Writes a run of citations: the first few, and the number of the others. */
function writeCitations(writer: Writer, spans: readonly Span[], from: number): number {
  const { dialect, citations, place } = writer.context;
  let at = from;
  for (let span = spans[at]; span?.type === 'cite'; span = spans[at]) {
    const { text, markers, linked } = span;
    for (const marker of markers) countMarker(citations, marker);
    if (at - from < MAX_RUN) {
      const here = { ...place, before: lastChar(writer), lineStart: false };
      const plain = dialect.escape(linked === null ? text : `[${linked.number}]`, here);
      const cited =
        linked === null
          ? plain
          : linkIfRoom(writer.context, linked.number, dialect.cite(linked.number, linked.target), plain);
      const isLinked = cited !== plain;
      const wasBeside = writer.isAfterCitation || (isLinked && (at > from || endsInWord(writer)));
      if (wasBeside) writeGap(writer, dialect.citeGap);
      write(writer, cited);
      writer.isAfterCitation = isLinked;
    }
    at += 1;
  }
  const more = at - from - MAX_RUN;
  if (more > 0) write(writer, `${writer.isAfterCitation ? dialect.citeGap : ''}+${more}`);
  return at;
}

/** Whether the last visible character is a letter, a digit or a `!`, which would turn a link into an image. */
function endsInWord({ text, context }: Writer): boolean {
  return /[\p{L}\p{N}!]$/u.test(text.replace(/[*~]+$/, '') || context.place.before);
}

/** A link may need a gap on each side and a breaker. */
const BESIDE = 3;

/** Returns the link if the message has room for it, else the plain text. */
function linkIfRoom(
  { dialect, linkRoom }: InlineContext,
  number: number,
  linked: string,
  plain: string,
): string {
  const cost = dialect.measure(linked) - dialect.measure(plain) + BESIDE;
  return takeLinkRoom(linkRoom, number, cost) ? linked : plain;
}

/** A bar ends a table cell even inside code. */
function codeIn({ dialect, place }: InlineContext, text: string): string {
  const code = dialect.codeSpan(text);
  return place.cell ? code.replace(/\|/g, '\\|') : code;
}

function write(writer: Writer, text: string): void {
  separateMarks(writer, /^[^]/u.exec(text)?.[0] ?? '');
  // Adjacent code spans would be parsed as one.
  const touches = text.startsWith('`') && lastChar(writer) === '`';
  // A `!` before a link would make it an image.
  const isImage = /^\[[^]*\]\(/.test(text) && lastChar(writer) === '!';
  writer.text += `${touches ? ' ' : isImage ? BREAKER : ''}${text}`;
}

function lastChar(writer: Writer): string {
  return writer.text === '' ? writer.context.place.before : (/[^]$/u.exec(writer.text.slice(-2))?.[0] ?? '');
}
