import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clean, createCleaner, cutText } from '../../src/markdown/characters.ts';
import { discordMarkdown, slackMarkdown } from '../../src/markdown/dialects.ts';
import { createRendering } from '../../src/markdown/rendering.ts';
import { hasMoreSources, sourceLines, sourcePages } from '../../src/markdown/sources.ts';
import { escapeText, plain, toMrkdwn } from '../../src/markdown/text.ts';
import { canonicalUrl, linkTarget } from '../../src/markdown/urls.ts';
import { cutsArb, dialects, markdownArb, prefixes, tries } from './property.ts';
import { clickable, liveTokens } from './reader.ts';

describe('cleaning', () => {
  test.each([
    ['a\u202eb\u2066c\u200bd\ufeffe\u0000f\u0007', 'abcdef'],
    ['a\r\nb\rc\u2028d', 'a\nb\nc\nd'],
    ['👩\u200d💻 and a\u200db', '👩\u200d💻 and ab'],
    ['❤\ufe0f a\ufe0f', '❤\ufe0f a'],
    [
      '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} x\u{e0041}',
      '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} x',
    ],
    ['می\u200cخواهم', 'می\u200cخواهم'],
    ['lone \ud83d!', 'lone \ufffd!'],
    ['tab\tstays', 'tab\tstays'],
  ])('%j becomes %j', (text, expected) => {
    expect(clean(text)).toBe(expected);
  });

  test('gives the same text however it was cut', () => {
    const arb = fc.oneof(
      markdownArb,
      fc.string({ unit: 'binary' }),
      fc.constantFrom('🏴\u{e0067}\u{e0062}\u{e007f}', '👩‍👩‍👧‍👦\r\n'),
    );
    fc.assert(
      fc.property(arb, cutsArb, (text, cuts) => {
        const cleanNext = createCleaner();
        let taken = '';
        let result = '';
        for (const prefix of prefixes(text, cuts)) {
          result += cleanNext(prefix.slice(taken.length), false);
          taken = prefix;
        }
        expect(result + cleanNext('', true)).toBe(clean(text));
      }),
      tries(500),
    );
  });
});

describe('plain text of people', () => {
  test('stays plain on both platforms', () => {
    expect(escapeText(slackMarkdown, '# *hi* <@U1>\n> http://evil.example')).toBe(
      '\\# \\*hi\\* &lt;@U1&gt;\n&gt; `evil.example`',
    );
    expect(escapeText(discordMarkdown, '# *hi* <@1> @everyone\n> [x](y)')).toBe(
      '\\# \\*hi\\* \\<@\u200b1> @\u200beveryone\n\\> \\[x]\u200b(y)',
    );
  });

  test.each(dialects)('never has anything live on $name', (dialect) => {
    fc.assert(
      fc.property(markdownArb, (text) => {
        const escaped = escapeText(dialect, text);
        expect(clickable(dialect.name, escaped)).toEqual([]);
        expect(liveTokens(dialect.name, escaped)).toEqual([]);
      }),
      tries(300),
    );
  });
});

describe('escaping a long text', () => {
  /** Processor time in ms, which a busy machine changes little; the steps of expressions are in no count of the engine. */
  function timeOf(text: string): number {
    const times = [1, 2, 3].map(() => {
      const start = process.cpuUsage();
      for (const dialect of dialects) escapeText(dialect, text);
      return process.cpuUsage(start).user / 1_000;
    });
    return Math.max(2, Math.min(...times));
  }

  test.each(['a.', 'a', '-.', 'a.+', 'a@b.', 'http://a.example/)', ')', ' '])(
    'of many %j takes a time that grows with its length and no faster',
    (unit) => {
      const make = (length: number): string =>
        `http://a.example/${unit.repeat(length / unit.length)} ${unit.repeat(length / unit.length)}.`;
      // Six times the length; quadratic work would take 36 times as long.
      expect(timeOf(make(18_000)) / timeOf(make(3_000))).toBeLessThan(18);
    },
  );
});

test('a notification keeps a word of code that looks like our own mark', () => {
  const rendering = createRendering(slackMarkdown);
  rendering.update('```py\n** options\n```', [], true);
  expect(rendering.plain(0)).toBe('** options');
});

