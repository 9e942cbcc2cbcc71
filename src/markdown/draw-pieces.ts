import { type Citations, type LinkRoom, type Links, meet } from './citation-links.ts';
import { type Dialect, plainDialect } from './dialects.ts';
import { renderInline } from './inline-write.ts';
import { type Piece, raw } from './pieces.ts';

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
  const citations: Citations = { met: new Map() };
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

/** Draws pieces into a limited room. When it is too small for all links, each source gets one before any gets a second. */
export function drawFairly(pieces: readonly Piece[], how: Omit<Drawing, 'linkRoom'>, left: number): Drawn {
  const all: LinkRoom = { left };
  const drawn = drawPieces(pieces, { ...how, linkRoom: all });
  if (!all.isShort) return drawn;
  const once = { left, again: 0, linked: new Set<number>() };
  drawPieces(pieces, { ...how, linkRoom: once });
  return drawPieces(pieces, { ...how, linkRoom: { left, again: once.left, linked: new Set() } });
}

/** Adds the citations of a drawing to those of the whole text. */
export function addCitations(all: Citations, drawn: Drawn): void {
  for (const [marker, uses] of drawn.citations.met) meet(all, marker, uses);
}

/** Draws pieces as plain text: no mark-up but bullets and the bars of tables, no live token. */
export function plainText(pieces: readonly Piece[], links: Links): string {
  const how = { dialect: plainDialect, links, before: '', isLineStart: true };
  const drawn = drawPieces(pieces.map(unmarked), { ...how, linkRoom: { left: Number.POSITIVE_INFINITY } });
  return tidy(drawn.text);
}

/** Removes the blank lines that removed mark-up leaves. */
export function tidy(text: string): string {
  return text.replace(/\n{3,}/g, '\n\n').trim();
}

/** Our own mark-up that forms a piece: a heading, the opening or end of a fence, bold. */
const MARK_UP = /^(?:#{1,6} |\n?`{3,}[^\n]*|\*\*)$/;

const QUOTE = /(?<=^|\n)(?:> )+/g;

function unmarked(piece: Piece): Piece {
  if (piece.type !== 'raw') return piece;
  if (MARK_UP.test(piece.text)) return raw('');
  // The rest is code, and separators between pieces.
  return raw(plainDialect.code(piece.text.replace(QUOTE, '')));
}
