import { describe, expect, test } from 'vitest';
import { discordMarkdown, slackMarkdown } from '../../src/markdown/dialects.ts';
import { plain } from '../../src/markdown/text.ts';
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