test('a notification has the words and no marks', () => {
  expect(plain('## Hi **you**\n\n- see [docs](https://a.example/x) [1]\n\n```js\ncode()\n```')).toBe(
    'Hi you\n\n- see docs (a.\u200bexample/x) [1]\n\ncode()',
  );
  fc.assert(
    fc.property(markdownArb, (text) => {
      const shown = plain(text);
      expect(shown).not.toMatch(/<|https?:\/\/|@everyone/);
    }),
    tries(200),
  );
});

test('a short text is written in the older Slack mark-up', () => {
  expect(toMrkdwn('**Bold** *it* ~~no~~ `a<b` <!here> [x](https://evil.example)')).toBe(
    '*Bold* _it_ ~no~ `a&lt;b` &lt;!here&gt; x (`evil.example`)',
  );
});

test('a text is cut between characters', () => {
  expect(cutText('👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦', 2)).toBe('👩‍👩‍👧‍👦…');
  expect(cutText('short', 5)).toBe('short');
});

describe('addresses', () => {
  test('of one page are equal', () => {
    const same = [
      'https://www.a.example/x/?b=2&a=1&utm_source=z#top',
      'http://a.example/x?a=1&b=2',
      'HTTPS://A.example:443/x?a=1&b=2',
    ];
    expect(new Set(same.map(canonicalUrl)).size).toBe(1);
  });

  test.each([
    'javascript:alert(1)',
    'https://bank.com@evil.example/',
    'ftp://a.example',
    'http://localhost/',
    'nonsense',
    `https://a.example/${'x'.repeat(800)}`,
  ])('like %s are never targets', (address) => {
    expect(linkTarget(address)).toBeNull();
  });

  test('cannot end their link', () => {
    expect(linkTarget('https://a.example/(x)>]`*|" ')).toMatch(/^https:\/\/a\.example\/[\w%]+$/);
  });
});

