import type { Source } from '../core/types.ts';
import { createBlocks } from './blocks.ts';
import { createCleaner } from './clean.ts';
import type { Dialect } from './dialects.ts';
import { type Citations, createLinks, type Links, type Numbering, webStart } from './links.ts';
import { createParts } from './parts.ts';

/** One answer's text as messages of a platform, drawn while it grows: work is spent on what is new, never on the whole. */
export interface Rendering {
  /**
   * Takes the answer's Markdown so far; it must begin with what the last call had. `complete`: nothing follows, and
   * nothing is held back any more. Sources that come later than the text make links
   * from there on; `relink` makes the rest, also in the middle of a stream whose messages can be rewritten.
   */
  update(text: string, sources: readonly Source[], complete: boolean): void;
  /** One text per message. All but the last are final; the last only grows. Empty while there is nothing to show. */
  readonly parts: readonly string[];
  /** How often each part has grown: more with every word that comes, the same whether they are linked or not. */
  readonly growth: readonly number[];
  /**
   * What closes the last part as it stands (an open code block), else empty. A message that will be rewritten shows
   * `parts.at(-1) + closer`; a stream that is only appended to leaves it out, it comes by itself.
   */
  readonly closer: string;
  /** A part as it reads, for notifications and `text` fall-backs: no mark-up, no token a platform would act on. */
  plain(index: number): string;
  /** Ends the current part here (its message grew too old); an open code block or table goes on in the next one. */
  breakPart(): void;
  /**
   * Draws every part again with links to these sources and returns them. The parts end where they ended before and keep
   * within the hard limit: a link that has no room is left out, rather of a source that is linked in the part already. `parts`
   * are the new ones from here on. Where `[web:n]` count from is decided here, when the text is complete, unless a `[web:0]`
   * has told it before. `below`: how much will stand under the last part, asked once the sources are known; its links leave
   * room for that if its text does.
   */
  relink(sources: readonly Source[], below?: () => number): readonly string[];
  /** The numbers of the sources used, in order of first use. */
  readonly cited: readonly number[];
  /** How many markers lead to no source. */
  readonly unresolved: number;
}

/** `limits` override the dialect's, in its own unit. */
export interface RenderingOptions {
  readonly softLimit?: number;
  readonly hardLimit?: number;
}

export function createRendering(dialect: Dialect, options: RenderingOptions = {}): Rendering {
  const citations: Citations = { met: new Map() };
  const numbering: Numbering = { webFrom: null };
  const current = { links: createLinks([]), citations };
  const parts = createParts(dialect, limitsOf(dialect, options), current);
  const blocks = createBlocks(dialect, parts);
  const cleaner = createCleaner();
  let known: readonly Source[] = [];
  let taken = 0;
  let isComplete = false;

  const learn = (sources: readonly Source[]): void => {
    if (isSame(sources, known)) return;
    known = sources;
    current.links = createLinks(sources, numbering);
  };
  return {
    update(text, sources, complete) {
      learn(sources);
      if (isComplete) return;
      const delta = text.slice(taken);
      taken = text.length;
      isComplete = complete;
      if (delta !== '' || complete) blocks.feed(cleaner.feed(delta, complete), complete);
    },
    get parts() {
      return parts.texts;
    },
    get growth() {
      return parts.growth;
    },
    get closer() {
      return parts.closer;
    },
    plain: (index) => parts.plain(index),
    breakPart: () => parts.breakPart(),
    relink(sources, below) {
      learn(sources);
      if (isComplete) numbering.webFrom ??= webStart(citations.met.keys(), known);
      parts.relink(current.links, below?.() ?? 0);
      return parts.texts;
    },
    get cited() {
      return citedOf(citations, current.links);
    },
    get unresolved() {
      return unresolvedOf(citations, current.links);
    },
  };
}

function limitsOf(dialect: Dialect, options: RenderingOptions): { soft: number; hard: number } {
  return { soft: options.softLimit ?? dialect.softLimit, hard: options.hardLimit ?? dialect.hardLimit };
}

function citedOf({ met }: Citations, links: Links): readonly number[] {
  return [...new Set([...met.keys()].flatMap((marker) => links.byMarker(marker)?.number ?? []))];
}

function unresolvedOf({ met }: Citations, links: Links): number {
  let count = 0;
  for (const [marker, uses] of met) if (links.byMarker(marker) === null) count += uses;
  return count;
}

/** Views carry a new list each time, mostly of the same sources. */
function isSame(one: readonly Source[], other: readonly Source[]): boolean {
  if (one === other) return true;
  return (
    one.length === other.length &&
    one.every(({ number, url }, index) => number === other[index]?.number && url === other[index]?.url)
  );
}
