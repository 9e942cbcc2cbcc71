import { describe, expect, test } from 'vitest';
import { discordMarkdown, slackMarkdown } from '../../src/markdown/dialects.ts';
import { shownEachWay } from './each-way.ts';
import { drawn, source } from './property.ts';

const PAGE = 'https://site1.example/page';
const sources = [
  source(1, PAGE),
  source(2, 'https://zh.wikipedia.org/wiki/%E8%84%9A%E6%B3%A8'),
  source(3, 'https://www.booking.com/'),
];

const onSlack = `[\`site1.example/page\`](${PAGE})`;
const onDiscord = `[\`site1.example/page\`](<${PAGE}>)`;

describe('the address of a source is linked', () => {
  test.each([
    // At the beginning of an answer, a list, a quote, a heading.
    '@ is the official page [9].',
    '@',
    '@.',
    '**@** says so',
    '(@) says so',
    '- @\n- @',
    '1. @\n2. @',
    '> @',
    '- [ ] @',
    '| a | b |\n|---|---|\n| @ | c |',
    // Beside letters of scripts without spaces.
    '参见@。',
    '参见@，以及@。',
    '見@を参照',
    '見よ@「注」',
    '참고@ 입니다',
    '참고: @입니다',
    'ดู@ครับ',
    '见 @（中文说明）',
    '见 @！',
    '（@）',
    '「@」',
    '来源：@；另见',
    'ເບິ່ງ@ແລ້ວ',
    // Beside other scripts and their punctuation.
    'см.@',
    'Смотри:@, и далее',
    'см. (@)…',
    'Δες το @·',
    'انظر @، ثم',
    'ראה @.',
    'देखें @।',
    'πηγή:@;',
    '«@»',
    '“@”',
  ])('in %j', (text) => {
    const { slack, discord } = shownEachWay(text.replaceAll('@', PAGE), sources);
    expect(slack.split(onSlack)).toHaveLength(text.split('@').length);
    expect(discord.split(onDiscord)).toHaveLength(text.split('@').length);
    expect(slack + discord).not.toMatch(/\u200b/);
    // What stands around it is drawn as what it is.
    const around = (shown: string, link: string): string =>
      shown.replaceAll(link, '@').replace(/[\\\s]/g, '');
    if (!/[|[]/.test(text)) expect(around(discord, onDiscord)).toBe(text.replace(/[\\\s]/g, ''));
  });

  test('with letters in its path, and without a scheme', () => {
    const link = '[`zh.wikipedia.org/wiki/脚注`](https://zh.wikipedia.org/wiki/%E8%84%9A%E6%B3%A8)';
    expect(shownEachWay('见https://zh.wikipedia.org/wiki/脚注。', sources).slack).toBe(`见${link}。`);
    expect(shownEachWay('Booking.com was founded in 1996.', sources).discord).toBe(
      '[`Booking.com`](<https://www.booking.com/>) was founded in 1996.',
    );
  });
});

describe('a foreign address', () => {
  test.each([
    [
      '[bank.com](http://evil.example/path)',
      '`bank.com` (`evil.example/path`)',
      'bank.com (`evil.example/path`)',
    ],
    ['see http://evil.example/a_b, ok', 'see `evil.example/a_b`, ok'],
    ['<https://evil.example>', '`evil.example`'],
    ['![alt](https://evil.example/i.png)', 'alt (`evil.example/i.png`)'],
    ['![](https://evil.example/i.png)', '`evil.example/i.png`'],
    ['[x](javascript:alert(1))', 'x (`javascript:alert(1)`)'],
    ['go to discord.gg/abc now', 'go to `discord.gg/abc` now'],
    ['so http://*evil*.example', 'so `http://`*evil*.example'],
    ['mail a@evil.example', 'mail `a@evil.example`', 'mail a@evil.example'],
    ['so evil\\.example is', 'so `evil.example` is', 'so evil.example is'],
    ['so http&#58;//evil.example', 'so `evil.example`'],
    ['so e\u200bvil.ex\u00adample', 'so `evil.example`', 'so evil.example'],
    ['so (www.evil.example).', 'so (`www.evil.example`).', 'so (www.evil.example).'],
    ['so https://bank.com@evil.example/', 'so `bank.com@evil.example/`'],
    ['Node.jsjavascript:alert(1)', 'Node.js`javascript:alert(1)`'],
    ['so evil.example__alpha', 'so `evil.example`\\_\\_alpha', 'so evil.example\\_\\_alpha'],
    ['so evil.com-alpha', 'so `evil.com`-alpha', 'so evil.com-alpha'],
    ['https://evil.example/x', '`evil.example/x`'],
    ['> https://evil.example/x', '> `evil.example/x`'],
    ['- evil.example', '- `evil.example`', '- evil.example'],
    ['参见https://evil.example/page。', '参见`evil.example/page`。'],
    ['см.https://evil.example/page', 'см.`evil.example/page`'],
    ['见 https://例え.jp/パス です', '见 `例え.jp/パス` です'],
    [
      'пример.рф и xn--e1afmkfd.xn--p1ai',
      '`пример.рф` и `xn--e1afmkfd.xn--p1ai`',
      'пример.рф и xn--e1afmkfd.xn--p1ai',
    ],
    ['the intranet.local host', 'the `intranet.local` host', 'the intranet.local host'],
    ['see discord.com/invite/abc', 'see `discord.com/invite/abc`'],
    ['so site.co.uk:8080/x?y', 'so `site.co.uk:8080/x?y`', 'so site.co.uk:8080/x?y'],
  ])('%s is shown and leads nowhere', (text, expected, onDiscord = expected) => {
    expect(shownEachWay(text)).toEqual({ slack: expected, discord: onDiscord });
  });

  test('of a thousand letters is in one piece', () => {
    const long = `https://site1.example/${'a-b.c/'.repeat(160)}`;
    const known = [source(1, PAGE)];
    for (const { name, text } of [slackMarkdown, discordMarkdown].map((dialect) => ({
      name: dialect.name,
      text: drawn(dialect, `see ${long} now`, known).join(''),
    }))) {
      expect(text, name).toMatch(/^see `site1\.example\/[^`]*…` now$/);
    }
  });
});

describe('words with a dot are words', () => {
  test.each([
    'It works.However, it is slow.This matters.',
    'Use Node.js today, or Vue.js',
    'say, e.g. version 1.2.3',
    'a file main.css or a.json',
    'J.K.Rowling and St.Louis',
    'an obj.method, a list.append or a foo.baz()',
    'the U.S. and the U.K.',
    'at 3.14 or 10.000,50',
    'Inc.The end.Then or later.Besides',
    'Это конец.Начало нового',
    'Ende.Über allem',
    'String.prototype.trim is a function',
    'v1.beta and x.y',
    'a.m. and p.m.',
  ])('%s', (text) => {
    expect(shownEachWay(text)).toEqual({ slack: text, discord: text });
  });

  test('but what Slack would link is code there: the endings of some files and names are domains', () => {
    expect(shownEachWay('setup.py, main.rs, foo.bar(), ASP.NET')).toEqual({
      slack: '`setup.py`, `main.rs`, `foo.bar()`, `ASP.NET`',
      discord: 'setup.py, main.rs, foo.bar(), ASP.NET',
    });
  });
});