describe('the lines of sources', () => {
  const list = [
    {
      number: 1,
      url: 'https://www.news.example/a',
      title: 'A *bold* [title] @everyone',
      date: '2026-11-03',
      snippet: null,
    },
    { number: 2, url: 'http://news.example/a/', title: 'The same page', date: null, snippet: null },
    { number: 3, url: 'https://b.example/', title: '', date: '2026-01-31T10:00:00Z', snippet: null },
    { number: 4, url: 'javascript:alert(1)', title: 'Bad', date: 'soon', snippet: null },
  ];

  test('are in the order of their numbers, one per page, with site and date', () => {
    expect(sourceLines(discordMarkdown, list, [3, 2, 1])).toBe(
      '-# 1, 2 · [A \\*bold\\* \\[title\\] @\u200beveryone](<https://www.news.example/a>) — news.example · 3 Nov 2026\n-# 3 · [b.example](<https://b.example/>) — b.example · 31 Jan 2026',
    );
    expect(sourceLines(discordMarkdown, list, [2])).toBe(
      '-# 2 · [The same page](<http://news.example/a/>) — news.example',
    );
    expect(sourceLines(slackMarkdown, list, [1])).toBe(
      '1 · [A \\*bold\\* \\[title\\] @\u200beveryone](https://www.news.example/a) — `news.example` · 3 Nov 2026',
    );
  });

  const page = (number: number, url: string) => ({
    number,
    url,
    title: `T${number}`,
    date: null,
    snippet: null,
  });
  const numbersOf = (lines: string): string[] =>
    lines.split(/ *\n/).map((line) => /^(?:-# )?([\d, ]+) ·/.exec(line)?.[1] ?? '');

  test.each(dialects)(
    'name each cited number, whatever the order of the text and of the sources, on $name',
    (dialect) => {
      const all = [9, 4, 1, 7, 2, 3, 8].map((number) =>
        page(number, `https://s${[8, 9].includes(number) ? 1 : number}.example/?b=2&a=1#${number}`),
      );
      const cases: readonly (readonly [readonly number[], readonly string[]])[] = [
        [
          [1, 4],
          ['1', '4'],
        ],
        [
          [4, 1],
          ['1', '4'],
        ],
        [
          [9, 4, 1],
          ['1, 9', '4'],
        ],
        [[9], ['9']],
        [[8, 9], ['8, 9']],
        [
          [9, 8, 1, 2],
          ['1, 8, 9', '2'],
        ],
        [
          [7, 4, 3, 2, 1],
          ['1', '2', '3', '4', '7'],
        ],
        [
          [8, 7, 4, 3, 2, 1, 9],
          ['1, 8, 9', '2', '3', '4', '7'],
        ],
        [[], ['1, 8, 9', '2', '3', '4', '7']],
        [[99], ['1, 8, 9', '2', '3', '4', '7']],
        [
          [3, 3, 2],
          ['2', '3'],
        ],
      ];
      for (const [cited, expected] of cases)
        expect(numbersOf(sourceLines(dialect, all, cited))).toEqual(expected);
    },
  );

  test('show all where no page is missing', () => {
    const all = [1, 2, 3, 4, 5, 6].map((number) => page(number, `https://s${number % 5}.example/`));
    expect(hasMoreSources(all, [])).toBe(false);
    expect(hasMoreSources(all, [1, 2])).toBe(true);
    expect(hasMoreSources(all, [2, 3, 4, 5, 6])).toBe(false);
    expect(hasMoreSources(all, [], 4)).toBe(true);
    expect(hasMoreSources([...all, page(7, 'https://s7.example/')], [])).toBe(true);
    expect(hasMoreSources([], [])).toBe(false);
  });

  test.each(['2024-02-30', '2024-13-01', '2023-02-29', 'soon', '2024'])('show no date for %s', (date) => {
    expect(sourceLines(discordMarkdown, [{ ...page(1, 'https://a.example/'), date }], [])).toMatch(
      /— a\.example$/,
    );
  });

  test('show what cannot be linked as text, at most five, and nothing for nothing', () => {
    expect(sourceLines(discordMarkdown, list, [4])).toBe('-# 4 · Bad');
    const many = Array.from({ length: 9 }, (_, index) => ({
      ...list[0]!,
      number: index,
      url: `https://s${index}.example/`,
    }));
    expect(sourceLines(discordMarkdown, many, []).split('\n')).toHaveLength(5);
    expect(sourceLines(slackMarkdown, [], [1])).toBe('');
  });
});

describe('the list of all sources', () => {
  const many = (count: number, address = 60) =>
    Array.from({ length: count }, (_, index) => ({
      number: index + 1,
      url: `https://site${index}.example/${'x'.repeat(address)}`,
      title: `Title ${index} ${'of many words '.repeat(9)}`,
      date: '2026-11-03',
      snippet: `What page ${index} says. `.repeat(30),
    }));
  const numbers = (pages: readonly string[]): number[] =>
    [...pages.join('\n').matchAll(/^(?:-# )?(\d+) · \[Title/gm)].map((found) => Number(found[1]));

  test.each([1, 9, 40, 120])(
    'of %i has every one, within the limits of a message and of their number',
    (count) => {
      for (const [dialect, room, most] of [
        [slackMarkdown, 11_500, 5],
        [discordMarkdown, 1_900, 12],
      ] as const) {
        const pages = sourcePages(dialect, many(count), { room, most });
        expect(numbers(pages)).toEqual(Array.from({ length: count }, (_, index) => index + 1));
        expect(pages.length).toBeLessThanOrEqual(most);
        for (const page of pages) expect(dialect.measure(page)).toBeLessThanOrEqual(room);
        expect(pages.join('').includes('\n> What page 0 says.')).toBe(
          dialect.name === 'slack' || count < 120,
        );
      }
    },
  );

  test('says how many it has no room for', () => {
    const pages = sourcePages(discordMarkdown, many(120, 600), { room: 1_900, most: 4 });
    expect(pages).toHaveLength(4);
    const shown = numbers(pages).length;
    expect(pages.at(-1)?.endsWith(`… and ${120 - shown} more.`)).toBe(true);
    for (const page of pages) expect(discordMarkdown.measure(page)).toBeLessThanOrEqual(1_900);
  });

  test('of none says so', () => {
    expect(sourcePages(slackMarkdown, [], { room: 100, most: 1 })).toEqual([
      'This answer used no web sources.',
    ]);
  });
});
