import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRendering } from '../../src/markdown/rendering.ts';
import { cutsArb, dialects, drawn, markdownArb, prefixes, sources, tries } from './property.ts';
import { clickable, fencesClosed, liveTokens, openMarks } from './reader.ts';

const SMALL = { softLimit: 220, hardLimit: 300 };

const targets = new Set(sources.map(({ url }) => comparable(url)));

function comparable(url: string): string {
  return decodeURIComponent(url).replace(/\/$/, '');
}

describe.each(dialects)('any Markdown on $name', (dialect) => {
  test('never leaves a part beyond the limit, a code block open or half a character', () => {
    fc.assert(
      fc.property(markdownArb, (text) => {
        for (const part of drawn(dialect, text, sources, SMALL)) {
          expect(dialect.measure(part)).toBeLessThanOrEqual(SMALL.hardLimit);
          expect(fencesClosed(part)).toBe(true);
          expect(part.isWellFormed()).toBe(true);
        }
      }),
      tries(400),
    );
  });

  test('lets nobody click anything but a source, and pings nobody', () => {
    fc.assert(
      fc.property(markdownArb, (text) => {
        for (const part of drawn(dialect, text, sources, SMALL)) {
          for (const address of clickable(dialect.name, part)) expect(targets).toContain(comparable(address));
          expect(liveTokens(dialect.name, part)).toEqual([]);
        }
      }),
      tries(600),
    );
  });

  test('can be read out: a part has the words and no marks, and nothing in it is live', () => {
    const rendering = createRendering(dialect);
    const text =
      '## Hi **you**\n\n> so [docs](https://a.example/x) [1]\n> said\n\n- one\n\n```js\ncode()\n```\n';
    rendering.update(text, sources, true);
    rendering.relink(sources);
    expect(rendering.plain(0)).toBe('Hi you\n\nso docs (a.\u200bexample/x) [1]\nsaid\n\n- one\n\ncode()');
    expect(rendering.plain(1)).toBe('');
    fc.assert(
      fc.property(markdownArb, (hostile) => {
        const any = createRendering(dialect, SMALL);
        any.update(hostile, sources, true);
        for (const index of any.parts.keys()) expect(any.plain(index)).not.toMatch(/<|https?:\/\/|@everyone/);
      }),
      tries(200),
    );
  });

  test('is the same text however the stream was cut, and only ever grows', () => {
    fc.assert(
      fc.property(markdownArb, cutsArb, (text, cuts) => {
        const rendering = createRendering(dialect, SMALL);
        let before: readonly string[] = [];
        for (const prefix of prefixes(text, cuts)) {
          rendering.update(prefix, sources, false);
          const now = rendering.parts;
          for (const [index, part] of before.entries()) {
            const isLast = index === before.length - 1;
            expect(isLast ? now[index]?.startsWith(part) : now[index] === part).toBe(true);
          }
          before = now;
          expect(fencesClosed((now.at(-1) ?? '') + rendering.closer)).toBe(true);
        }
        rendering.update(text, sources, true);
        expect(rendering.parts).toEqual(drawn(dialect, text, sources, SMALL));
      }),
      tries(300),
    );
  });

  test('can be drawn again when its sources come late, within the same limits', () => {
    fc.assert(
      fc.property(markdownArb, (text) => {
        const rendering = createRendering(dialect, SMALL);
        rendering.update(text, [], true);
        for (const part of rendering.parts) expect(clickable(dialect.name, part)).toEqual([]);
        const count = rendering.parts.length;
        const linked = rendering.relink(sources);
        expect(linked).toHaveLength(count);
        for (const part of linked) {
          expect(dialect.measure(part)).toBeLessThanOrEqual(SMALL.hardLimit);
          for (const address of clickable(dialect.name, part)) expect(targets).toContain(comparable(address));
        }
      }),
      tries(300),
    );
  });
});

test('a reader on Discord never sees a mark that is still open', () => {
  const dialect = dialects[1]!;
  fc.assert(
    fc.property(markdownArb, cutsArb, (text, cuts) => {
      const rendering = createRendering(dialect);
      for (const prefix of prefixes(text, cuts)) {
        rendering.update(prefix, sources, false);
        for (const part of rendering.parts.slice(0, -1)) expect(openMarks(part)).toEqual([]);
        expect(openMarks((rendering.parts.at(-1) ?? '') + rendering.closer)).toEqual([]);
      }
    }),
    tries(300),
  );
});

test.each([
  ['a heading that Discord does not know', `##### ${'A long title. '.repeat(30)}`],
  ['a rule', '-'.repeat(400)],
  ['a fence with a long name', `\`\`\`${'name '.repeat(80)}\ncode\n\`\`\``],
])('%s, longer than is waited for, is the same however it was cut', (_what, line) => {
  for (const dialect of dialects) {
    const text = `Before.\n\n${line}\n\nAfter.`;
    for (const step of [1, 7, 350]) {
      const rendering = createRendering(dialect);
      for (let end = step; end < text.length; end += step) rendering.update(text.slice(0, end), [], false);
      rendering.update(text, [], true);
      expect(rendering.parts).toEqual(drawn(dialect, text));
    }
  }
});
