import { Lexer, type Token, type Tokens } from 'marked';
import { BREAKER, type Dialect, type Place } from './dialects.ts';
import { type Citations, type Linked, type Links, meet } from './links.ts';
import { shownAddress, splitAddresses } from './urls.ts';

/** More citations of one claim than this are counted, not shown. */
const MAX_RUN = 4;

/** A link inside a mark may nest; what nests deeper is hostile. */
const MAX_DEPTH = 8;

/** Where a stretch of inline Markdown stands and what it may use. */
export interface InlineContext {
  readonly dialect: Dialect;
  readonly links: Links;
  readonly citations: Citations;
  readonly place: Place;
  /** It goes on in the middle of a word whose beginning is already out. */
  readonly glued: boolean;
  /** It stands inside bold text: strong marks are left out. */
  readonly bold: boolean;
  /** No parsing: every character is meant as it is. */
  readonly literal: boolean;
  /** How much longer than plain text links may still make the message, in the platform's unit. */
  readonly budget: { left: number };
}

export interface Rendered {
  readonly text: string;
  /** Room to keep for links that may still come, in the platform's unit. */
  readonly reserve: number;
}

/** What a stretch consists of once it is parsed: literal text, finished mark-up, citations. */
type Span =
  | { readonly type: 'text'; readonly text: string; readonly label: boolean }
  | { readonly type: 'markup'; readonly text: string }
  | { readonly type: 'cite'; readonly number: number; readonly linked: Linked | null };

