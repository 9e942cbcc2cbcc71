import type { Source } from '../core/types.ts';
import { Blocks } from './blocks.ts';
import { createCleaner } from './characters.ts';
import { type Citations, createLinks, type Links, type Numbering, webStart } from './citations.ts';
import type { Dialect } from './dialects.ts';
import { Parts } from './split-parts.ts';

export type Rendering = ReturnType<typeof createRendering>;

/** The limits of parts, in place of the dialect's. */
export type RenderingOptions = Partial<Pick<Dialect, 'softLimit' | 'hardLimit'>>;

/** Renders a growing answer as the platform's messages. Each update costs as much as its new text, not as the whole. */
export function createRendering(platform: Dialect, options: RenderingOptions = {}) {
  const dialect = { ...platform, ...options };
  const numbering: Numbering = { webFrom: null };
  let known: readonly Source[] = [];
  let links = createLinks(known, numbering);
  const parts = new Parts(dialect, () => links);
  const blocks = new Blocks(dialect, parts);
  const cleanNext = createCleaner();
  let taken = 0;
  let isComplete = false;

  const learn = (sources: readonly Source[]): void => {
    if (isSame(sources, known)) return;
    known = sources;
    links = createLinks(sources, numbering);
  };
  return {
    /**
     * Takes the answer's Markdown so far, which must begin with the text of the last call. `complete`: nothing follows, so
     * nothing is held back. Sources that arrive after some text are linked from there on; `relink` links the text before.
     */
    update(text: string, sources: readonly Source[], complete: boolean): void {
      learn(sources);
      if (isComplete) return;
      const delta = text.slice(taken);
      taken = text.length;
      isComplete = complete;
      if (delta !== '' || complete) blocks.read(cleanNext(delta, complete), complete);
    },
    /** One text per message. All but the last are final; the last only grows. Empty while nothing can be shown. */
    get parts(): readonly string[] {
      return parts.texts;
    },
    /** How much each part has grown. It counts pieces of text, and does not depend on links. */
    get growth(): readonly number[] {
      return parts.growth;
    },
    /**
     * Closes the last part as it stands (an open code block); empty when nothing is open. A message that will be rewritten
     * shows `parts.at(-1) + closer`; an append-only stream omits it, because it will be part of the text.
     */
    get closer(): string {
      return parts.closer;
    },
    /** A part as plain text, for notifications and `text` fall-backs: no mark-up, no live token. */
    plain: (index: number): string => parts.plain(index),
    /** Ends the current part (its message is too old); an open code block or table continues in the next one. */
    breakPart: (): void => parts.breakPart(),
    /**
     * Draws all parts again with links to these sources and returns them. Each part keeps its text and stays within the hard
     * limit: links without room are omitted, first those to sources that the part already links. When the text is complete,
     * the first number of `[web:n]` is decided here, unless a `[web:0]` has shown it. `below` returns the length that will be
     * added under the last part; its links leave room for it if the text does.
     */
    relink(sources: readonly Source[], below?: () => number): readonly string[] {
      learn(sources);
      if (isComplete) numbering.webFrom ??= webStart(parts.citations.keys(), known);
      parts.relink(below?.() ?? 0);
      return parts.texts;
    },
    /** The numbers of the sources used, in order of first use. */
    get cited(): readonly number[] {
      return citedNumbers(parts.citations, links);
    },
    /** How many markers lead to no source. */
    get unresolved(): number {
      return countUnresolved(parts.citations, links);
    },
  };
}

function citedNumbers(citations: Citations, links: Links): readonly number[] {
  return [...new Set([...citations.keys()].flatMap((marker) => links.byMarker(marker)?.number ?? []))];
}

function countUnresolved(citations: Citations, links: Links): number {
  let count = 0;
  for (const [marker, uses] of citations) if (links.byMarker(marker) === null) count += uses;
  return count;
}

/** Each view has a new list, mostly of the same sources. */
function isSame(one: readonly Source[], other: readonly Source[]): boolean {
  return (
    one.length === other.length &&
    one.every(({ number, url }, index) => number === other[index]?.number && url === other[index]?.url)
  );
}
