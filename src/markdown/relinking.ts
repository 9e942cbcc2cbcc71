import type { Dialect } from './dialects.ts';
import { addCitations, type Drawn, drawFairly, drawPieces } from './draw-pieces.ts';
import type { Links } from './links.ts';
import { closerOf, extend, type Part, type State } from './part-state.ts';

/** Draws every part again with these links. `below`: what will stand under the last one, for which it leaves room if it can. */
export function relink(state: State, links: Links, below: number): void {
  const { dialect, limits, current } = state;
  current.links = links;
  current.citations.met.clear();
  for (const part of state.parts) {
    const closing = part === state.part ? dialect.measure(closerOf(state)) : 0;
    const drawn = drawWithin(
      part,
      { dialect, links },
      limits.hard - closing,
      part === state.parts.at(-1) ? below : 0,
    );
    part.text = '';
    extend(part, drawn.text);
    part.size = drawn.length;
    addCitations(current.citations, drawn);
  }
}

/** With every link where there is room for all and for what will stand below; else with as many as fit, fairly. */
function drawWithin(
  { pieces }: Part,
  { dialect, links }: { readonly dialect: Dialect; readonly links: Links },
  most: number,
  below: number,
): Drawn {
  const how = { dialect, links, before: '', isLineStart: true };
  const linked = drawPieces(pieces, { ...how, linkRoom: { left: Number.POSITIVE_INFINITY } });
  if (linked.length <= most - below) return linked;
  const spare = most - drawPieces(pieces, { ...how, linkRoom: { left: 0 } }).length;
  return drawFairly(pieces, how, Math.max(0, below <= spare ? spare - below : spare));
}
