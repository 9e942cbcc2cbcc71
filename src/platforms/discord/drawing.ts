import { isFinal, type View } from '../../core/types.ts';
import { discordMarkdown } from '../../markdown/dialects.ts';
import { createRendering, type Rendering } from '../../markdown/rendering.ts';
import { sourceLines } from '../../markdown/sources.ts';
import { escapeText } from '../../markdown/text.ts';
import { clipText } from './clipping.ts';
import type { Draft } from './messages.ts';

/** A message of an answer as it should look. */
export interface Drawn extends Draft {
  /** Grows with every word of the model in it, whether links are there or not; 0 without any. */
  readonly words: number;
  /** It says that more is to come. */
  readonly isGrowing: boolean;
}

/** Draws the views of one answer as messages. */
export interface Drawing {
  /** The messages a view consists of, in order; none while there is nothing to read. A final view has at least one. */
  draw(view: View): readonly Drawn[];
  /** Citation markers of what was drawn last that lead to no source. */
  unresolved(): number;
}

/** What an answer that is still being written ends with. */
const INDICATOR = ' ▌';
const { hardLimit, measure } = discordMarkdown;

export function createDrawing(): Drawing {
  let rendering: Rendering = createRendering(discordMarkdown);
  let drawn = '';
  let hasLinks = false;
  return {
    unresolved: () => rendering.unresolved,
    draw(view) {
      const isEnd = isFinal(view);
      if (!view.text.startsWith(drawn)) {
        rendering = createRendering(discordMarkdown);
        hasLinks = false;
      }
      drawn = view.text;
      // Sources that come late take no room from words: where a message ends does not depend on what was shown when.
      rendering.update(view.text, hasLinks ? view.sources : [], isEnd);
      if (view.sources.length > 0 && (!hasLinks || isEnd)) {
        // What is linked already stays so; else the sources below go before the links above.
        const below = hasLinks ? undefined : (): number => lengthOf(tailOf(view, rendering.cited));
        rendering.relink(view.sources, below);
        hasLinks = true;
      }
      const tail = isEnd ? tailOf(view, rendering.cited) : [];
      const parts = rendering.parts
        .map((text, index): Part => ({ text, words: rendering.growth[index] ?? 0 }))
        .filter(({ text }, index, all) => index < all.length - 1 || text.trim() !== '');
      return isEnd ? finished(view, parts, tail) : growing(view, parts, rendering.closer);
    },
  };
}

function lengthOf(tail: readonly string[]): number {
  return measure(tail.map((block) => `\n${block}`).join(''));
}

interface Part {
  readonly text: string;
  readonly words: number;
}

function growing({ buttons }: View, parts: readonly Part[], closer: string): readonly Drawn[] {
  return parts.map(({ text, words }, index) => {
    const isLast = index === parts.length - 1;
    return isLast
      ? { content: text + closer + INDICATOR, buttons, words, isGrowing: true }
      : { content: text, buttons: [], words, isGrowing: false };
  });
}

/** Sources, notices and footer stand under the last part, or in a message of their own where they do not fit. */
function finished(view: View, parts: readonly Part[], tail: readonly string[]): readonly Drawn[] {
  const all = [...parts];
  for (const block of tail) {
    const last = all.at(-1);
    const joined = last === undefined ? block : `${last.text}\n${block}`;
    if (measure(joined) <= hardLimit) all.splice(-1, 1, { text: joined, words: last?.words ?? 0 });
    else all.push({ text: block, words: 0 });
  }
  if (all.length === 0) all.push({ text: 'No answer came back.', words: 0 });
  return all.map(({ text, words }, index) => ({
    content: text,
    buttons: index === all.length - 1 ? view.buttons : [],
    words,
    isGrowing: false,
  }));
}

function tailOf({ sources, notices, footer }: View, cited: readonly number[]): readonly string[] {
  const listed = sourceLines(discordMarkdown, sources, cited);
  const blocks = [
    listed,
    ...notices.map((notice) => escapeText(discordMarkdown, notice)),
    footer === null ? '' : `-# ${escapeText(discordMarkdown, footer)}`,
  ];
  return blocks.filter((block) => block !== '').flatMap(cut);
}

/** No block of ours should be longer than a message; one that is goes line by line, and what is too long even so is cut. */
function cut(block: string): readonly string[] {
  if (measure(block) <= hardLimit) return [block];
  return block.split('\n').map((line) => (measure(line) <= hardLimit ? line : clipText(line, hardLimit)));
}