/** Nothing in it that the parser could see as mark-up. */
const PLAIN = /^[^\\`*_~[\]!<&]*$/;

/** Inline Markdown, newlines as spaces, in the platform's dialect: every character literal that is not mark-up we mean. */
export function renderInline(source: string, context: InlineContext): Rendered {
  const text = source.replace(/\s*\n\s*/g, ' ');
  const spans: Span[] = [];
  if (context.literal || PLAIN.test(text)) spans.push({ type: 'text', text, label: false });
  else
    collect(Lexer.lexInline(text, { gfm: true }), {
      context,
      spans,
      label: false,
      bold: context.bold,
      depth: 0,
    });
  return writeSpans(spans, context);
}

interface Collecting {
  readonly context: InlineContext;
  readonly spans: Span[];
  readonly label: boolean;
  readonly bold: boolean;
  readonly depth: number;
}

function collect(tokens: readonly Token[], into: Collecting): void {
  for (const token of tokens) collectToken(token, into);
}

function collectToken(token: Token, into: Collecting): void {
  const inner = { ...into, depth: into.depth + 1 };
  switch (token.type) {
    case 'strong':
      marked(into.bold ? '' : into.context.dialect.mark('strong', '**'), token, { ...inner, bold: true });
      break;
    case 'em':
      marked(into.context.dialect.mark('em', token.raw.charAt(0)), token, inner);
      break;
    case 'del':
      marked(into.context.dialect.mark('del', '~~'), token, inner);
      break;
    case 'codespan':
      into.spans.push({ type: 'markup', text: codeIn(into.context, String(token.text)) });
      break;
    case 'link':
    case 'image':
      // The lexer gives these two exactly these types.
      collectLink(token as Tokens.Link | Tokens.Image, inner);
      break;
    case 'escape':
      into.spans.push({ type: 'text', text: String(token.text), label: into.label });
      break;
    case 'br':
      into.spans.push({ type: 'text', text: ' ', label: into.label });
      break;
    case 'html':
      if (/^<br\s*\/?>$/i.test(token.raw)) into.spans.push({ type: 'text', text: ' ', label: into.label });
      else into.spans.push({ type: 'text', text: decode(token.raw), label: into.label });
      break;
    default:
      collectText(token.raw, into);
  }
}

/** Emphasis around nothing visible would show its marks. */
function marked(mark: string, token: Tokens.Generic, into: Collecting): void {
  const before = into.spans.length;
  into.spans.push({ type: 'markup', text: mark });
  if (into.depth > MAX_DEPTH) into.spans.push({ type: 'text', text: token.raw, label: into.label });
  else collect(token.tokens ?? [], into);
  const isEmpty = into.spans
    .slice(before + 1)
    .every((span) => span.type !== 'cite' && span.text.trim() === '');
  if (isEmpty) into.spans.splice(before);
  else into.spans.push({ type: 'markup', text: mark });
}

function collectText(text: string, into: Collecting): void {
  let last = 0;
  for (const found of text.matchAll(/\[(?:web:)?(\d{1,3})\]/g)) {
    if (into.label) break;
    if (found.index > last)
      into.spans.push({ type: 'text', text: decode(text.slice(last, found.index)), label: false });
    const number = Number(found[1]);
    into.spans.push({ type: 'cite', number, linked: into.context.links.byNumber(number) });
    last = found.index + found[0].length;
  }
  if (last < text.length)
    into.spans.push({ type: 'text', text: decode(text.slice(last)), label: into.label });
}

function collectLink(token: Tokens.Link | Tokens.Image, into: Collecting): void {
  // A bare address is text: it is judged with the word it is part of.
  if (!/^!?\[|^</.test(token.raw)) {
    into.spans.push({ type: 'text', text: token.raw, label: into.label });
    return;
  }
  const linked = into.label ? null : into.context.links.byAddress(token.href);
  const marker = /^\[?(?:web:)?(\d{1,3})\]?$/.exec(token.text.trim());
  if (linked !== null && marker !== null) {
    into.spans.push({ type: 'cite', number: linked.number, linked });
  } else if (linked !== null) {
    pushLink(linked, token, into);
  } else {
    pushForeign(token, into);
  }
}

function pushLink(linked: Linked, token: Tokens.Link | Tokens.Image, into: Collecting): void {
  const { context } = into;
  const label: Span[] = [];
  if (token.raw.startsWith('<') || token.text.trim() === '')
    label.push({ type: 'text', text: 'link', label: true });
  else collect(token.tokens, { ...into, spans: label, label: true });
  const place = { ...context.place, label: true, lineStart: false, before: '[' };
  const shown = token.raw.startsWith('<')
    ? codeIn(context, shownAddress(token.href))
    : writeSpans(label, { ...context, place }).text;
  const whole = context.dialect.link(shown.trim() === '' ? 'link' : shown, linked.target);
  meet(context.citations, linked.number);
  into.spans.push({ type: 'markup', text: afford(context, whole, shown) });
}

/** The label, then where it would have led, as text that cannot be clicked. */
function pushForeign(token: Tokens.Link | Tokens.Image, into: Collecting): void {
  const { spans, context } = into;
  const address = shownAddress(decode(token.href));
  const label = token.text.trim();
  const code = codeIn(context, address);
  const isBare = token.raw.startsWith('<') || shownAddress(label) === address || label === '';
  if (!isBare) {
    if (into.depth > MAX_DEPTH) spans.push({ type: 'text', text: label, label: into.label });
    else collect(token.tokens, into);
    if (code !== '') spans.push({ type: 'text', text: ' (', label: into.label });
  }
  if (code !== '') spans.push({ type: 'markup', text: code });
  if (!isBare && code !== '') spans.push({ type: 'text', text: ')', label: into.label });
}

/** The link if the message has room for it, else the same without one. */
function afford({ dialect, budget }: InlineContext, linked: string, plain: string): string {
  const cost = dialect.measure(linked) - dialect.measure(plain);
  if (cost > budget.left) return plain;
  budget.left -= cost;
  return linked;
}

/** A bar would end the cell of a table even inside code. */
function codeIn({ dialect, place }: InlineContext, text: string): string {
  const code = dialect.codeSpan(text);
  return place.cell ? code.replace(/\|/g, '\\|') : code;
}

function writeSpans(spans: readonly Span[], context: InlineContext): Rendered {
  const writer = { text: '', reserve: 0, context };
  let literal = '';
  let label = context.place.label;
  let run: (Span & { type: 'cite' })[] = [];
  const flushText = (): void => {
    if (literal !== '') writeText(writer, literal, label);
    literal = '';
  };
  const flushRun = (): void => {
    if (run.length > 0) writeRun(writer, run);
    run = [];
  };
  for (const span of spans) {
    if (span.type === 'cite') {
      flushText();
      run.push(span);
      continue;
    }
    flushRun();
    if (span.type === 'text') {
      literal += span.text;
      label = span.label || context.place.label;
    } else {
      flushText();
      write(writer, span.text);
    }
  }
  flushRun();
  flushText();
  return { text: writer.text, reserve: writer.reserve };
}

interface Writer {
  text: string;
  reserve: number;
  readonly context: InlineContext;
}

function write(writer: Writer, text: string): void {
  // Two code spans side by side would be read as one.
  const touches = text.startsWith('`') && lastChar(writer) === '`';
  writer.text += touches ? ` ${text}` : text;
}

function lastChar(writer: Writer): string {
  return writer.text === '' ? writer.context.place.before : writer.text.slice(-1);
}

function writeText(writer: Writer, text: string, label: boolean): void {
  const { dialect, links, glued } = writer.context;
  const stretches = glued && writer.text === '' ? ungluedStretches(text, writer) : splitAddresses(text);
  for (const stretch of stretches) {
    if (!stretch.isAddress) {
      const { place } = writer.context;
      const here = {
        ...place,
        label,
        before: lastChar(writer),
        lineStart: place.lineStart && writer.text === '',
      };
      write(writer, dialect.escape(stretch.text, here));
      continue;
    }
    const code = codeIn(writer.context, shownAddress(stretch.text));
    const address = stretch.text.includes('://') ? stretch.text : `https://${stretch.text}`;
    const linked = label ? null : links.byAddress(address);
    if (linked !== null) meet(writer.context.citations, linked.number);
    write(writer, linked === null ? code : afford(writer.context, dialect.link(code, linked.target), code));
  }
}

