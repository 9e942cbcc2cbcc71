import { plainDialect } from './dialects.ts';
import { drawPieces } from './draw-pieces.ts';
import type { Links } from './links.ts';
import { type Piece, raw } from './pieces.ts';

/**
 * A part as it reads, from the pieces it is made of: for what is drawn already this costs a tenth of reading its Markdown
 * again. No mark-up but bullets and the bars of tables, no token a platform would act on.
 */
export function plainText(pieces: readonly Piece[], links: Links): string {
  const how = { dialect: plainDialect, links, before: '', isLineStart: true };
  const drawn = drawPieces(pieces.map(unmarked), { ...how, linkRoom: { left: Number.POSITIVE_INFINITY } });
  return tidy(drawn.text);
}

/** Without the blank lines that marks leave where they stood. */
export function tidy(text: string): string {
  return text.replace(/\n{3,}/g, '\n\n').trim();
}

/** The mark-up of ours that stands alone in a piece: a heading, the opening or the end of a fence, bold. */
const MARK_UP = /^(?:#{1,6} |\n?`{3,}[^\n]*|\*\*)$/;

const QUOTE = /(?<=^|\n)(?:> )+/g;

function unmarked(piece: Piece): Piece {
  if (piece.type !== 'raw') return piece;
  if (MARK_UP.test(piece.text)) return raw('');
  // What is left is code, and what stands between pieces.
  return raw(plainDialect.code(piece.text.replace(QUOTE, '')));
}
