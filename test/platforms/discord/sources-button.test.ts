import { expect, test } from 'vitest';
import { finalView } from '../../../src/core/answering/view.ts';
import { createAnswerRenderer } from '../../../src/platforms/discord/render.ts';

test.each([
  ['one page', 1, '[1]', false],
  ['as many pages as there are lines', 5, '[5][4][3][2][1]', false],
  ['pages that the text does not cite', 5, '[1]', true],
  ['more pages than lines', 6, 'none cited', true],
])('the button for all sources is below an answer with %s: %#', (_, count, text, isThere) => {
  const sources = Array.from({ length: count }, (_page, index) => ({
    number: index + 1,
    url: `https://site${index}.example/`,
    title: `Page ${index}`,
    date: null,
    snippet: null,
  }));
  const buttons = [
    { action: 'sources', label: `All ${count} sources`, question: 'q' },
    { action: 'research', label: 'Dig deeper', question: 'q' },
  ] as const;
  const parts = createAnswerRenderer().render(finalView({ text, sources, buttons }));
  expect(parts.at(-1)?.buttons.map(({ action }) => action)).toEqual(
    isThere ? ['sources', 'research'] : ['research'],
  );
});
