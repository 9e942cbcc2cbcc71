import { describe, expect, test } from 'vitest';
import { discordMarkdown, slackMarkdown } from '../../src/markdown/dialects.ts';
import { createRendering } from '../../src/markdown/rendering.ts';
import { drawnEachWay, shownEachWay } from './each-way.ts';
import { drawn, source } from './property.ts';
import { citations } from './reader.ts';

const sources = [1, 2, 3, 4, 5, 6].map((number) => source(number, `https://s${number}.example/page`));

function shown(text: string, known = sources): { slack: string | undefined; discord: string | undefined } {
  return { slack: drawn(slackMarkdown, text, known)[0], discord: drawn(discordMarkdown, text, known)[0] };
}

describe('a citation', () => {
  test('leads to its source', () => {
    expect(shown('So it is [2].')).toEqual({
      slack: 'So it is [2](https://s2.example/page).',
      discord: 'So it is [[2]](<https://s2.example/page>).',
    });
  });

  test('stands beside its neighbours, four at most', () => {
    expect(shown('x[1][2]').discord).toBe(
      'x[[1]](<https://s1.example/page>)[[2]](<https://s2.example/page>)',
    );
    expect(shown('x[1][2][3][4][5][6]').discord).toMatch(/\[\[4\]\]\(<https:\/\/s4\.example\/page>\)\+2$/);
  });

  test('on Slack, where only the number is seen, is no part of another number', () => {
    const thin = '\u2009';
    const [one, two] = ['[1](https://s1.example/page)', '[2](https://s2.example/page)'];
    expect(shown('in 2024[1][2]').slack).toBe(`in 2024${thin}${one}${thin}${two}`);
    expect(shown('end.[1]5').slack).toBe(`end.${one}${thin}5`);
    expect(shown('x **[1]**[2] y').slack).toBe(`x **${one}**${thin}${two} y`);
    expect(shown('x [1][2][3][4][5][6]').slack).toMatch(/page\)\u2009\+2$/);
    expect(shown('a [1] b [9][2]').slack).toBe(`a ${one} b [9]${thin}${two}`);
  });

  test('without a source is plain text, and counted', () => {
    const rendering = createRendering(discordMarkdown);
    rendering.update('Known [1], unknown [9] and [9].', sources, true);
    expect(rendering.parts).toEqual(['Known [[1]](<https://s1.example/page>), unknown \\[9] and \\[9].']);
    expect(rendering.cited).toEqual([1]);
    expect(rendering.unresolved).toBe(2);
  });

  test.each([
    '[^3]',
    '【3】',
    '【3†source】',
    '【3†L10-L12】',
    '[3†source]',
    '［3］',
    '[03]',
    '[3](https://s3.example/page)',
    '[[3]](https://www.s3.example/page/)',
    '[7](http://s3.example/page#top)',
  ])('written %s is the same citation', (marker) => {
    expect(shown(`x ${marker}`).discord).toBe('x [[3]](<https://s3.example/page>)');
  });

  test('in a list is one of several, four at most', () => {
    const three = [1, 2, 3].map((number) => `[[${number}]](<https://s${number}.example/page>)`).join('');
    for (const list of ['[1, 2, 3]', '[1,2,3]', '[1; 2;3]', '【1, 2, 3】', '[^1, ^2, ^3]'])
      expect(shown(`x ${list} y`).discord).toBe(`x ${three} y`);
    expect(shown('x [1, 2, 3, 4, 5][6]').discord).toMatch(/\[\[4\]\]\(<[^)]*>\)\+2$/);
  });

  test('in a list whose numbers lead nowhere, or in no list of sources, stays as it was written', () => {
    expect(shown('x [7, 8] and [0, 1] and [5-7] and 【9†a】').slack).toBe(
      'x [7, 8] and [0, 1] and [5-7] and 【9†a】',
    );
    expect(shown('x [1, 9]').discord).toBe('x [[1]](<https://s1.example/page>)\\[9]');
    const rendering = createRendering(slackMarkdown);
    rendering.update('[7, 8] [1, 9] [0, 1] [1] 【9】', sources, true);
    expect(rendering.unresolved).toBe(4);
    expect(rendering.cited).toEqual([1]);
  });

  test.each([
    ['[1-3]', [1, 2, 3]],
    ['[1–3]', [1, 2, 3]],
    ['[1 - 3]', [1, 2, 3]],
    ['[2-4].', [2, 3, 4]],
    ['[1, 3-5]', [1, 3, 4, 5]],
    ['[1-2, 4-5]', [1, 2, 4, 5]],
    ['[1 and 2]', [1, 2]],
    ['[1, 2, and 3]', [1, 2, 3]],
    ['[1, 2 and 3]', [1, 2, 3]],
    ['[1 & 2]', [1, 2]],
    ['[citation:1]', [1]],
    ['[citation:1, citation:3]', [1, 3]],
    ['[source:2]', [2]],
    ['[^1-^3]', [1, 2, 3]],
    ['【1-3】', [1, 2, 3]],
    ['【1-2†source】', [1, 2]],
    ['［4-6］', [4, 5, 6]],
    ['**[1-3]**', [1, 2, 3]],
    ['| a |\n|---|\n| [1-3] |', [1, 2, 3]],
  ])('%s names each of its sources', (marker, numbers) => {
    for (const dialect of [slackMarkdown, discordMarkdown]) {
      const rendering = createRendering(dialect);
      rendering.update(marker, sources, true);
      expect(rendering.cited).toEqual(numbers);
      expect(rendering.unresolved).toBe(0);
      expect(citations(dialect.name, drawnEachWay(dialect, marker, sources).join(''))).toEqual(
        numbers.map((number) => ({ number, address: `https://s${number}.example/page` })),
      );
    }
  });

  test('of six shows four', () => {
    expect(shown('Studies [1-6] agree.').discord).toMatch(/\[\[4\]\]\(<[^)]*>\)\+2 agree\.$/);
  });

  test.each([
    '[2020-2024]',
    '[10-15 km]',
    '[5-9]',
    '[3-1]',
    '[0-3]',
    '[1-30]',
    '[1-]',
    '[-1]',
    '[and 2]',
    '[1 or 2]',
    '[A-1]',
  ])('is not seen in %s', (text) => {
    const { slack, discord } = shownEachWay(`x ${text} y`, sources);
    expect(slack).toBe(`x ${text} y`);
    expect(discord).toBe(`x \\${text} y`);
    const rendering = createRendering(slackMarkdown);
    rendering.update(text, sources, true);
    expect([rendering.cited, rendering.unresolved]).toEqual([[], 0]);
  });

  test.each([
    '[1, 2]',
    '【1†source】',
    '[^1]',
    '[web:0]',
    '［2］',
    '[web:0, web:1]',
    '[1-3]',
    '【1 and 2】',
    '[citation:1]',
  ])('%s cut anywhere is never seen in pieces', (marker) => {
    const text = `So it is ${marker} now.`;
    const rendering = createRendering(discordMarkdown);
    const seen = new Set<string>();
    for (let end = 1; end <= text.length; end += 1) {
      rendering.update(text.slice(0, end), sources, false);
      seen.add(rendering.parts[0] ?? '');
    }
    rendering.update(text, sources, true);
    expect(rendering.parts).toEqual(drawn(discordMarkdown, text, sources));
    for (const step of seen)
      expect(step).toMatch(/^(?:S|So)?(?: it)?(?: is)?(?: (?:\[\[\d\]\]\(<[^)]*>\))+)?(?: now\.)?$/);
  });

  test('that leads elsewhere is no citation', () => {
    expect(shown('x [3](https://evil.example/page)').discord).toBe('x 3 (`evil.example/page`)');
  });

  test('in code is code', () => {
    expect(shown('`a[1]`\n\n```\nb[2]\n```').discord).toBe('`a[1]`\n\n```\nb[2]\n```');
  });

  test('is found inside marks, headings, lists and tables', () => {
    const { slack } = shown('## T [1]\n- **b [2]**\n\n| a | b |\n|---|---|\n| c | [3] |');
    for (const number of [1, 2, 3]) expect(slack).toContain(`[${number}](https://s${number}.example/page)`);
  });
});

