import { boundaryBefore } from './graphemes.ts';

/** What a part is made of, kept so that the part can be drawn again when its sources are known. */
export type Piece =
  | { readonly type: 'raw'; readonly text: string }
  /** Words that read the same in every dialect, whatever the sources are; grows by the next ones. */
  | { readonly type: 'words'; text: string }
  | {
      readonly type: 'inline';
      readonly source: string;
      readonly glued: boolean;
      readonly bold: boolean;
      readonly literal: boolean;
      readonly cell: boolean;
    };

/** An ordinary word, its punctuation included: nothing in it means anything to us or to any platform, except at a line start. */
export const ORDINARY_WORD = String.raw`[A-Za-z\u00c0-\u024f][A-Za-z0-9\u00c0-\u024f,;'’\-]{0,60}[.!?:]?`;

const ORDINARY = new RegExp(`^${ORDINARY_WORD}$`);

/** The word if the piece is nothing but one, which needs no drawing where it goes on with a line; else null. */
export function ordinaryWord(pieces: readonly Piece[]): string | null {
  const [piece] = pieces;
  if (piece?.type !== 'inline' || pieces.length > 1 || piece.glued || piece.cell) return null;
  return ORDINARY.test(piece.source) ? piece.source : null;
}

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
  const text = piece.type === 'inline' ? piece.source : piece.text;
  const middle = Math.ceil(text.length / 2);
  const edge = boundaryBefore(text, middle);
  const unit = text.charCodeAt(middle);
  // One grapheme of thousands of marks is no character any more.
  const at = edge > 0 ? edge : middle + (unit >= 0xdc00 && unit <= 0xdfff ? 1 : 0);
  if (at <= 0 || at >= text.length) return [];
  if (piece.type !== 'inline') return [raw(text.slice(0, at)), raw(text.slice(at))];
  return [
    { ...piece, literal: true, source: text.slice(0, at) },
    { ...piece, literal: true, glued: true, source: text.slice(at) },
  ];
}
