import fc from 'fast-check';
import type { Source } from '../../src/core/types.ts';
import { type Dialect, discordMarkdown, slackMarkdown } from '../../src/markdown/dialects.ts';
import { createRendering, type RenderingOptions } from '../../src/markdown/rendering.ts';

/**
 * How often a property is tried: few by default, `PROPERTY_RUNS=50000` for a long look; `share` is the part of those for a
 * property that looks at every document many times. `PROPERTY_SEED` repeats a run.
 */
export function tries(usual: number, share = 1): { numRuns: number; seed: number } {
  const asked = process.env.PROPERTY_RUNS;
  return {
    numRuns: asked === undefined ? usual : Math.ceil(Number(asked) * share),
    seed: Number(process.env.PROPERTY_SEED ?? 20_261_103),
  };
}

export const dialects: readonly Dialect[] = [slackMarkdown, discordMarkdown];

export const sources: readonly Source[] = [
  source(1, 'https://en.wikipedia.org/wiki/Footnote_(typography)?a=1&b=2'),
  source(2, 'https://news.site.org/2026/11/03/a-long-title-that-goes-on_and_on'),
  source(3, 'http://shop.example.net/'),
  source(4, `https://deep.site.io/${'path/'.repeat(20)}`),
  source(5, 'javascript:alert(1)'),
  source(12, 'https://twelve.org/x'),
];

export function source(number: number, url: string): Source {
  return { number, url, title: `Title ${number}`, date: null, snippet: null };
}

const WORDS = [
  'alpha',
  'beta',
  'Köln',
  'snake_case',
  '東京都',
  'مرحبا',
  'naïve',
  'x',
  'e.g.',
  'Node.js',
  '3.14',
  'done.',
  'why?',
];
const EMOJI = ['👩‍👩‍👧‍👦', '🇩🇪', '👍🏽', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '❤️', '1️⃣'];
const MARKS = [
  '**',
  '*',
  '_',
  '__',
  '~~',
  '`',
  '``',
  '***',
  '[',
  ']',
  '(',
  ')',
  '](',
  '<',
  '>',
  '!',
  '\\',
  '|',
  '#',
  '- ',
  '&lt;',
  '+',
  '$',
  '$$',
  '\\(',
  '\\)',
  '\\[',
  '\\]',
];
const CITES = [
  '[1]',
  '[2][3]',
  '[1][2][3][4][12]',
  '[web:3]',
  '[99]',
  '[0]',
  '[3](http://shop.example.net)',
  '[[2]](https://evil.example/)',
  '[1, 2]',
  '[1,2;99]',
  '[0, 1]',
  '[^1]',
  '[^7]: note',
  '【2】',
  '【1†source】',
  '［3］',
  '【',
  '[web:0]',
  '[web:1][web:11]',
  '[web:1, web:2]',
  '[a title](https://news.site.org/2026/11/03/a-long-title-that-goes-on_and_on)',
];
const HOSTILE = [
  '@everyone',
  '@here',
  '<@123456>',
  '<@&99>',
  '<#77>',
  '<!channel>',
  '<!subteam^S1>',
  '<t:1:R>',
  '</ask:5>',
  '<id:home>',
  '<:smile:123456>',
  '<https://evil.example|bank>',
  '[bank.com](http://evil.example/path)',
  'https://evil.example/a_b*c',
  'http://user:pw@evil.example',
  'evil.example',
  'www.evil.example',
  'discord.gg/abc',
  '<http://evil.example>',
  '![i](http://evil.example/i.png)',
  'http://*evil*.example',
  'evil\\.example',
  'http&#58;//evil.example',
  'e\u200bvil.example',
  'http:\u202e//evil.example',
  '<b onclick="x">hi</b>',
  '[a][b]',
  '[b]: http://evil.example',
  'javascript:alert(1)',
  'a@evil.example',
  '[1](javascript:alert(1))',
  '[x](//evil.example)',
  'https://en.wikipedia.org/wiki/Footnote_(typography)?a=1&b=2',
  '[ok](https://news.site.org/2026/11/03/a-long-title-that-goes-on_and_on)',
  '[[`](http://evil.example)`]',
  '`a`http://evil.example`b`',
  '](http://evil.example)',
  '[x\\](http://evil.example)',
  'hxxp://evil.example',
  '$http://evil.example_x$',
  '\\(`http://evil.example = x\\)',
  'steam://run/1',
];
const STARTS = [
  '',
  '',
  '',
  '# ',
  '## ',
  '##### ',
  '- ',
  '  - ',
  '    - ',
  '1. ',
  '2) ',
  '- [ ] ',
  '- [x] ',
  '> ',
  '>> ',
  '> - ',
  '    ',
  '- ```js\n',
  '| ',
];
const LINES = [
  '---',
  '***',
  '===',
  '```',
  '```ts',
  '~~~',
  '````md',
  '$$',
  '\\[',
  '\\]',
  '> ```',
  '| a | b |\n|---|---|\n| 1 | [1] |',
  '| a | b |\n|:--|--:|\n| x | y\\|z |\n| **q** | `r` |',
  '',
  '',
  '',
];