/** The rest of a word that is already out cannot become a code span with it, so whatever would make it a link is taken apart. */
function ungluedStretches(text: string, writer: Writer): ReturnType<typeof splitAddresses> {
  const end = text.search(/\s/);
  const rest = end === -1 ? text : text.slice(0, end);
  const first = /[@<]$/.test(lastChar(writer)) ? BREAKER : '';
  const apart = first + rest.replace(/[.:](?=[\p{L}\p{N}/])|@(?=[\p{L}\p{N}])/gu, `$&${BREAKER}`);
  return [{ text: apart, isAddress: false }, ...(end === -1 ? [] : splitAddresses(text.slice(end)))];
}

function writeRun(writer: Writer, run: readonly (Span & { type: 'cite' })[]): void {
  const { dialect, links, citations, place } = writer.context;
  for (const [index, { number, linked }] of run.entries()) {
    meet(citations, number);
    if (index >= MAX_RUN) continue;
    const plain = dialect.escape(`[${number}]`, { ...place, before: lastChar(writer), lineStart: false });
    if (!links.known) writer.reserve += dialect.linkReserve;
    write(
      writer,
      linked === null ? plain : afford(writer.context, dialect.cite(number, linked.target), plain),
    );
  }
  if (run.length > MAX_RUN) write(writer, `+${run.length - MAX_RUN}`);
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
};

/** The entities that models write; what they stand for is judged like any other text. */
function decode(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#x([\da-f]{1,6})|(amp|lt|gt|quot|apos|nbsp));/gi,
    (whole, decimal, hex, name) => {
      if (name !== undefined) return ENTITIES[String(name).toLowerCase()] ?? whole;
      const code = decimal === undefined ? Number.parseInt(String(hex), 16) : Number(decimal);
      // Controls, bidi marks and the like stay spelt out: they went from the text itself as well.
      const isPrintable =
        code >= 0x20 &&
        code < 0x2_0000 &&
        !(code >= 0x7f && code < 0xa1) &&
        !/\p{C}/u.test(String.fromCodePoint(code));
      return isPrintable ? String.fromCodePoint(code) : whole;
    },
  );
}
