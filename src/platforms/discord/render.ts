import { isFinal, type Question, type View } from '../../core/types.ts';
import { boundaryBefore } from '../../markdown/characters.ts';
import { discordMarkdown } from '../../markdown/dialects.ts';
import { createRendering, type Rendering } from '../../markdown/rendering.ts';
import { hasMoreSources, MAX_LINES, sourceLines } from '../../markdown/sources.ts';
import { escapeText } from '../../markdown/text.ts';
import type { Draft } from './messages.ts';

const { hardLimit, measure } = discordMarkdown;

/** A message of an answer as it should look. */
export interface Part extends Draft {
  /** Grows with every word of the model in it, whether links are there or not; 0 without any. */
  readonly words: number;
  /** It says that more is to come. */
  readonly isGrowing: boolean;
}

/** The end of an answer that is still being written. */
const INDICATOR = ' ▌';

/** Renders the views of one answer. */
export function createAnswerRenderer() {
  let rendering: Rendering = createRendering(discordMarkdown);
  let rendered = '';
  let hasLinks = false;
  let wasQueued = false;
  return {
    /** How many citation markers of the view rendered last lead to no source. */
    unresolved: () => rendering.unresolved,
    /**
     * The messages a view consists of, in order; none while there is nothing to read, unless the question had to wait. A final view
     * has at least one.
     */
    render(view: View): readonly Part[] {
      const isEnd = isFinal(view);
      if (!view.text.startsWith(rendered)) {
        rendering = createRendering(discordMarkdown);
        hasLinks = false;
      }
      rendered = view.text;
      // Sources that come late take no room from words: where a message ends does not depend on what was shown when.
      rendering.update(view.text, hasLinks ? view.sources : [], isEnd);
      if (view.sources.length > 0 && (!hasLinks || isEnd)) {
        // What is linked already stays so; else the sources below go before the links above.
        const below = hasLinks ? undefined : (): number => lengthOf(tailOf(view, rendering.cited));
        rendering.relink(view.sources, below);
        hasLinks = true;
      }
      const passages = rendering.parts
        .map((text, index): Passage => ({ text, words: rendering.growth[index] ?? 0 }))
        .filter(({ text }, index, all) => index < all.length - 1 || text.trim() !== '');
      if (isEnd) return finalParts(view, passages, rendering.cited);
      wasQueued ||= view.state === 'queued';
      if (passages.length === 0 && wasQueued) return [statusPart(view)];
      return partsInProgress(view, passages, rendering.closer);
    },
  };
}

function lengthOf(tail: readonly string[]): number {
  return measure(tail.map((block) => `\n${block}`).join(''));
}

interface Passage {
  readonly text: string;
  readonly words: number;
}

/** What the question waits for, until there are words: Discord's typing indicator cannot tell. */
function statusPart({ status, buttons }: View): Part {
  const [, verb = '', rest = ''] = /^is (.)(.*)$/.exec(status) ?? [];
  return { content: `-# ${verb.toUpperCase()}${rest}`, buttons, words: 0, isGrowing: true };
}

function partsInProgress({ buttons }: View, passages: readonly Passage[], closer: string): readonly Part[] {
  return passages.map(({ text, words }, index) => {
    const isLast = index === passages.length - 1;
    return isLast
      ? { content: text + closer + INDICATOR, buttons, words, isGrowing: true }
      : { content: text, buttons: [], words, isGrowing: false };
  });
}

/** Sources, notices and footer stand under the last part, or in a message of their own where they do not fit. */
function finalParts(view: View, passages: readonly Passage[], cited: readonly number[]): readonly Part[] {
  const all = [...passages];
  for (const block of tailOf(view, cited)) {
    const last = all.at(-1);
    const joined = last === undefined ? block : `${last.text}\n${block}`;
    if (measure(joined) <= hardLimit) all.splice(-1, 1, { text: joined, words: last?.words ?? 0 });
    else all.push({ text: block, words: 0 });
  }
  if (all.length === 0) all.push({ text: 'No answer came back.', words: 0 });
  return all.map(({ text, words }, index) => ({
    content: text,
    buttons: index === all.length - 1 ? usefulButtons(view, cited) : [],
    words,
    isGrowing: false,
  }));
}

