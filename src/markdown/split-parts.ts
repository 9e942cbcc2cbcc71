import { type Citations, countMarker, createLinkRoom, type Links } from './citations.ts';
import type { Dialect } from './dialects.ts';
import {
  cutPiece,
  type Drawn,
  drawPieces,
  drawWithin,
  type Piece,
  type Prefix,
  plainText,
  prefixText,
  raw,
} from './pieces.ts';

/** A code block or table. It is closed at the end of a part and reopened in the next one. */
interface Frame {
  readonly opener: readonly Piece[];
  /** Its closing line; empty when it has none. */
  readonly closer: string;
  readonly prefix: Prefix;
}

/** A place where a part may end, from best to worst. */
type Boundary = 'block' | 'item' | 'line' | 'sentence' | 'word';

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

function better(one: Boundary, other: Boundary): Boundary {
  return NEARLY_FULL[one][0] > NEARLY_FULL[other][0] ? one : other;
}

/** One message as it grows. */
interface Part {
  text: string;
  /** The text's last character: reading it from `text` would flatten the string each time, which is quadratic. */
  last: string;
  readonly pieces: Piece[];
  /** In the platform's unit, without reserved room. */
  size: number;
  citations: Citations;
  /** The indentation that is the part's left edge. */
  base: number;
  lastQuote: number;
}

/** Splits pieces into parts, one per message. A part only grows, except when `relink` draws it again. */
export class Parts {
  readonly #dialect: Dialect;
  readonly #links: () => Links;
  readonly #parts: Part[] = [];
  /** The part that still grows. */
  #part: Part | null = null;
  #frame: Frame | null = null;
  /** What stands before the next piece, on its line. */
  #leads: Piece[] = [];
  /** The line breaks before the next piece. */
  #breaks = 0;
  #boundary: Boundary = 'word';
  #prefix: Prefix = { quote: 0, indent: 0 };
  #hasSpace = false;

  /** `links` is called for every piece, so what it returns may change at any time. */
  constructor(dialect: Dialect, links: () => Links) {
    this.#dialect = dialect;
    this.#links = links;
  }

  get texts(): readonly string[] {
    return this.#parts.map(({ text }) => text);
  }

  /** How much each part has grown; see `Rendering.growth`. */
  get growth(): readonly number[] {
    return this.#parts.map(({ pieces }) => pieces.length);
  }

