import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRendering } from '../../src/markdown/rendering.ts';
import { dialects, source } from './property.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/rendering.md'), 'utf8');

/** The headings of the steps: what arrives. */
const PIECES = [...PAGE.matchAll(/^### \d\. `(.*)`/gm)].map(([, piece = '']) =>
  piece.replaceAll('\\n', '\n'),
);

test.each(dialects)('docs/rendering.md shows what is drawn on $name', (dialect) => {
  expect(PIECES).toHaveLength(5);
  const sources = [source(1, 'https://energy.example/report')];
  const rendering = createRendering(dialect);
  let text = '';
  let before = '';
  for (const [index, piece] of PIECES.entries()) {
    text += piece;
    rendering.update(text, sources, index === PIECES.length - 1);
    const shown = rendering.parts.join('\n=====\n');
    const gained = shown.slice(before.length);
    expect(shown.startsWith(before)).toBe(true);
    if (gained !== '') expect(PAGE).toContain(`~~~text\n${gained}\n~~~`);
    before = shown;
  }
});
