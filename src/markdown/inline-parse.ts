import { Lexer, type Token, type Tokens } from 'marked';
import { splitCitations } from './citation-markers.ts';
import { formulasAsCode } from './formulas.ts';
import { shownAddress, splitAddresses } from './urls.ts';

export type MarkKind = 'strong' | 'em' | 'del';

/** Parsed inline Markdown, independent of platform and sources. */
export type Span =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'code'; readonly text: string }
  | { readonly type: 'open' | 'close'; readonly mark: MarkKind }
  /** `text`: as written; `markers`: at least one. */
  | { readonly type: 'cite'; readonly text: string; readonly markers: readonly string[] }
  /** A link or an image. `text`: the label's source; `isBare`: the label is the address. */
  | {
      readonly type: 'link';
      readonly href: string;
      readonly text: string;
      readonly isBare: boolean;
      readonly label: readonly Span[];
    };

/** Deeper nesting is hostile input. */
const MAX_DEPTH = 8;

/** Text without anything that the parser could take for mark-up. Parsing every single word would triple the time of an answer. */
const PLAIN = /^[^\\`*_~[\]!<&【［]*$/;

/** Parses inline Markdown. `inside`: the marks that are already open; nested ones of the same kind are left out. */
export function parseInline(text: string, inside: readonly MarkKind[]): readonly Span[] {
  const source = formulasAsCode(text);
  if (PLAIN.test(source)) return source === '' ? [] : [{ type: 'text', text: source }];
  return readTokens(Lexer.lexInline(source, { gfm: true }), inside, 0);
}

function readTokens(tokens: readonly Token[], inside: readonly MarkKind[], depth: number): readonly Span[] {
  if (depth > MAX_DEPTH) return [{ type: 'text', text: tokens.map(({ raw }) => raw).join('') }];
  return tokens.flatMap((token) => readToken(token, inside, depth));
}

function readToken(token: Token, inside: readonly MarkKind[], depth: number): readonly Span[] {
  switch (token.type) {
    case 'del':
      // Neither platform strikes out between single tildes: `~5 to 7~`, H~2~O.
      if (!token.raw.startsWith('~~')) return withTildes(readTokens(token.tokens ?? [], inside, depth + 1));
      return readMark(token.type, token.tokens ?? [], inside, depth);
    case 'strong':
    case 'em':
      return readMark(token.type, token.tokens ?? [], inside, depth);
    case 'codespan':
      return [{ type: 'code', text: String(token.text) }];
    case 'link':
    case 'image':
      // The lexer's types for these two are known.
      return readLink(token as Tokens.Link | Tokens.Image, inside, depth);
    case 'escape':
      return [{ type: 'text', text: String(token.text) }];
    case 'br':
      return [{ type: 'text', text: ' ' }];
    case 'html':
      return [{ type: 'text', text: /^<br\s*\/?>$/i.test(token.raw) ? ' ' : decode(token.raw) }];
    default:
      return readText(token.raw);
  }
}

function withTildes(inner: readonly Span[]): readonly Span[] {
  const tilde: Span = { type: 'text', text: '~' };
  return [tilde, ...inner, tilde];
}

/** The platforms show the marks of an empty emphasis as characters. */
function readMark(
  mark: MarkKind,
  tokens: readonly Token[],
  inside: readonly MarkKind[],
  depth: number,
): readonly Span[] {
  const inner = readTokens(tokens, [...inside, mark], depth + 1);
  const isVisible = inner.some((span) => !('text' in span) || span.text.trim() !== '');
  if (!isVisible || inside.includes(mark)) return inner;
  return [{ type: 'open', mark }, ...inner, { type: 'close', mark }];
}

function readLink(
  token: Tokens.Link | Tokens.Image,
  inside: readonly MarkKind[],
  depth: number,
): readonly Span[] {
  // A bare address is text: it is checked together with its word.
  if (!/^!?\[|^</.test(token.raw)) return [{ type: 'text', text: token.raw }];
  const isBare = token.raw.startsWith('<') || token.text.trim() === '';
  const label = isBare ? [] : readTokens(token.tokens, inside, depth + 1);
  return [{ type: 'link', href: decode(token.href), text: token.text.trim(), isBare, label }];
}

function readText(source: string): readonly Span[] {
  return splitCitations(source).map(({ text, markers }) =>
    markers.length === 0 ? { type: 'text', text: decode(text) } : { type: 'cite', text, markers },
  );
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

/** Whether code in it, or an address shown as code, contains a mark that would end the emphasis around it. */
export function hidesMarks(spans: readonly Span[]): boolean {
  const words = spans.map((span) => (span.type === 'text' ? span.text : '')).join('');
  if (MARK.test(words) && splitAddresses(words).some(({ isAddress }) => isAddress)) return true;
  return spans.some((span) => {
    if (span.type === 'code') return MARK.test(span.text);
    return span.type === 'link' && (MARK.test(shownAddress(span.href)) || hidesMarks(span.label));
  });
}

/** Removes each emphasis that would end too early. */
export function withoutEarlyEnds(spans: readonly Span[]): readonly Span[] {
  const dropped = new Set<Span>();
  for (const [index, span] of spans.entries()) {
    if (span.type !== 'open') continue;
    const close = spans.findIndex(
      (other, at) => at > index && other.type === 'close' && other.mark === span.mark,
    );
    const end = spans[close];
    if (end === undefined || !hidesMarks(spans.slice(index + 1, close))) continue;
    dropped.add(span).add(end);
  }
  return dropped.size === 0 ? spans : spans.filter((span) => !dropped.has(span));
}
