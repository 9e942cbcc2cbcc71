import { parse } from 'discord-markdown-parser';
import fc from 'fast-check';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { cjkFriendlyExtension } from 'micromark-extension-cjk-friendly';
import { gfmStrikethroughCjkFriendly } from 'micromark-extension-cjk-friendly-gfm-strikethrough';
import { gfm } from 'micromark-extension-gfm';
import { describe, expect, test } from 'vitest';
import { discordMarkdown, slackMarkdown } from '../../src/markdown/dialects.ts';
import { drawn, source, tries } from './property.ts';
import { answerArb, PAGES, SCRIPTS } from './scripts.ts';

/*
 * What a reader sees, judged by parsers that are not ours: micromark for the model's Markdown and for Slack's, a port of Discord's
 * parser for its messages. Neither has anything to do with how we read or write.
 */

const known = PAGES.map((url, index) => source(index + 1, url));

/** The words that a CommonMark reader shows. The model's text is read kindly, as people read it; Slack's strictly. */
function visible(text: string, isKind: boolean): string {
  const kind = isKind ? [cjkFriendlyExtension(), gfmStrikethroughCjkFriendly()] : [];
  return wordsOf(fromMarkdown(text, { extensions: [gfm(), ...kind], mdastExtensions: [gfmFromMarkdown()] }));
}

interface SyntaxNode {
  readonly type: string;
  readonly children?: readonly SyntaxNode[];
  readonly value?: string;
}

function wordsOf({ type, children, value }: SyntaxNode): string {
  if (type === 'html') return '';
  return children?.map(wordsOf).join('') ?? value ?? '';
}

interface DiscordNode {
  readonly content?: string | readonly DiscordNode[] | DiscordNode;
  readonly items?: readonly (readonly DiscordNode[])[];
}

function visibleOnDiscord(text: string): string {
  const read = (node: DiscordNode | readonly DiscordNode[] | string): string => {
    if (typeof node === 'string') return node;
    if ('map' in node) return node.map(read).join('');
    return (node.items ?? []).map(read).join('') + (node.content === undefined ? '' : read(node.content));
  };
  // The port knows no masked links. The brackets of a citation are the label of its link.
  const unlinked = text
    .replace(/\[\[(\d+)\]\]\(<https:[^<>]*>\)/g, '$1')
    .replace(/\[((?:[^[\]]|\[[^[\]]*\])*)\]\(<https:[^<>]*>\)/g, '$1');
  return read(parse(unlinked, 'normal') as unknown as readonly DiscordNode[]);
}

const letters = (text: string): string => text.replace(/https/g, '').replace(/[^\p{L}\p{M}]|\ufe0f/gu, '');

/** How often each character that could be a mark is seen. */
function marks(text: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const char of text.match(/[*_~`|#<>[\]\\]/g) ?? []) counts[char] = (counts[char] ?? 0) + 1;
  return counts;
}

function strays(shown: string, meant: string): string {
  const allowed = marks(meant);
  return Object.entries(marks(shown))
    .filter(([char, count]) => count > (allowed[char] ?? 0))
    .map(([char]) => char)
    .join('');
}

describe.each(Object.entries(SCRIPTS))('an answer in %s', (_name, script) => {
  test('shows its words and no mark that its source does not', () => {
    fc.assert(
      fc.property(answerArb(script), (text) => {
        const meant = visible(text, true);
        const slack = drawn(slackMarkdown, text, known).join('\n\n');
        const discord = drawn(discordMarkdown, text, known).join('\n\n');
        // Discord takes two marks side by side for one.
        expect(slack + discord.replace(/\*\u200b\*/g, '**')).not.toMatch(/[\u200b\u200c\u2060\ufeff]/);
        expect(strays(visible(slack, false), meant), slack).toBe('');
        expect(letters(visible(slack, false)), slack).toBe(letters(meant));
        expect(strays(visibleOnDiscord(discord), meant), discord).toBe('');
        if (!text.includes('|---')) expect(letters(visibleOnDiscord(discord)), discord).toBe(letters(meant));
      }),
      tries(40, 1 / 12),
    );
  });
});
