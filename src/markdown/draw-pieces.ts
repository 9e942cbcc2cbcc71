import type { Dialect } from './dialects.ts';
import { renderInline } from './inline.ts';
import { type Citations, type Links, meet } from './links.ts';
import type { Piece } from './pieces.ts';

/** How pieces are drawn, and where they will stand. */
interface Drawing {
  readonly dialect: Dialect;
  readonly links: Links;
  /** The character in front of them; empty at a line start. */
  readonly before: string;
  readonly isLineStart: boolean;
  /** How much longer than plain text links may make them, in the platform's unit. */
  readonly linkRoom: number;
}

export interface Drawn {
  readonly pieces: readonly Piece[];
  readonly text: string;
  /** In the platform's unit. */
  readonly length: number;
  /** The length and the room kept for links that may still come. */
  readonly size: number;
  readonly citations: Citations;
}

/** Draws pieces that follow each other; their links share the room. */
export function drawPieces(pieces: readonly Piece[], drawing: Drawing): Drawn {
  const { dialect, links } = drawing;
  const citations: Citations = { met: new Map() };
  const budget = { left: drawing.linkRoom };
  let text = '';
  let reserve = 0;
  let isLineStart = drawing.isLineStart;
  for (const piece of pieces) {
    if (piece.type === 'raw') {
      text += piece.text;
      if (piece.text.includes('\n')) isLineStart = true;
      continue;
    }
    const lineStart = isLineStart && !piece.cell;
    const before = lineStart ? '' : text.slice(-1) || drawing.before;
    const place = { lineStart, before, cell: piece.cell, label: false };
    const drawn = renderInline(piece.source, { ...piece, dialect, links, citations, place, budget });
    text += drawn.text;
    reserve += drawn.reserve;
    isLineStart = false;
  }
  const length = dialect.measure(text);
  return { pieces, text, length, size: length + reserve, citations };
}

/** Adds what was met while drawing to what is known of the whole text. */
export function addCitations(all: Citations, drawn: Drawn): void {
  for (const [marker, uses] of drawn.citations.met) meet(all, marker, uses);
}
