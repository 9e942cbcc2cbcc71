import type { Dialect } from './dialects.ts';
import { renderInline } from './inline.ts';
import { type Citations, type Links, meet } from './links.ts';
import { cutPiece, type Piece, type Prefix, prefixText } from './pieces.ts';

/** How good a place for a new part is; the better it is, the earlier in a part it is taken. */
export type Boundary = 'block' | 'item' | 'line' | 'sentence' | 'word';

/**
 * How full a part must be (share of the soft limit) before it ends at such a place. What is out cannot be taken back, so a
 * part ends at a good place near its end instead of looking for one when it is full.
 */
const FULL_ENOUGH: Readonly<Record<Boundary, number>> = {
  block: 0.75,
  item: 0.82,
  line: 0.88,
  sentence: 0.94,
  word: 1,
};

/** Something that goes on over lines: at the end of a part it is closed, in the next one opened again. */
export interface Frame {
  /** A line of its own, without newline. */
  readonly opener: readonly Piece[];
  /** A line of its own; empty when nothing closes it. */
  readonly closer: string;
  readonly prefix: Prefix;
}

/** Puts rendered pieces into messages. What a part holds never changes except by growing, and by `relink`. */
export interface Parts {
  readonly texts: readonly string[];
  /** What would close the last part as it stands. */
  readonly closer: string;
  /** The next piece stands on a new line. `breaks`: 1 for the next line, 2 for one blank line between. */
  line(prefix: Prefix, breaks: number, boundary: Boundary): void;
  /** One more line break than there is already (lines of code). */
  codeLine(): void;
  space(): void;
  /** Stands in front of the next piece and never ends a part alone: a list marker, the opening of a fence. */
  lead(piece: Piece): void;
  /** Pieces that stay together. */
  put(pieces: readonly Piece[], boundary: Boundary): void;
  open(frame: Frame): void;
  close(): void;
  breakPart(): void;
  /** Draws every part again with these links. */
  relink(links: Links): void;
}

interface Part {
  text: string;
  pieces: Piece[];
  /** In the platform's unit, with the room kept for links. */
  size: number;
  base: number;
  lastQuote: number;
}

interface Drawn {
  readonly pieces: readonly Piece[];
  readonly text: string;
  readonly size: number;
  readonly citations: Citations;
}

export interface Limits {
  readonly soft: number;
  readonly hard: number;
}