/**
 * The buttons of a view, without that for all sources where the lines of sources show them all. A last button stays: it tells
 * later whose message it is (`isNotification`).
 */
function usefulButtons(
  { buttons, sources }: View,
  cited: readonly number[],
  lines = MAX_LINES,
): View['buttons'] {
  const others = buttons.filter(({ action }) => action !== 'sources');
  return hasMoreSources(sources, cited, lines) || others.length === 0 ? buttons : others;
}

function tailOf(view: View, cited: readonly number[]): readonly string[] {
  const blocks = [sourceLines(discordMarkdown, view.sources, cited), ...smallPrint(view)];
  return blocks.filter((block) => block !== '').flatMap(splitBlock);
}

function smallPrint({ notices, footer }: View): readonly string[] {
  const lines = notices.map((notice) => escapeText(discordMarkdown, notice));
  return footer === null ? lines : [...lines, `-# ${escapeText(discordMarkdown, footer)}`];
}

/** A block longer than a message is split into its lines; a line longer than a message is cut. */
function splitBlock(block: string): readonly string[] {
  if (measure(block) <= hardLimit) return [block];
  return block.split('\n').map((line) => (measure(line) <= hardLimit ? line : clipText(line, hardLimit)));
}

/** Notices and footer are short; hostile ones still leave room for the text. */
const MAX_TAIL = 700;

/**
 * Renders a view as exactly one message: a text that does not fit is cut at the end of a paragraph, and as many lines of sources
 * follow as there is room for. `head` stands in front, as it is.
 */
export function renderOne(view: View, head = ''): Draft {
  const { sources } = view;
  const tail = clipText(smallPrint(view).join('\n'), MAX_TAIL);
  // One line break before each block.
  const room = hardLimit - measure(head) - measure(tail) - 3;
  const { text, cited } = clipMarkdown(view, room);
  const lines = sourceLines(discordMarkdown, sources, cited)
    .split('\n')
    .filter((line) => line !== '');
  while (lines.length > 0 && measure(lines.join('\n')) > room - measure(text)) lines.pop();
  const buttons = usefulButtons(view, cited, lines.length);
  const content = [head, text, lines.join('\n'), tail].filter((block) => block !== '').join('\n');
  return { content: content || '…', buttons };
}

function clipMarkdown({ text, sources }: View, room: number): { text: string; cited: readonly number[] } {
  const limit = room - ELLIPSIS.length;
  const rendering = createRendering(discordMarkdown, { softLimit: limit, hardLimit: limit });
  rendering.update(text, sources, true);
  const [first = '', ...more] = rendering.parts.filter((part) => part.trim() !== '');
  return { text: more.length === 0 ? first : `${first}${ELLIPSIS}`, cited: rendering.cited };
}

const ELLIPSIS = '\n…';

/** The question of `/ask` as an inert quote, cut to fit into a message with room to spare. */
export function restateQuestion(text: string): string {
  const trimmed = text.trim();
  const cut = trimmed.length > MAX_QUOTE ? `${clipText(trimmed, MAX_QUOTE)}…` : trimmed;
  const quoted = escapeText(discordMarkdown, cut).split(/\r?\n/).join('\n> ');
  // Escaping lengthens: the worst text still has to fit.
  return `> ${clipText(quoted, MAX_ROOT)}`;
}

/** A question may be longer than a message. It is restated as a reminder, not as a whole. */
const MAX_QUOTE = 900;
const MAX_ROOT = 1_900;

/** The message above an answer to `/ask` for which Discord never got a response. */
export function rootContent({ asker, text }: Question): string {
  const name = asker.name ? escapeText(discordMarkdown, asker.name) : 'Somebody';
  return `${name.slice(0, 100)} asked:\n${restateQuestion(text)}`.slice(0, 2_000);
}

/** The beginning of a text, at most `limit` UTF-16 units, never half an emoji. Discord counts code points, which are fewer. */
export function clipText(text: string, limit: number): string {
  return text.slice(0, boundaryBefore(text, limit));
}