describe('citations counted from the beginning of the web results', () => {
  const whole = (text: string, known = sources): string => {
    const rendering = createRendering(slackMarkdown);
    rendering.update(text, known, true);
    return rendering.relink(known).join('');
  };
  const link = (number: number): string => `[${number}](https://s${number}.example/page)`;

  test('begin with 0', () => {
    expect(whole('a [web:0] b [web:2] c [web:5]')).toBe(`a ${link(1)} b ${link(3)} c ${link(6)}`);
    expect(whole('a [web:1] b [web:3]')).toBe(`a ${link(2)} b ${link(4)}`);
  });

  test('begin with 1 where only that leads everywhere', () => {
    expect(whole('a [web:1] b [web:6]')).toBe(`a ${link(1)} b ${link(6)}`);
  });

  test('lead nowhere beyond the sources, whatever the others say', () => {
    expect(whole('a [web:0] b [web:6]')).toBe(`a ${link(1)} b [web:6]`);
  });

  test('from 0 when a [web:0] came before the sources', () => {
    const rendering = createRendering(slackMarkdown);
    rendering.update('a [web:1] b [web:0] c', [], false);
    expect(rendering.relink(sources)[0]).toBe(`a ${link(2)} b ${link(1)}`);
  });

  test('are not linked in a stream before it is known from where they count, and never lead elsewhere later', () => {
    const rendering = createRendering(slackMarkdown);
    rendering.update('a [web:1] b ', sources, false);
    expect(rendering.parts).toEqual(['a [web:1] b']);
    rendering.update('a [web:1] b [web:0] c [web:1] d', sources, false);
    expect(rendering.parts).toEqual([`a [web:1] b ${link(1)} c ${link(2)}`]);
    rendering.update('a [web:1] b [web:0] c [web:1] d', sources, true);
    expect(rendering.relink(sources)).toEqual([`a ${link(2)} b ${link(1)} c ${link(2)} d`]);
    expect(rendering.cited).toEqual([2, 1]);
    expect(rendering.unresolved).toBe(0);
  });
});

