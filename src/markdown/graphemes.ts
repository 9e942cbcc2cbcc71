const SEGMENTER = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** How much of what follows is known before a word without end is cut. */
const LOOK_AHEAD = 16;

/** Characters as a reader counts them. */
export function graphemes(text: string): readonly string[] {
  return [...SEGMENTER.segment(text)].map(({ segment }) => segment);
}

/** The grapheme boundary at `at` or, inside one, before it. */
export function boundaryBefore(text: string, at: number): number {
  return SEGMENTER.segment(text).containing(at)?.index ?? text.length;
}

/** What is known about a place where a text without spaces might be cut. */
export type Cut = 'here' | 'not here' | 'unknown';

/**
 * Whether such a text is cut at `at`: not inside a character, not between backticks, which would make or hide a fence.
 * Depends on a fixed number of characters around the place, so that a stream is cut where the whole text is.
 */
export function mayCut(text: string, at: number, ended: boolean): Cut {
  if (!ended && text.length < at + LOOK_AHEAD) return 'unknown';
  const unit = text.charCodeAt(at);
  if (at >= text.length || (unit >= 0xdc00 && unit <= 0xdfff)) return 'not here';
  if (text.charAt(at) === '`') return 'not here';
  const from = Math.max(0, at - 4 * LOOK_AHEAD);
  const around = text.slice(from, at + LOOK_AHEAD);
  return boundaryBefore(around, at - from) === at - from ? 'here' : 'not here';
}
