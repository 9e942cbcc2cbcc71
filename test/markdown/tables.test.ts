import { describe, expect, test } from 'vitest';
import { discordMarkdown, slackMarkdown } from '../../src/markdown/dialects.ts';
import { createRendering } from '../../src/markdown/rendering.ts';
import { plain } from '../../src/markdown/text.ts';
import { shownEachWay } from './each-way.ts';
import { dialects, drawn } from './property.ts';

const ROWS = ['| one | two |', '| three | four |', '| five | six |'];

describe.each(dialects)('a table on $name', (dialect) => {
  test.each([
    ['in a quote of quotes', ['|h|k|', '|-|-|', ...ROWS].map((line) => `>> ${line}`)],
    ['whose rows leave the quote', ['> |h|k|', '> |-|-|', '> | zero | 0 |', ...ROWS]],
    ['whose delimiter line leaves the quote', ['> |h|k|', '|-|-|', ...ROWS]],
    ['that another quote follows', ['|h|k|', '|-|-|', '| zero | 0 |', ...ROWS.map((line) => `> ${line}`)]],
  ])('%s keeps every cell', (_, lines) => {
    const text = drawn(dialect, lines.join('\n')).join('\n');
    for (const word of ['one', 'two', 'three', 'four', 'five', 'six']) expect(text).toContain(word);
  });
});

test('a table in a quote of quotes is one table on Discord, which has one depth of quotes', () => {
  const lines = ['| h | k |', '|---|---|', '| 1 | 2 |', '| 3 | 4 |'].map((line) => `>> ${line}`);
  expect(drawn(discordMarkdown, lines.join('\n')).join('\n')).toBe(
    '> ```\n> h  k\n> ─  ─\n> 1  2\n> 3  4\n> ```',
  );
});

test('a notification has every row of a quoted table', () => {
  expect(plain('> | h | k |\n> |---|---|\n> | 1 | 2 |\n> | 3 | 4 |')).toBe('h  k\n─  ─\n1  2\n3  4');
});

test('a delimiter line without a bar at its beginning makes a table', () => {
  expect(drawn(slackMarkdown, '| h | k |\n--- | ---\n| 1 | 2 |').join('\n')).toBe(
    '| h | k |\n| --- | --- |\n| 1 | 2 |',
  );
});

test('emphasis over two lines of a quote of quotes is one on Discord', () => {
  expect(drawn(discordMarkdown, '>> **bold\n>> words**').join('\n')).toBe('> **bold words**');
});

describe('a table in a list item', () => {
  const table = (indent: string, header = '| A | Bee |'): string =>
    [header, '|---|---|', '| 1 | 2 |', '| 33 | 4 |'].map((line) => indent + line).join('\n');
  const native = '| A | Bee |\n| --- | --- |\n| 1 | 2 |\n| 33 | 4 |';
  const block = '```\nA   Bee\n──  ───\n1   2\n33  4\n```';
  test.each([
    ['- item\n\n', '  ', '', '- item'],
    ['- item\n', '  ', '', '- item'],
    ['1. First\n\n', '   ', '', '1. First'],
    ['1. First\n\n', '   ', '\n2. Second', '1. First'],
    ['- a\n  - b\n\n', '    ', '', '- a\n  - b'],
    ['- a\n  - b\n\n', '    ', '\n- c', '- a\n  - b'],
    ['* item\n\n', '  ', '\n\nAfter.', '- item'],
    ['- item\n\n', '    ', '', '- item'],
    ['1) First\n\n', '    ', '', '1. First'],
    ['- [ ] task\n\n', '  ', '', '- [ ] task'],
    ['10. Tenth\n\n', '    ', '\n\nAfter.', '10. Tenth'],
  ])('after %j, indented by %j, stands at the left edge as a whole', (before, indent, after, item) => {
    const { slack, discord } = shownEachWay(`${before}${table(indent)}${after}`);
    expect(slack).toMatch(new RegExp(`^${RegExp.escape(item)}\n\n${RegExp.escape(native)}(?:$|\n\n)`));
    expect(discord.replace('☐', '[ ]')).toContain(`${item}\n`);
    expect(discord).toMatch(new RegExp(`\n${RegExp.escape(block)}(?:$|\n)`));
  });

  test('that is too wide is a list in the item', () => {
    const wide = 'word '.repeat(14).trim();
    const { discord } = shownEachWay(`- item\n\n  | A | B |\n  |---|---|\n  | 1 | ${wide} |`);
    expect(discord).toBe(`- item\n\n  - A: **1**; B: ${wide}`);
  });
});

