import { expect, test } from 'vitest';
import { asArray, asNumber, asRecord, asText } from '../../src/core/untrusted.ts';

const VALUES = [null, undefined, true, 0, -1.5, Number.NaN, Number.POSITIVE_INFINITY, '', 'a', [], ['a'], {}];

/** Which of the values a reader lets through. */
function passed(read: (value: unknown) => unknown): readonly unknown[] {
  return VALUES.filter((value) => Object.is(read(value), value) && value !== null);
}

test('each reader lets through what it is named after, and nothing else', () => {
  expect(passed(asRecord)).toEqual([{}]);
  expect(passed(asArray)).toEqual([[], ['a']]);
  expect(passed(asText)).toEqual(['a']);
  expect(passed(asNumber)).toEqual([0, -1.5]);
});

test('anything else is null, or an empty list', () => {
  const readers: readonly ((value: unknown) => unknown)[] = [asRecord, asText, asNumber];
  for (const read of readers) {
    const rest = VALUES.filter((value) => !Object.is(read(value), value));
    expect(new Set(rest.map((value) => read(value)))).toEqual(new Set([null]));
  }
  expect(asArray({ length: 1 })).toEqual([]);
});
