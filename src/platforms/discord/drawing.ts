import { isFinal, type View } from '../../core/types.ts';
import { discordMarkdown } from '../../markdown/dialects.ts';
import { createRendering, type Rendering } from '../../markdown/rendering.ts';
import { sourceLines } from '../../markdown/sources.ts';
import { escapeText } from '../../markdown/text.ts';
import { clipText } from './clipping.ts';
import type { Draft } from './messages.ts';

/** Draws the views of one answer as messages. */
export interface Drawing {
  /** The messages a view consists of, in order; none while there is nothing to read. A final view has at least one. */
  draw(view: View): readonly Draft[];
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
      rendering.update(view.text, view.sources, isEnd);
      // Sources often come after the first markers: those become links once, and once more when all is known.
      if (view.sources.length > 0 && (!hasLinks || isEnd)) {
        rendering.relink(view.sources);
        hasLinks = true;
      }
      const parts = rendering.parts.filter(
        (part, index, all) => index < all.length - 1 || part.trim() !== '',
      );
      return isEnd ? finished(view, parts, rendering.cited) : growing(view, parts, rendering.closer);
    },
  };
}

function growing({ buttons }: View, parts: readonly string[], closer: string): readonly Draft[] {
  return parts.map((part, index) => {
    const isLast = index === parts.length - 1;
    return isLast ? { content: part + closer + INDICATOR, buttons } : { content: part, buttons: [] };
  });
}

/** Sources, notices and footer stand under the last part, or in a message of their own where they do not fit. */
function finished(view: View, parts: readonly string[], cited: readonly number[]): readonly Draft[] {
  const contents = [...parts];
  for (const block of tailOf(view, cited)) {
    const last = contents.at(-1);
    const joined = last === undefined ? block : `${last}\n${block}`;
    if (measure(joined) <= hardLimit) contents.splice(-1, 1, joined);
    else contents.push(block);
  }
  if (contents.length === 0) contents.push('No answer came back.');
  return contents.map((content, index) => ({
    content,
    buttons: index === contents.length - 1 ? view.buttons : [],
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
