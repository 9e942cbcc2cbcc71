import type { View } from '../../core/types.ts';
import { discordMarkdown } from '../../markdown/dialects.ts';
import { createRendering } from '../../markdown/rendering.ts';
import { sourceLines } from '../../markdown/sources.ts';
import { escapeText } from '../../markdown/text.ts';
import { clipText } from './clipping.ts';
import type { Draft } from './messages.ts';

const { hardLimit, measure } = discordMarkdown;

/** Our own sentences are short; hostile ones still leave room for the text. */
const MOST_FOR_TAIL = 700;

/**
 * Draws a view as exactly one message: what has no room is cut at the end of a paragraph, and source lines only fill what
 * the text leaves. `head` stands in front, as it is.
 */
export function drawOne(view: View, head = ''): Draft {
  const { sources, notices, footer, buttons } = view;
  const small = [
    ...notices.map((notice) => escapeText(discordMarkdown, notice)),
    ...(footer === null ? [] : [`-# ${escapeText(discordMarkdown, footer)}`]),
  ];
  const tail = clipText(small.join('\n'), MOST_FOR_TAIL);
  // One line break before each block.
  const room = hardLimit - measure(head) - measure(tail) - 3;
  const { text, cited } = drawText(view, room);
  const lines = sourceLines(discordMarkdown, sources, cited).split('\n');
  while (lines.length > 0 && measure(lines.join('\n')) > room - measure(text)) lines.pop();
  const content = [head, text, lines.join('\n'), tail].filter((block) => block !== '').join('\n');
  return { content: content || '…', buttons };
}

function drawText({ text, sources }: View, room: number): { text: string; cited: readonly number[] } {
  const limit = room - ELLIPSIS.length;
  const rendering = createRendering(discordMarkdown, { softLimit: limit, hardLimit: limit });
  rendering.update(text, sources, true);
  const [first = '', ...more] = rendering.parts.filter((part) => part.trim() !== '');
  return { text: more.length === 0 ? first : `${first}${ELLIPSIS}`, cited: rendering.cited };
}

const ELLIPSIS = '\n…';