  /** The citations of all parts. */
  get citations(): Citations {
    const all: Citations = new Map();
    for (const { citations } of this.#parts) countMarkers(all, citations);
    return all;
  }

  /** The closing line of the open code block, with its line break; empty when none is open. See `Rendering.closer`. */
  get closer(): string {
    // A frame whose opening has not been written needs no end.
    if (this.#part === null || !this.#frame?.closer || this.#leads.length > 0) return '';
    return `\n${prefixText(this.#frame.prefix, this.#part.base)}${this.#frame.closer}`;
  }

  /** Puts the next piece on a new line. `breaks`: 1 for the next line, 2 for a blank line between. */
  line(prefix: Prefix, breaks: number, boundary: Boundary): void {
    this.#prefix = prefix;
    this.#breaks = Math.max(this.#breaks, breaks);
    this.#hasSpace = false;
    this.#boundary = better(boundary, this.#boundary);
  }

  /** Starts the next line of code with one more line break. Blank lines right after the opening are omitted. */
  codeLine(): void {
    if (this.#leads.length === 0) this.#breaks += 1;
    this.#boundary = 'line';
  }

  space(): void {
    this.#hasSpace = true;
  }

  /** Puts a list marker or a fence's opening before the next piece, so that it never ends a part alone. */
  lead(...pieces: readonly Piece[]): void {
    this.#leads.push(...pieces);
  }

  /** Writes pending `lead` pieces. */
  flush(): void {
    if (this.#leads.length > 0) this.put([], 'word');
  }

  /** Adds pieces that stay together if a part can hold them. */
  put(group: readonly Piece[], boundary: Boundary): void {
    const part = this.#part;
    const { softLimit: soft } = this.#dialect;
    if (part !== null) {
      const drawn = this.#draw(part, group, soft / 2);
      const size = part.size + this.#reservedRoom(part, drawn.citations);
      const [share, most] = NEARLY_FULL[better(boundary, this.#boundary)];
      const isNearlyFull = soft - size <= Math.min(share * soft, most);
      if (!isNearlyFull && size + drawn.length <= this.#room) return this.#append(part, drawn);
      this.breakPart();
    }
    this.#place(group, this.#start());
  }

  open(frame: Frame): void {
    this.#frame = frame;
    this.lead(...frame.opener);
  }

  close(): void {
    this.#writeCloser();
    // An empty code block is omitted: Discord reads two adjacent fences differently.
    this.#leads = [];
    this.#frame = null;
  }

  breakPart(): void {
    this.#writeCloser();
    this.#part = null;
  }

  /** A part as plain text; empty when there is no such part. */
  plain(index: number): string {
    return plainText(this.#parts[index]?.pieces ?? [], this.#links());
  }

  /** Draws all parts again with the links of now; see `Rendering.relink`. */
  relink(below: number): void {
    const how = { dialect: this.#dialect, links: this.#links() };
    for (const part of this.#parts) {
      const closing = part === this.#part ? this.#dialect.measure(this.closer) : 0;
      const under = part === this.#parts.at(-1) ? below : 0;
      const drawn = drawWithin(part.pieces, how, this.#dialect.hardLimit - closing, under);
      part.text = drawn.text;
      part.last = drawn.text.slice(-1);
      part.size = drawn.length;
      part.citations = drawn.citations;
    }
  }

  /** Puts a group into a new part; a group that fits no part is divided. */
  #place(group: readonly Piece[], into: Part): void {
    const room = this.#room - into.size;
    const drawn = this.#draw(into, group, this.#dialect.softLimit / 2);
    // Reserved room must not be the reason to divide a mark.
    if (drawn.length <= room || group.length === 0) return this.#append(into, drawn);
    const bare = this.#draw(into, group, 0);
    if (bare.length <= room) return this.#append(into, bare);
    const pieces = group.length > 1 ? group : cutPiece(group[0]);
    for (const piece of pieces) this.put([piece], 'word');
  }

  /** Begins a part, with the opening of the frame that goes on in it. */
  #start(): Part {
    const frame = this.#leads.length > 0 ? null : this.#frame;
    const { quote, indent } = frame?.prefix ?? this.#prefix;
    const part: Part = {
      text: '',
      last: '',
      pieces: [],
      size: 0,
      citations: new Map(),
      base: indent,
      lastQuote: quote,
    };
    this.#parts.push(part);
    this.#part = part;
    if (frame === null) return part;
    extend(part, this.#drawAfter('', true, [raw(prefixText(frame.prefix, indent)), ...frame.opener], 0));
    this.#breaks = Math.max(1, this.#breaks);
    return part;
  }

  #draw(into: Part, group: readonly Piece[], room: number): Drawn {
    const isLineStart = into.text === '' || this.#breaks > 0;
    const opens = this.#frame !== null && this.#leads.length > 0 && group.length > 0;
    const newline = opens ? [raw(`\n${prefixText(this.#prefix, into.base)}`)] : [];
    const pieces = [raw(this.#joint(into)), ...this.#leads, ...newline, ...group];
    return this.#drawAfter(isLineStart ? '' : into.last, isLineStart, pieces, room);
  }

  #drawAfter(before: string, isLineStart: boolean, pieces: readonly Piece[], room: number): Drawn {
    const linkRoom = createLinkRoom(room);
    return drawPieces(pieces, {
      dialect: this.#dialect,
      links: this.#links(),
      before,
      isLineStart,
      linkRoom,
    });
  }

  /** The separator between the end of the part and the next piece. */
  #joint(into: Part): string {
    const { quote } = this.#prefix;
    const edge = prefixText(this.#prefix, into.base);
    if (into.text === '') return edge;
    if (this.#breaks === 0) return this.#hasSpace ? ' ' : '';
    const blank = quote > 0 && into.lastQuote > 0 ? `\n${prefixText({ quote, indent: 0 }, 0)}` : '\n';
    return `${blank.repeat(this.#breaks - 1)}\n${edge}`;
  }

  #append(into: Part, drawn: Drawn): void {
    if (into.text === '' || this.#breaks > 0) into.lastQuote = this.#prefix.quote;
    into.base = Math.min(into.base, this.#prefix.indent);
    extend(into, drawn);
    this.#leads = [];
    this.#breaks = 0;
    this.#boundary = 'word';
    this.#hasSpace = false;
  }

  #writeCloser(): void {
    const text = this.closer;
    if (this.#part === null || text === '') return;
    const length = this.#dialect.measure(text);
    extend(this.#part, { text, pieces: [raw(text)], length, citations: new Map() });
  }

  /** The room reserved in a part for links to sources that are unknown yet, including those of new citations. */
  #reservedRoom(part: Part, added: Citations): number {
    if (this.#links().known) return 0;
    const { linkReserve, mostReserved, softLimit } = this.#dialect;
    const markers = new Set([...part.citations.keys(), ...added.keys()]);
    return Math.min(markers.size * linkReserve, softLimit * mostReserved);
  }

  /** The size a part may reach, without the closing line of its open frame. */
  get #room(): number {
    return this.#dialect.softLimit - this.#dialect.measure(this.closer);
  }
}

function extend(part: Part, { text, pieces, length, citations }: Drawn): void {
  part.text += text;
  part.last = text.slice(-1) || part.last;
  part.pieces.push(...pieces);
  part.size += length;
  countMarkers(part.citations, citations);
}

function countMarkers(all: Citations, added: Citations): void {
  for (const [marker, uses] of added) countMarker(all, marker, uses);
}
