/** A place where a part may end, from best to worst. */
export type Boundary = 'block' | 'item' | 'line' | 'sentence' | 'word';

/**
 * A part ends at such a place when less room than this is left: a share of the soft limit, at most so many units. Shown text
 * cannot be moved to the next part, so a part ends at a good place near its end and not where it is full.
 */
const NEARLY_FULL: Readonly<Record<Boundary, readonly [share: number, most: number]>> = {
  block: [0.25, 200],
  item: [0.18, 160],
  line: [0.12, 120],
  sentence: [0.06, 80],
  word: [0, 0],
};

/** Whether a part with so much room left ends at such a place. */
export function isNearlyFull(left: number, softLimit: number, boundary: Boundary): boolean {
  const [share, most] = NEARLY_FULL[boundary];
  return left <= Math.min(share * softLimit, most);
}

/** Returns the better of two places. */
export function better(one: Boundary, other: Boundary): Boundary {
  return NEARLY_FULL[one][0] > NEARLY_FULL[other][0] ? one : other;
}