describe('a table without outer bars', () => {
  test.each([
    ['Name | Age\n--- | ---\nAnn | 3\n', ['Name', 'Age'], [['Ann', '3']]],
    ['A | B\n:--|--:\n1 | 2\n', ['A', 'B'], [['1', '2']]],
    [
      'A|B\n-|-\n1|2\n3|4',
      ['A', 'B'],
      [
        ['1', '2'],
        ['3', '4'],
      ],
    ],
    ['A | B | C\n---|---|---\n1 | 2 | 3', ['A', 'B', 'C'], [['1', '2', '3']]],
    ['Name | Age |\n--- | --- |\nAnn | 3 |', ['Name', 'Age'], [['Ann', '3']]],
    ['Text.\n\nA | B\n---|---\n1 | 2\n\nMore.', ['A', 'B'], [['1', '2']]],
    ['> A | B\n> ---|---\n> 1 | 2', ['A', 'B'], [['1', '2']]],
    ['**A** | B\n---|---\n1 | 2', ['A', 'B'], [['1', '2']]],
    ['Город | Люди\n--- | ---\nМосква | 13', ['Город', 'Люди'], [['Москва', '13']]],
    [
      'A | B\n---|---\ntwo words | 2\nand three words | 3',
      ['A', 'B'],
      [
        ['two words', '2'],
        ['and three words', '3'],
      ],
    ],
    [
      '| A | B |\n|---|---|\n| 1 | 2 |\nlast | row',
      ['A', 'B'],
      [
        ['1', '2'],
        ['last', 'row'],
      ],
    ],
    ['A | B\n| --- | --- |\n1 | 2', ['A', 'B'], [['1', '2']]],
  ])('%j is one', (text, header, rows) => {
    const { slack, discord } = shownEachWay(text);
    const bare = (shown: string): string => shown.replace(/[*>]/g, '').replace(/ {2,}/g, ' ');
    for (const row of [header, ...rows]) {
      expect(bare(slack)).toContain(`| ${row.join(' | ')} |`);
      expect(bare(discord)).toContain(`\n${discord.startsWith('>') ? ' ' : ''}${row.join(' ')}\n`);
    }
  });

  test.each([
    'a | b\nnext line',
    'a | b',
    'a | b\n\n---',
    'so | and\n- item',
    'Yes, a | b\n--- | ---',
    'one\ntwo | three\nfour',
    'a | b | c\n--- | ---',
    'either | or.',
    'x\n\n|',
    'plain words and nothing else',
    'a \\| b\nnext',
  ])('%j is none', (text) => {
    const { slack, discord } = shownEachWay(text);
    expect(slack).not.toMatch(/^\| .* \|$/m);
    expect(discord).not.toContain('─');
  });

  test('holds back one word of a paragraph, and no more', () => {
    const rendering = createRendering(discordMarkdown);
    rendering.update('Well then', [], false);
    expect(rendering.parts).toEqual(['Well']);
  });
});

test('a table on Discord is decided once: what begins as a block stays one', () => {
  const row = (words: string): string => `| ${words} | b |`;
  const narrow = Array.from({ length: 120 }, (_, index) => row(`name ${index}`));
  const wide = Array.from({ length: 120 }, (_, index) =>
    row(`a name that takes more than sixty columns by itself: number ${index}`),
  );
  const drawnOf = (rows: readonly string[]): string =>
    drawn(discordMarkdown, ['| A | B |', '|---|---|', ...rows].join('\n')).join('\n');
  expect(drawnOf([...narrow, ...wide])).not.toMatch(/^- /m);
  expect(drawnOf([...wide, ...narrow])).not.toContain('```');
  expect(drawnOf([...narrow, ...wide]).match(/number \d+/g)).toHaveLength(120);
});
