import { describe, expect, test } from 'vitest';
import { discordMarkdown, slackMarkdown } from '../../src/markdown/dialects.ts';
import { createRendering } from '../../src/markdown/rendering.ts';
import { drawn, sources } from './property.ts';

const slack = (text: string): string => drawn(slackMarkdown, text, sources).join('\n=====\n');
const discord = (text: string): string => drawn(discordMarkdown, text, sources).join('\n=====\n');

describe('Discord', () => {
  test('has three levels of headings; the others are bold lines', () => {
    expect(discord('### Three\n#### Four **and**\ntext')).toBe('### Three\n**Four and**\ntext');
  });

  test('gets a drawn rule and drawn task boxes', () => {
    expect(discord('a\n\n---\n\n- [ ] todo\n- [x] done')).toBe('a\n\n⎯⎯⎯\n\n- ☐ todo\n- ☑ done');
  });

  test('gets a small table as an aligned block', () => {
    expect(discord('| Name | n |\n|:--|--:|\n| **東京** | 1 |\n| x | 22 |')).toBe(
      '```\nName  n\n────  ──\n東京  1\nx     22\n```',
    );
  });

  test('gets every row of a small table in line, however wide a later cell is', () => {
    expect(discord('| Site | MW |\n|---|---|\n| A | 1 |\n| A long name | 22 |\n\nEnd.')).toBe(
      '```\nSite         MW\n───────────  ──\nA            1\nA long name  22\n```\n\nEnd.',
    );
  });

  test('gets a wide table, or one with citations, as a list that names every cell', () => {
    expect(discord('| Name | Fact |\n|---|---|\n| A | b |\n| C | d [1] |\n| E | |')).toBe(
      [
        '- Name: **A**; Fact: b',
        '- Name: **C**; Fact: d [[1]](<https://en.wikipedia.org/wiki/Footnote_%28typography%29?a=1&b=2>)',
        '- Name: **E**; Fact: –',
      ].join('\n'),
    );
    expect(discord(`| Name | Fact |\n|---|---|\n| A | b |\n| C | ${'long '.repeat(14)}|`)).toMatch(
      /^- Name: \*\*A\*\*; Fact: b\n- Name: \*\*C\*\*; Fact: long/,
    );
  });

  test('gets the header of a table without rows', () => {
    expect(discord(`| ${'wide '.repeat(10)}| Fact [2] |\n|---|---|\n`)).toMatch(
      /^- \*\*wide[^;]*\*\*; Fact \[/,
    );
  });

  test('gets a table too long to wait for in blocks that are in line, each under the header', () => {
    const row = (index: number): string => `| ${index < 80 ? 'name' : 'a longer name'} ${index} | value |`;
    const rows = Array.from({ length: 120 }, (_, index) => row(index));
    const parts = drawn(discordMarkdown, ['| Key | V |', '|---|---|', ...rows].join('\n'));
    for (const block of parts.flatMap((part) => part.split(/```\n?/).filter((text) => text !== ''))) {
      const columns = block
        .trimEnd()
        .split('\n')
        .map((line) => line.search(/ {2}\S/));
      expect(Math.max(...columns) - Math.min(...columns)).toBeLessThanOrEqual('a longer name 100'.length);
      const starts = block
        .trimEnd()
        .split('\n')
        .map((line) => /^(.*?) {2,}(?=\S+$)/.exec(line)?.[0].length);
      expect(new Set(starts).size).toBe(1);
      expect(block).toMatch(/^Key +V\n─+ +─+\n/);
    }
    const shown = parts.join('\n').match(/name \d+/g);
    expect(shown).toEqual(rows.map((line) => /name \d+/.exec(line)?.[0]));
  });

  test('reads no mark in literal text', () => {
    expect(discord('snake_case, 2 * 3, ||spoiler||, -# small\n\n\\# no heading')).toBe(
      'snake\\_case, 2 \\* 3, \\|\\|spoiler\\|\\|, -# small\n\n\\# no heading',
    );
  });

  test('reads no end of a link in text or code, where it would make a label of all that stands between', () => {
    const one = '[[1]](<https://en.wikipedia.org/wiki/Footnote_%28typography%29?a=1&b=2>)';
    expect(discord('See [1] and ](http://evil.example).')).toBe(`See ${one} and ]\u200b(\`evil.example\`).`);
    expect(discord('See [1] and `](http://evil.example)`.')).toBe(
      `See ${one} and \`]\u200b(http://evil.example)\`.`,
    );
    expect(discord('`]([x](//evil.example)` `[&, x](int y)`')).toBe(
      '`]\u200b([x](//evil.example)` `[&, x](int y)`',
    );
    expect(discord('See [1].\n```js\na[0](x); b](\n http://evil.example)\nc[1](\n```')).toBe(
      `See ${one}.\n\`\`\`js\na[0](x); b]\u200b(\n http://evil.example)\nc[1](\n\`\`\``,
    );
  });

  test('gets no emphasis that would end in code and set free what the code holds', () => {
    expect(discord('**see `a ** http://evil.example` b**')).toBe('see `a ** http://evil.example` b');
    expect(discord('*see `a*b`* ~~`~~ x`~~ **`ok`**')).toBe('see `a*b` `~~ x` **`ok`**');
    expect(discord('#### Use `a ** http://evil.example`')).toBe('Use `a ** http://evil.example`');
    expect(discord('**so http://evil.example/\\*\\*/a b**')).toBe('so `evil.example/\\*\\*/a` b');
    expect(slack('**see `a ** http://evil.example` b**')).toBe('**see `a ** http://evil.example` b**');
  });

  test('gets no empty code block, which it would read as the beginning of another', () => {
    expect(discord('a\n```\n```\nb')).toBe('a\nb');
    expect(discord('a\n```ts')).toBe('a');
    expect(slack('a\n```ts\n')).toBe('a');
  });

  test('keeps a fence inside code from ending it', () => {
    expect(discord('````md\n```js\nx\n```\n````')).toBe('```md\n`\u200b`\u200b`js\nx\n`\u200b`\u200b`\n```');
  });
});

describe('Slack', () => {
  test('keeps blocks as they are', () => {
    const text =
      '# One\n\nText *it* **b** ~~s~~ `c`.\n\n- a\n  - b\n\n1. x\n2. y\n\n> q\n\n```ts\ncode();\n```';
    expect(slack(text)).toBe(text);
  });

  test('reads no token and no entity in text or code', () => {
    expect(slack('<!channel> `<@U1>` &lt;\n\n```\n<#C1|x> &lt;\n```')).toBe(
      '&lt;!channel&gt; `&lt;@U1>` &lt;\n\n```\n&lt;#C1|x> &amp;lt;\n```',
    );
  });

  test('leaves ampersands in text and targets alone', () => {
    expect(slack('R&D [w](https://en.wikipedia.org/wiki/Footnote_(typography)?b=2&a=1)')).toBe(
      'R&D [w](https://en.wikipedia.org/wiki/Footnote_%28typography%29?a=1&b=2)',
    );
  });

  test('makes no image of a citation behind an exclamation', () => {
    const one = '[1](https://en.wikipedia.org/wiki/Footnote_%28typography%29?a=1&b=2)';
    expect(slack('It works![1]')).toBe(`It works!\u2009${one}`);
    expect(slack('\\![w](http://shop.example.net/)')).toBe('!\u200b[w](http://shop.example.net/)');
  });

  test('strikes nothing out between single tildes, and shows no backslash at the end of a line', () => {
    expect(slack('So H~2~O, ~5 to 7~ or 5~7\\\nnext ~~gone~~')).toBe(
      'So H\\~2\\~O, ~5 to 7~ or 5\\~7\nnext ~~gone~~',
    );
    expect(discord('H~2~O\\\nnext')).toBe('H\\~2\\~O\nnext');
  });

  test('does not make a heading of the text above a rule', () => {
    expect(slack('text\n---\nmore')).toBe('text\n\n---\n\nmore');
  });
});

describe('a formula', () => {
  test.each([
    ['so \\(x_1 * y_2\\) is', 'so `x_1 * y_2` is'],
    ['so \\[ E = mc^2 \\] is', 'so `E = mc^2` is'],
    ['so $$a*b*c$$ is', 'so `a*b*c` is'],
    ['so $\\frac{a_1}{b_2}$, with $x$ and $n*m*k$.', 'so `\\frac{a_1}{b_2}`, with `x` and `n*m*k`.'],
    ['**so \\(a*b\\) is**', '**so `a*b` is**'],
    ['`\\(x\\)` and `$y_1$`', '`\\(x\\)` and `$y_1$`'],
    ['\\(<@U1> = http://evil.example\\)', slackMarkdown.codeSpan('<@U1> = http://evil.example')],
  ])('%s is shown as it was written', (text, expected) => {
    expect(slack(text)).toBe(expected);
  });

  test.each([
    'It costs $5 and $10, or US$3 to $4.',
    'Buy $AAPL and $MSFT today.',
    'between $20B (or $25B in all)',
    'a $ and b$',
    'a variable a$x_1$b',
  ])('is not seen in "%s"', (text) => {
    expect(slack(text)).toBe(text);
  });

  test('is not seen in the address of a source', () => {
    const known = [{ ...sources[0]!, url: 'https://a.example/?q=$x_1$' }];
    expect(drawn(slackMarkdown, 'so [a](https://a.example/?q=$x_1$).', known)).toEqual([
      'so [a](https://a.example/?q=$x_1$).',
    ]);
  });

  test('is not made of escaped brackets around words', () => {
    expect(slack('so \\(see below\\) and \\[1\\]')).toBe('so (see below) and [1]');
  });

  test.each([
    ['$$\na*b*c\n\\frac{a}{b}\n$$\nend', '$$'],
    ['\\[\na*b*c\n\\frac{a}{b}\n\\].\nend', '\\['],
  ])('of several lines is a block', (text) => {
    const block = '```latex\na*b*c\n\\frac{a}{b}\n```\nend';
    expect(slack(text)).toBe(block);
    expect(discord(text)).toBe(block);
  });

  test('keeps nobody waiting for what is money', () => {
    const rendering = createRendering(discordMarkdown);
    rendering.update('It costs $5 and then ', [], false);
    expect(rendering.parts).toEqual(['It costs $5 and then']);
    rendering.update('It costs $5 and then $AAPL rose by ', [], false);
    expect(rendering.parts).toEqual(['It costs $5 and then $AAPL rose by']);
  });
});

describe('while the answer is written', () => {
  const visible = (text: string): string => {
    const rendering = createRendering(discordMarkdown);
    for (let end = 1; end <= text.length; end += 1) rendering.update(text.slice(0, end), [], false);
    return rendering.parts.at(-1) ?? '';
  };

  test.each([
    ['H', ''],
    ['Hello ', ''],
    ['Hello w', 'Hello'],
    ['Hello wor', 'Hello'],
    ['a **bold', 'a'],
    ['a **bold** ', 'a **bold**'],
    ['a [label](http', 'a'],
    ['a `code', 'a'],
    ['text\n--', 'text'],
    ['text\n- ', 'text'],
    ['text\n| a | b |', 'text'],
    ['text\n\n| a | b |\n|---|---|\n| 1 |', 'text'],
    ['5 * 3 is ', '5 \\* 3 is'],
    ['东京都是', '东京都'],
  ])('of %j is shown %j', (text, expected) => {
    expect(visible(text)).toBe(expected);
  });

  test('an open mark is waited for, but not for ever', () => {
    expect(visible(`a **${'word '.repeat(230)}`)).toBe('a');
    expect(visible(`a **${'word '.repeat(250)}`)).toMatch(/^a \\\*\\\*word word/);
  });

  test('code is shown word by word, and can be closed at any time', () => {
    const rendering = createRendering(discordMarkdown);
    rendering.update('```js\nconst a = 1;\nlet ', [], false);
    expect(rendering.parts).toEqual(['```js\nconst a = 1;\nlet']);
    expect(rendering.closer).toBe('\n```');
  });
});
