import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { discordMarkdown } from '../../src/markdown/dialects.ts';
import { createRendering } from '../../src/markdown/rendering.ts';
import { dialects, drawn, markdownArb, tries } from './property.ts';

const SMALL = { softLimit: 180, hardLimit: 240 };
const WHOLE = { softLimit: 1e9, hardLimit: 1e9 };

/** What is left when everything goes that a split may add or drop: code fences, quote marks, escapes, white space. */
function bare(text: string): string {
  return text.replace(/^[ >]*```.*$/gm, '').replace(/[>\\\s]+/g, '');
}

/** A document of numbered words in every kind of block but tables, whose rows repeat their header. */
const numberedArb = fc
  .array(
    fc.tuple(
      fc.constantFrom('p', 'p', 'h', 'li', 'li2', 'ol', 'q', 'code', 'bold', 'cjk'),
      fc.integer({ min: 1, max: 60 }),
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((blocks) => {
    let next = 0;
    const words = (count: number): string[] => Array.from({ length: count }, () => `w${next++}z`);
    return blocks.map(([kind, count]) => block(kind, words(count))).join('\n\n');
  });

function block(kind: string, words: readonly string[]): string {
  const text = words.join(' ');
  const lines = words.join('\n');
  if (kind === 'h') return `## ${text}`;
  if (kind === 'li') return words.map((word) => `- ${word}`).join('\n');
  if (kind === 'li2') return `- a\n${words.map((word) => `  - ${word} more`).join('\n')}`;
  if (kind === 'ol') return words.map((word, index) => `${index + 1}. ${word}`).join('\n');
  if (kind === 'q') return words.map((word) => `> ${word}`).join('\n');
  if (kind === 'code') return `\`\`\`ts\n${lines}\n\`\`\``;
  if (kind === 'bold') return words.map((word) => `**${word}**`).join(' ');
  return kind === 'cjk' ? words.join('東京') : text;
}

describe.each(dialects)('an answer in several messages on $name', (dialect) => {
  test('has every word of the answer once and in order', () => {
    fc.assert(
      fc.property(numberedArb, (text) => {
        const shown = drawn(dialect, text, [], SMALL).join('\n').match(/w\d+z/g);
        expect(shown).toEqual(text.match(/w\d+z/g));
      }),
      tries(150),
    );
  });

  test('says what the undivided one says', () => {
    fc.assert(
      fc.property(
        fc.array(
          markdownArb.filter((text) => !text.includes('|')),
          { maxLength: 4 },
        ),
        (documents) => {
          const text = documents.join('\n\n');
          const parts = drawn(dialect, text, [], { softLimit: 700, hardLimit: 800 });
          expect(bare(parts.join('\n'))).toBe(bare(drawn(dialect, text, [], WHOLE).join('\n')));
        },
      ),
      tries(300),
    );
  });

  test('keeps every emoji whole', () => {
    const emoji = ['👩‍👩‍👧‍👦', '🇩🇪', '👍🏽', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', 'é', '각'];
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...emoji), { minLength: 1, maxLength: 900 }),
        fc.boolean(),
        (list, inCode) => {
          const text = inCode ? `\`\`\`\n${list.join('')}\n\`\`\`` : list.join('');
          const parts = drawn(dialect, text, [], SMALL);
          const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
          const seen = parts.flatMap((part) =>
            [...segmenter.segment(part.replace(/```\n|\n```|\n/g, ''))].map(({ segment }) => segment),
          );
          expect(seen).toEqual(list);
        },
      ),
      tries(60),
    );
  });
});

describe('a code block that does not fit', () => {
  const code = Array.from({ length: 40 }, (_, index) => `const line${index} = ${index};`).join('\n');

  test.each(dialects)('is closed and opened again with its language on $name', (dialect) => {
    const parts = drawn(dialect, `Before.\n\n\`\`\`ts\n${code}\n\`\`\`\n\nAfter.`, [], SMALL);
    expect(parts.length).toBeGreaterThan(3);
    for (const part of parts.slice(1, -1)) {
      expect(part.startsWith('```ts\nconst line')).toBe(true);
      expect(part.endsWith(';\n```')).toBe(true);
    }
    expect(parts.join('\n').replace(/\n```\n```ts\n/g, '\n')).toBe(
      `Before.\n\n\`\`\`ts\n${code}\n\`\`\`\n\nAfter.`,
    );
  });

  test.each(dialects)('inside a quote keeps its quote marks on $name', (dialect) => {
    const quoted = code.replace(/^/gm, '> ');
    for (const part of drawn(dialect, `> \`\`\`ts\n${quoted}\n> \`\`\``, [], SMALL)) {
      expect(part.split('\n').every((line) => line.startsWith('> '))).toBe(true);
    }
  });
});

test('an ordered list goes on with its numbers in the next message', () => {
  const list = Array.from({ length: 30 }, (_, index) => `${index + 1}. point number ${index + 1}`).join('\n');
  for (const dialect of dialects) {
    const parts = drawn(dialect, list, [], SMALL);
    expect(parts.length).toBeGreaterThan(2);
    expect(parts.join('\n')).toBe(list);
    for (const part of parts) expect(part).toMatch(/^\d+\. point/);
  }
});

test('a table on Slack has its header in every message, and rows are never cut', () => {
  const rows = Array.from({ length: 30 }, (_, index) => `| row ${index} | value ${index} |`);
  const parts = drawn(dialects[0]!, ['| Name | Value |', '|:--|--:|', ...rows].join('\n'), [], SMALL);
  expect(parts.length).toBeGreaterThan(2);
  for (const part of parts)
    expect(part).toMatch(/^\| Name \| Value \|\n\| --- \| --- \|\n(?:\| row \d+ \| value \d+ \|\n?)+$/);
  expect(parts.join('\n').match(/\| row \d+ \| value \d+ \|/g)).toEqual(rows);
});

test('a message that grew too old ends where it is, and the code in it goes on in the next', () => {
  const rendering = createRendering(dialects[0]!);
  rendering.update('Text.\n\n```js\nconst a = 1;\nconst b', [], false);
  rendering.breakPart();
  expect(rendering.parts).toEqual(['Text.\n\n```js\nconst a = 1;\nconst\n```']);
  rendering.update('Text.\n\n```js\nconst a = 1;\nconst b = 2;\n```\nDone.', [], true);
  expect(rendering.parts[1]).toBe('```js\n b = 2;\n```\nDone.');
});

test('a break before anything is shown changes nothing', () => {
  const rendering = createRendering(dialects[1]!);
  rendering.breakPart();
  rendering.update('Hello', [], true);
  expect(rendering.parts).toEqual(['Hello']);
});

test('a part ends at a paragraph rather than in one, when it is nearly full', () => {
  const paragraph = 'A sentence of a few words. '.repeat(6).trim();
  for (const dialect of dialects) {
    const text = Array.from({ length: 60 }, () => paragraph).join('\n\n');
    for (const part of drawn(dialect, text)) expect(part.endsWith('words.')).toBe(true);
  }
});

test('a bold line that no part holds leaves no part with a mark that is open', () => {
  const parts = drawn(discordMarkdown, `#### ${'word '.repeat(40)}`, [], { softLimit: 60, hardLimit: 90 });
  expect(parts.join(' ').match(/word/g)).toHaveLength(40);
  for (const part of parts) expect((part.match(/\*\*/g) ?? []).length % 2).toBe(0);
});
