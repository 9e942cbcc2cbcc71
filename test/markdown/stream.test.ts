import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Dialect } from '../../src/markdown/dialects.ts';
import { createRendering } from '../../src/markdown/rendering.ts';
import { dialects, drawn, markdownArb, sources, sourcesArb, tries } from './property.ts';
import { brokenLinks, brokenRows, citations, clickable, fencesClosed, openMarks } from './reader.ts';

const SMALL = { softLimit: 220, hardLimit: 300 };

/** What nobody may ever see of the text under way. */
function halves(dialect: Dialect, shown: string): readonly string[] {
  return [
    ...brokenLinks(dialect.name, shown),
    ...(dialect.name === 'slack' ? brokenRows(shown) : openMarks(shown)),
    ...(fencesClosed(shown) ? [] : ['```']),
  ];
}

describe.each(dialects)('a document cut at every position on $name', (dialect) => {
  test('never shows a half, and takes nothing back', () => {
    fc.assert(
      fc.property(markdownArb, (text) => {
        const rendering = createRendering(dialect, SMALL);
        let before: readonly string[] = [];
        for (let end = 1; end <= text.length + 1; end += 1) {
          rendering.update(text.slice(0, end), sources, end > text.length);
          const now = rendering.parts;
          const last = before.length - 1;
          for (const [index, part] of before.entries()) {
            if (index < last ? now[index] !== part : !now[index]?.startsWith(part))
              expect(now).toEqual(before);
          }
          const isMore = now.length !== before.length || now[last] !== before[last];
          if (isMore) expect(halves(dialect, (now.at(-1) ?? '') + rendering.closer)).toEqual([]);
          before = now;
        }
        expect(before).toEqual(drawn(dialect, text, sources, SMALL));
      }),
      tries(40, 0.2),
    );
  });
});

describe.each(dialects)('any text with any sources on $name', (dialect) => {
  test('links to these sources alone, each under its number', () => {
    fc.assert(
      fc.property(markdownArb, sourcesArb, fc.boolean(), (text, known, isLate) => {
        const rendering = createRendering(dialect, SMALL);
        rendering.update(text, isLate ? [] : known, true);
        const parts = [...(isLate ? [] : rendering.parts), ...rendering.relink(known)];
        const targets = known.map(({ url }) => comparable(url));
        for (const address of parts.flatMap((part) => clickable(dialect.name, part)))
          expect(targets).toContain(comparable(address));
        for (const { number, address } of parts.flatMap((part) => citations(dialect.name, part))) {
          const meant = known.filter((each) => each.number === number).map(({ url }) => comparable(url));
          expect(meant).toContain(comparable(address));
          expect(isCited(text, number) || /\]\([^)]*\/\//.test(text)).toBe(true);
        }
        for (const number of rendering.cited) expect(known.some((each) => each.number === number)).toBe(true);
      }),
      tries(300),
    );
  });
});

/** Whether the text has a marker for this number, counted from nought or from one. */
function isCited(text: string, number: number): boolean {
  return new RegExp(`[[【［^,; ]${number}[\\]】］†,;]|web:(?:${number}|${number - 1})\\D`).test(text);
}

/** Addresses are compared as a browser reads them. */
function comparable(url: string): string {
  const href = URL.canParse(url) ? new URL(url).href : url;
  return decodeURIComponent(href).replace(/\/$/, '');
}
