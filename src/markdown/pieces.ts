import { boundaryBefore } from './graphemes.ts';

/** What a part is made of, kept so that the part can be drawn again when its sources are known. */
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

/** What every line of a container begins with: quote marks, then the indentation of a list item. */
export interface Prefix {
  readonly quote: number;
  readonly indent: number;
}

/** Finished mark-up of ours. */
export function raw(text: string): Piece {
  return { type: 'raw', text };
}

/** Inline Markdown of the model's. */
export function inline(
  source: string,
  options: { glued?: boolean; bold?: boolean; cell?: boolean } = {},
): Piece {
  return { type: 'inline', source, glued: false, bold: false, literal: false, cell: false, ...options };
}

/** `base`: the indentation at which the part began, which is its left edge: four spaces would be code. */
export function prefixText({ quote, indent }: Prefix, base: number): string {
  return '> '.repeat(quote) + ' '.repeat(Math.max(0, indent - base));
}

/** Two halves of a piece that no part can hold. Marks in it become plain characters. */
export function cutPiece(piece: Piece | undefined): readonly Piece[] {
  if (piece === undefined) return [];
  const text = piece.type === 'raw' ? piece.text : piece.source;
  const middle = Math.ceil(text.length / 2);
  const edge = boundaryBefore(text, middle);
  const unit = text.charCodeAt(middle);
  // One grapheme of thousands of marks is no character any more.
  const at = edge > 0 ? edge : middle + (unit >= 0xdc00 && unit <= 0xdfff ? 1 : 0);
  if (at <= 0 || at >= text.length) return [];
  if (piece.type === 'raw') return [raw(text.slice(0, at)), raw(text.slice(at))];
  return [
    { ...piece, literal: true, source: text.slice(0, at) },
    { ...piece, literal: true, glued: true, source: text.slice(at) },
  ];
}
