import { Lexer, type Token, Tokenizer, type Tokens } from 'marked';
import { type Cited, type Linked, type Links, markerOf, splitCitations } from './citations.ts';
import type { MarkKind, Pair } from './emphasis.ts';
import { readTag, wordsOfTag } from './html-tags.ts';
import { findPairs, formulasAsCode } from './inline-scan.ts';
import { shownAddress, splitAddresses } from './urls.ts';

/** Parsed inline Markdown, independent of the platform. What leads to none of the sources is text or code. */
export type Span =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'code'; readonly text: string }
  | { readonly type: 'open' | 'close'; readonly mark: MarkKind }
  /** `text`: as written; `markers`: at least one; `linked`: null when none of them has a source. */
  | {
      readonly type: 'cite';
      readonly text: string;
      readonly markers: readonly string[];
      readonly linked: Linked | null;
    }
  /** `shown`: the address, for a link without a visible label. */
  | {
      readonly type: 'link';
      readonly linked: Linked;
      readonly label: readonly Span[];
      readonly shown: string;
    };

/** What stands around a token. */
interface Around {
  /** Null in the label of a link, where there can be no other link. */
  readonly links: Links | null;
  /** The marks that are open; nested ones of the same kind are left out. */
  readonly marks: readonly MarkKind[];
}

