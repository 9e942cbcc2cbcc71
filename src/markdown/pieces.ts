import { boundaryBefore } from './graphemes.ts';

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
    { ...piece, literal: true, source: text.slice(0, at) },
    { ...piece, literal: true, glued: true, source: text.slice(at) },
  ];
}
