import { boundaryBefore } from './characters.ts';
import { type Citations, createLinkRoom, type LinkRoom, type Links } from './citations.ts';
import { type Dialect, plainDialect } from './dialects.ts';
import { renderInline } from './inline-write.ts';

/** An element of a part, kept so that the part can be drawn again with links. */
export type Piece =
  | { readonly type: 'raw'; readonly text: string }
  | {
      readonly type: 'inline';
      readonly source: string;
      readonly glued: boolean;
      readonly bold: boolean;
      readonly literal: boolean;
      readonly cell: boolean;
    };

/** The beginning of every line in a container: quote marks, then a list item's indentation. */
export interface Prefix {
  readonly quote: number;
  readonly indent: number;
}

/** Our own finished mark-up. */
export function raw(text: string): Piece {
  return { type: 'raw', text };
}

/** The model's inline Markdown. */
export function inline(
  source: string,
  options: { glued?: boolean; bold?: boolean; cell?: boolean } = {},
): Piece {
  return { type: 'inline', source, glued: false, bold: false, literal: false, cell: false, ...options };
}

/** Writes a prefix. `base` is the part's own left edge: an indent of four or more would be code. */
export function prefixText({ quote, indent }: Prefix, base: number): string {
  return '> '.repeat(quote) + ' '.repeat(Math.max(0, indent - base));
}

/** Halves a piece that is too long for any part. Its marks become plain characters. */
export function cutPiece(piece: Piece | undefined): readonly Piece[] {
  if (piece === undefined) return [];
  const text = piece.type === 'inline' ? piece.source : piece.text;
  const middle = Math.ceil(text.length / 2);
  const edge = boundaryBefore(text, middle);
  const unit = text.charCodeAt(middle);
  // A grapheme of thousands of combining marks is cut as well.
  const at = edge > 0 ? edge : middle + (unit >= 0xdc00 && unit <= 0xdfff ? 1 : 0);
  if (at <= 0 || at >= text.length) return [];
  if (piece.type !== 'inline') return [raw(text.slice(0, at)), raw(text.slice(at))];
  return [
    { ...piece, literal: true, bold: false, source: text.slice(0, at) },
    { ...piece, literal: true, bold: false, glued: true, source: text.slice(at) },
  ];
}

/** The context that pieces are drawn in. */
interface Drawing {
  readonly dialect: Dialect;
  readonly links: Links;
  /** The character before them; empty at a line start. */
  readonly before: string;
  readonly isLineStart: boolean;
  readonly linkRoom: LinkRoom;
}

export interface Drawn {
  readonly pieces: readonly Piece[];
  readonly text: string;
  /** In the platform's unit. */
  readonly length: number;
  readonly citations: Citations;
}

/** Draws consecutive pieces; their links share the room. */
export function drawPieces(pieces: readonly Piece[], drawing: Drawing): Drawn {
  const { dialect, links, linkRoom } = drawing;
  const citations: Citations = new Map();
  const inlineText = (piece: Extract<Piece, { type: 'inline' }>): string => {
    const lineStart = isLineStart && !piece.cell;
    const place = { lineStart, before: lineStart ? '' : before, cell: piece.cell, label: false };
    return renderInline(piece.source, { ...piece, dialect, links, citations, place, linkRoom });
  };
  let text = '';
  // Reading the last character of `text` would flatten the string each time, which is quadratic.
  let { before, isLineStart } = drawing;
  for (const piece of pieces) {
    const shown = piece.type === 'inline' ? inlineText(piece) : piece.text;
    isLineStart = piece.type === 'raw' && (isLineStart || shown.includes('\n'));
    text += shown;
    before = shown.slice(-1) || before;
  }
  const length = dialect.measure(text);
  return { pieces, text, length, citations };
}

/**
 * Draws pieces with all links if they and what stands below fit into `most`, else with as many as fit. Each source gets one link
 * before any gets a second.
 */
export function drawWithin(
  pieces: readonly Piece[],
  { dialect, links }: { readonly dialect: Dialect; readonly links: Links },
  most: number,
  below: number,
): Drawn {
  const draw = (linkRoom: LinkRoom): Drawn =>
    drawPieces(pieces, { dialect, links, before: '', isLineStart: true, linkRoom });
  const linked = draw(createLinkRoom(Number.POSITIVE_INFINITY));
  if (linked.length <= most - below) return linked;
  const spare = most - draw(createLinkRoom(0)).length;
  const room = Math.max(0, below <= spare ? spare - below : spare);
  const once = createLinkRoom(room, 0);
  draw(once);
  return draw(createLinkRoom(room, once.left));
}

/** Draws pieces as plain text: no mark-up but bullets and the bars of tables, no live token. */
export function plainText(pieces: readonly Piece[], links: Links): string {
  const linkRoom = createLinkRoom(Number.POSITIVE_INFINITY);
  const how = { dialect: plainDialect, links, before: '', isLineStart: true, linkRoom };
  return tidy(drawPieces(pieces.map(unmarked), how).text);
}

/** Removes the blank lines that removed mark-up leaves. */
export function tidy(text: string): string {
  return text.replace(/\n{3,}/g, '\n\n').trim();
}

/** Our own mark-up that forms a piece: a heading, the opening or end of a fence. */
const MARK_UP = /^(?:#{1,6} |\n?`{3,}[^\n]*)$/;

const QUOTE = /(?<=^|\n)(?:> )+/g;

function unmarked(piece: Piece): Piece {
  // Every second piece is the space between two words.
  if (piece.type !== 'raw' || piece.text === ' ') return piece;
  if (MARK_UP.test(piece.text)) return raw('');
  // The rest is code, and separators between pieces.
  return raw(plainDialect.code(piece.text.replace(QUOTE, '')));
}