test('sources are listed in the order of their first use', () => {
  const rendering = createRendering(slackMarkdown);
  rendering.update('[3] then [1][3], then [text](https://s5.example/page).', sources, true);
  expect(rendering.cited).toEqual([3, 1, 5]);
});

describe('sources that come late', () => {
  test('make links of what is there, and of what follows', () => {
    const rendering = createRendering(discordMarkdown);
    rendering.update('One [1] and ', [], false);
    expect(rendering.parts).toEqual(['One \\[1] and']);
    expect(rendering.relink(sources)).toEqual(['One [[1]](<https://s1.example/page>) and']);
    rendering.update('One [1] and two [2].', sources, true);
    expect(rendering.parts).toEqual([
      'One [[1]](<https://s1.example/page>) and two [[2]](<https://s2.example/page>).',
    ]);
    expect(rendering.unresolved).toBe(0);
  });

  test('leave text that is out as it is until it is drawn again', () => {
    const rendering = createRendering(slackMarkdown);
    rendering.update('One [1] and ', [], false);
    rendering.update('One [1] and two [2].', sources, true);
    expect(rendering.parts).toEqual(['One [1] and two [2](https://s2.example/page).']);
  });

  test('find room for what stands between them, too', () => {
    const text = 'End! **[1]**[2]x and so on [3][4][5]x in 2024[1]5';
    for (let hardLimit = 60; hardLimit < 260; hardLimit += 1) {
      const rendering = createRendering(slackMarkdown, { softLimit: 60, hardLimit });
      rendering.update(text, [], true);
      for (const part of rendering.relink(sources)) expect(part.length).toBeLessThanOrEqual(hardLimit);
    }
  });

  test('never make a message too long: what has no room stays plain', () => {
    const long = [source(1, `https://long.example/${'x'.repeat(500)}`)];
    const rendering = createRendering(discordMarkdown);
    rendering.update('A claim [1]. '.repeat(400), [], true);
    const linked = rendering.relink(long);
    expect(linked.join('')).toContain('[[1]](<https://long');
    expect(linked.join('')).toContain('\\[1]');
    for (const part of linked) expect(discordMarkdown.measure(part)).toBeLessThanOrEqual(2_000);
  });
});

describe('late sources, where there is no room for every link', () => {
  /** Three pages, the first of them again and again; every sentence is 24 characters with its marker. */
  const text = Array.from(
    { length: 40 },
    (_, i) => `Twenty letters here [${[2, 3][(i % 15) - 10] ?? 1}].`,
  ).join(' ');
  const limits = { softLimit: 500, hardLimit: 620 };

  function relinked(below?: () => number): readonly string[] {
    const rendering = createRendering(discordMarkdown, limits);
    rendering.update(text, [], true);
    return rendering.relink(sources, below);
  }

  test('each is linked once in a message before any is twice', () => {
    const [part = ''] = relinked();
    for (const number of [1, 2, 3])
      expect(part).toContain(`[[${number}]](<https://s${number}.example/page>)`);
    expect(part.match(/\]\(</g)?.length).toBeGreaterThan(3);
    expect(part).toContain('\\[1]');
    expect(part.length).toBeLessThanOrEqual(limits.hardLimit);
  });

  test('messages are filled with words all the same', () => {
    const parts = relinked();
    const plain = parts.slice(0, -1).map((part) => part.replace(/\[(\[\d\])\]\(<[^>]+>\)/g, '\\\\$1').length);
    expect(plain.length).toBeGreaterThan(1);
    for (const length of plain) expect(length).toBeGreaterThan(0.85 * limits.softLimit);
  });

  test('what stands under the last one has its room before its links do', () => {
    const last = relinked(() => 300).at(-1) ?? '';
    expect(last.length).toBeLessThanOrEqual(limits.hardLimit - 300);
    expect((relinked().at(-1) ?? '').length).toBeGreaterThan(last.length);
  });
});
