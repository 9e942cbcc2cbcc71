import { expect } from 'vitest';
import type { Source } from '../../src/core/types.ts';
import type { Dialect } from '../../src/markdown/dialects.ts';
import { createRendering, type RenderingOptions } from '../../src/markdown/rendering.ts';
import { dialects, drawn, prefixes } from './property.ts';

/** The parts of a whole text, which must be the same drawn at once, by token and by character, and only ever grow. */
export function drawnEachWay(
  dialect: Dialect,
  text: string,
  known: readonly Source[] = [],
  options: RenderingOptions = {},
): readonly string[] {
  const whole = drawn(dialect, text, known, options);
  for (const cuts of [[1], [4], [3, 7, 1, 12, 2]]) {
    const rendering = createRendering(dialect, options);
    let before: readonly string[] = [];
    for (const prefix of prefixes(text, cuts)) {
      rendering.update(prefix, known, false);
      const now = rendering.parts;
      for (const [index, part] of before.entries()) {
        const isKept = index < before.length - 1 ? now[index] === part : now[index]?.startsWith(part);
        if (isKept !== true) throw new Error(`${JSON.stringify(part)} became ${JSON.stringify(now[index])}`);
      }
      before = now;
    }
    rendering.update(text, known, true);
    expect(rendering.parts).toEqual(whole);
  }
  return whole;
}

/** A text as it is shown on each platform. */
export function shownEachWay(
  text: string,
  known: readonly Source[] = [],
): { readonly slack: string; readonly discord: string } {
  const [slack = '', discord = ''] = dialects.map((dialect) =>
    drawnEachWay(dialect, text, known).join('\n=====\n'),
  );
  return { slack, discord };
}