const inlineArb = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...WORDS) },
      { weight: 1, arbitrary: fc.constantFrom(...EMOJI) },
      { weight: 3, arbitrary: fc.constantFrom(...MARKS) },
      { weight: 2, arbitrary: fc.constantFrom(...CITES) },
      { weight: 2, arbitrary: fc.constantFrom(...HOSTILE) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          '**bold text**',
          '*it*',
          '`code x`',
          '~~gone~~',
          '**a *b* c**',
          '[l](http://shop.example.net)',
        ),
      },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 5 }) },
    ),
    { maxLength: 14 },
  )
  .chain((words) =>
    fc
      .array(fc.constantFrom(' ', ' ', ' ', '', '  '), { minLength: words.length, maxLength: words.length })
      .map((gaps) => words.map((word, i) => word + gaps[i]).join('')),
  );

const lineArb = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(fc.constantFrom(...STARTS), inlineArb).map(([start, text]) => start + text),
  },
  { weight: 1, arbitrary: fc.constantFrom(...LINES) },
);

/** Markdown such as a hostile or confused model writes it. */
export const markdownArb: fc.Arbitrary<string> = fc
  .array(lineArb, { maxLength: 14 })
  .map((lines) => lines.join('\n'));

/** Lists of sources such as no API should give: gaps, twins, strangers. */
export const sourcesArb: fc.Arbitrary<readonly Source[]> = fc.array(
  fc
    .tuple(
      fc.integer({ min: 0, max: 13 }),
      fc.constantFrom(
        ...sources.map(({ url }) => url),
        'https://www.shop.example.net',
        'https://evil.example/?a=[1](http://x.example)',
        'http://user:pw@evil.example/',
        'data:text/html,hi',
        'https://a.example/ö ä)>]|`*',
        'https://[::1]/',
        '',
      ),
    )
    .map(([number, url]) => source(number, url)),
  { maxLength: 8 },
);

/** How a text was cut on its way: the lengths of its pieces. */
export const cutsArb: fc.Arbitrary<readonly number[]> = fc.array(fc.integer({ min: 1, max: 12 }), {
  minLength: 1,
  maxLength: 20,
});

/** Every text that a stream of pieces leads to, in order. */
export function prefixes(text: string, cuts: readonly number[]): readonly string[] {
  const result: string[] = [];
  for (let at = 0, i = 0; at < text.length; i += 1) {
    at += cuts[i % cuts.length] ?? 1;
    result.push(text.slice(0, at));
  }
  return result;
}

/** The parts of a whole text. */
export function drawn(
  dialect: Dialect,
  text: string,
  known: readonly Source[] = [],
  options: RenderingOptions = {},
): readonly string[] {
  const rendering = createRendering(dialect, options);
  rendering.update(text, known, true);
  return rendering.parts;
}