export function createParts(
  dialect: Dialect,
  limits: Limits,
  current: { links: Links; readonly citations: Citations },
): Parts {
  const parts: Part[] = [];
  let part: Part | null = null;
  let breaks = 0;
  let boundary: Boundary = 'word';
  let prefix: Prefix = { quote: 0, indent: 0 };
  let hasSpace = false;
  let leads: Piece[] = [];
  let frame: Frame | null = null;

  const closerOf = (): string =>
    frame === null || frame.closer === '' || leads.length > 0
      ? ''
      : `\n${prefixText(frame.prefix, part?.base ?? 0)}${frame.closer}`;

  /** What stands between the end of the part and the next piece. */
  const joint = (into: Part): string => {
    if (into.text === '') return prefixText(prefix, into.base);
    if (breaks === 0) return hasSpace ? ' ' : '';
    const between =
      prefix.quote > 0 && into.lastQuote > 0 ? `\n${prefixText({ ...prefix, indent: 0 }, 0)}` : '\n';
    return `${between.repeat(breaks - 1)}\n${prefixText(prefix, Math.min(into.base, prefix.indent))}`;
  };

  const draw = (group: readonly Piece[], into: Part, linkRoom: number): Drawn => {
    const isLineStart = into.text === '' || breaks > 0;
    const head: Piece = { type: 'raw', text: joint(into) };
    return drawPieces([head, ...leads, ...group], {
      dialect,
      links: current.links,
      before: isLineStart ? '' : into.text.slice(-1),
      isLineStart,
      linkRoom,
    });
  };

  const append = (into: Part, drawn: Drawn): void => {
    into.text += drawn.text;
    into.pieces.push(...drawn.pieces);
    into.size += drawn.size;
    if (breaks > 0 || into.pieces.length === drawn.pieces.length) into.lastQuote = prefix.quote;
    into.base = Math.min(into.base, prefix.indent);
    for (const [number, uses] of drawn.citations.met)
      for (let i = 0; i < uses; i += 1) meet(current.citations, number);
    breaks = 0;
    boundary = 'word';
    hasSpace = false;
    leads = [];
  };

  const start = (): Part => {
    const fresh: Part = { text: '', pieces: [], size: 0, base: prefix.indent, lastQuote: 0 };
    parts.push(fresh);
    part = fresh;
    hasSpace = false;
    if (frame !== null && leads.length === 0) {
      const waiting = Math.max(1, breaks);
      const [nextBoundary, nextPrefix] = [boundary, prefix];
      breaks = 0;
      prefix = frame.prefix;
      fresh.base = prefix.indent;
      append(fresh, draw(frame.opener, fresh, 0));
      [breaks, boundary, prefix] = [waiting, nextBoundary, nextPrefix];
    } else breaks = 0;
    return fresh;
  };

  const finish = (): void => {
    const closer = closerOf();
    if (part !== null && closer !== '') {
      part.text += closer;
      part.pieces.push({ type: 'raw', text: closer });
    }
    part = null;
  };

  const place = (group: readonly Piece[], drawn: Drawn, into: Part): void => {
    const room = limits.soft - dialect.measure(closerOf());
    if (into.size + drawn.size <= room || (group.length === 0 && into.size + drawn.size <= limits.hard))
      append(into, drawn);
    else if (group.length > 1) for (const piece of group) put([piece], 'word');
    else {
      const bare = draw(group, into, 0);
      if (into.size + bare.size <= room) append(into, bare);
      else for (const half of cutPiece(group[0])) put([half], 'word');
    }
  };

  const put = (group: readonly Piece[], better: Boundary): void => {
    const edge = FULL_ENOUGH[better] < FULL_ENOUGH[boundary] ? better : boundary;
    if (part !== null) {
      const drawn = draw(group, part, limits.soft / 2);
      const full = part.size + drawn.size + dialect.measure(closerOf()) > limits.soft;
      if (!full && part.size < FULL_ENOUGH[edge] * limits.soft) {
        append(part, drawn);
        return;
      }
      finish();
    }
    const fresh = start();
    place(group, draw(group, fresh, limits.soft / 2), fresh);
  };

  return {
    get texts() {
      return parts.map((each) => each.text);
    },
    get closer() {
      return part === null ? '' : closerOf();
    },
    line(next, count, kind) {
      prefix = next;
      breaks = Math.max(breaks, count);
      hasSpace = false;
      if (FULL_ENOUGH[kind] < FULL_ENOUGH[boundary]) boundary = kind;
    },
    codeLine() {
      if (leads.length > 0) put([], 'word');
      breaks += 1;
      boundary = 'line';
    },
    space() {
      hasSpace = true;
    },
    lead(piece) {
      leads.push(piece);
    },
    put,
    open(next) {
      frame = next;
      leads.push(...next.opener);
    },
    close() {
      if (leads.length > 0) put([], 'word');
      const closer = closerOf();
      if (part !== null && closer !== '') {
        part.text += closer;
        part.pieces.push({ type: 'raw', text: closer });
        part.size += dialect.measure(closer);
      }
      frame = null;
    },
    breakPart() {
      if (part !== null) finish();
    },
    relink(links) {
      current.links = links;
      current.citations.met.clear();
      for (const each of parts) {
        const how = { dialect, links, before: '', isLineStart: true };
        const bare = drawPieces(each.pieces, { ...how, linkRoom: 0 });
        const spare =
          limits.hard - dialect.measure(bare.text) - (each === part ? dialect.measure(closerOf()) : 0);
        const drawn = drawPieces(each.pieces, { ...how, linkRoom: Math.max(0, spare) });
        each.text = drawn.text;
        each.size = drawn.size;
        for (const [number, uses] of drawn.citations.met)
          current.citations.met.set(number, (current.citations.met.get(number) ?? 0) + uses);
      }
    },
  };
}

interface Drawing {
  readonly dialect: Dialect;
  readonly links: Links;
  readonly before: string;
  readonly isLineStart: boolean;
  readonly linkRoom: number;
}

/** Draws pieces that follow each other; their links share the room. */
function drawPieces(pieces: readonly Piece[], drawing: Drawing): Drawn {
  const { dialect, links } = drawing;
  const citations: Citations = { met: new Map() };
  let text = '';
  let reserve = 0;
  const budget = { left: drawing.linkRoom };
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
    const context = { ...piece, dialect, links, citations, place, budget };
    const drawn = renderInline(piece.source, context);
    text += drawn.text;
    reserve += drawn.reserve;
    isLineStart = false;
  }
  return { pieces, text, size: dialect.measure(text) + reserve, citations };
}