/** Text without anything that the parser could take for mark-up. Parsing every single word would triple the time of an answer. */
const PLAIN = /^[^\\`*_~[\]!<&【［]*$/;

/** Emphasis and tags are found by the scanner, as in a stream. */
class InlineTokenizer extends Tokenizer {
  override emStrong(): undefined {}
  override del(): undefined {}
  override tag(src: string): Tokens.Tag | undefined {
    const tag = src.startsWith('<') ? readTag(src, 0, true) : null;
    if (tag?.state !== 'closed') return undefined;
    const raw = src.slice(0, tag.end);
    return { type: 'html', raw, text: raw, block: false, inLink: false, inRawBlock: false };
  }
}

/** Parses inline Markdown. `marks`: those that are already open. */
export function parseInline(text: string, links: Links | null, marks: readonly MarkKind[]): readonly Span[] {
  const source = formulasAsCode(text);
  if (PLAIN.test(source)) return source === '' ? [] : [{ type: 'text', text: source }];
  const pairs = findPairs(source).toSorted((one, other) => one.open - other.open);
  return readRange(source, 0, source.length, pairs, { links, marks });
}

/** Reads a stretch of the text. `pairs`: the emphases in it, in order. */
function readRange(
  source: string,
  from: number,
  to: number,
  pairs: readonly Pair[],
  around: Around,
): readonly Span[] {
  const spans: Span[] = [];
  let at = from;
  for (let index = 0; index < pairs.length; ) {
    const pair = pairs[index];
    if (pair === undefined) break;
    const { kind, open, close, size } = pair;
    const next = pairs.findIndex((other, i) => i > index && other.open > close);
    const inside = pairs.slice(index + 1, next === -1 ? pairs.length : next);
    spans.push(...lex(source.slice(at, open), around));
    const marks = [...around.marks, kind];
    const inner = readRange(source, open + size, close, inside, { ...around, marks });
    spans.push(...marked(kind, inner, around.marks));
    at = close + size;
    index += inside.length + 1;
  }
  return [...spans, ...lex(source.slice(at, to), around)];
}

function lex(text: string, around: Around): readonly Span[] {
  if (text === '') return [];
  const tokens = Lexer.lexInline(text, { gfm: true, tokenizer: new InlineTokenizer() });
  return tokens.flatMap((token) => readToken(token, around));
}

/** Whether nothing of a text will be seen: it consists of tags. */
export function isInvisible(text: string): boolean {
  if (!text.includes('<')) return false;
  return parseInline(text, null, []).every((span) => 'text' in span && span.text.trim() === '');
}

/** The platforms show the marks of an empty emphasis as characters. */
function marked(mark: MarkKind, inner: readonly Span[], open: readonly MarkKind[]): readonly Span[] {
  const isVisible = inner.some((span) => !('text' in span) || span.text.trim() !== '');
  if (!isVisible || open.includes(mark)) return inner;
  return [{ type: 'open', mark }, ...inner, { type: 'close', mark }];
}

function readToken(token: Token, around: Around): readonly Span[] {
  switch (token.type) {
    case 'codespan':
      return [{ type: 'code', text: String(token.text) }];
    case 'link':
    case 'image':
      // The lexer's types for these two are known.
      return readLink(token as Tokens.Link | Tokens.Image, around);
    case 'escape':
      return [textSpan(String(token.text))];
    case 'br':
      return [textSpan(' ')];
    case 'html':
      return [textSpan(wordsOfTag(token.raw))];
    default:
      return splitCitations(token.raw).flatMap((cited) =>
        cited.markers.length === 0 ? textSpan(decode(cited.text)) : readCitation(cited, around.links),
      );
  }
}

function textSpan(text: string): Span {
  return { type: 'text', text };
}

/** Splits a citation into single markers if any has a source; otherwise it stays as written. */
function readCitation({ text, markers, isRange }: Cited, links: Links | null): readonly Span[] {
  if (links === null) return [textSpan(text)];
  const cited = markers.map((marker) => ({ marker, linked: links.byMarker(marker) }));
  const count = cited.filter(({ linked }) => linked !== null).length;
  // `[10-15]` may be numbers.
  const isNumbers = isRange && links.known && count < cited.length && !text.includes('web:');
  if (isNumbers) return [textSpan(text)];
  if (count === 0 || (isRange && count < cited.length))
    return [{ type: 'cite', text, markers, linked: null }];
  return cited.map(({ marker, linked }) => ({
    type: 'cite',
    text: `[${marker}]`,
    markers: [marker],
    linked,
  }));
}

function readLink(token: Tokens.Link | Tokens.Image, { links, marks }: Around): readonly Span[] {
  // A bare address is text: it is checked together with its word.
  if (!/^!?\[|^</.test(token.raw)) return [textSpan(token.raw)];
  const href = decode(token.href);
  const shown = shownAddress(href);
  const text = token.text.trim();
  const isBare = token.raw.startsWith('<') || text === '';
  const label = (known: Links | null): readonly Span[] => (isBare ? [] : parseInline(text, known, marks));
  const isMarker = markerOf(text) !== null;
  const linked = links?.byAddress(href) ?? null;
  if (linked !== null) {
    return isMarker
      ? [{ type: 'cite', text, markers: [`${linked.number}`], linked }]
      : [{ type: 'link', linked, label: label(null), shown }];
  }
  const code: Span = { type: 'code', text: shown };
  if (isBare || shownAddress(text) === shown) return [code];
  // A marker that leads elsewhere is no citation of ours.
  const words = isMarker ? [textSpan(text)] : label(links);
  return shown === '' ? words : [...words, textSpan(' ('), code, textSpan(')')];
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
};

const ENTITY = /&(?:#(\d{1,7})|#x([\da-f]{1,6})|(amp|lt|gt|quot|apos|nbsp));/gi;

/** The entities that models write; the decoded text is escaped like any other. */
function decode(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(ENTITY, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? whole;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    if (code < 0x20 || code > 0x1_ffff) return whole;
    const char = String.fromCodePoint(code);
    // Entities of control and bidi characters stay as written, as these characters are removed from the text.
    return /[\p{C}\p{DI}]/u.test(char) ? whole : char;
  });
}

/** What ends an emphasis, wherever it stands. */
const MARK = /[*~]/;

/** Whether code, or an address that will be shown as code, contains a mark that would end an emphasis around it. */
export function hidesMarks(spans: readonly Span[]): boolean {
  const words = spans.map((span) => (span.type === 'text' ? span.text : '')).join('');
  if (MARK.test(words) && splitAddresses(words).some(({ address }) => address !== null)) return true;
  return spans.some((span) => {
    if (span.type === 'code') return MARK.test(span.text);
    return span.type === 'link' && (MARK.test(span.shown) || hidesMarks(span.label));
  });
}
