import { array, assert, constantFrom, oneof, property, record, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createChatInterpreter } from '../../src/perplexity/chat.ts';
import type { Interpreter } from '../../src/perplexity/interpreter.ts';
import { createReading } from '../../src/perplexity/reading.ts';

/** Reads a stream of events; `read` counts those that were read as a whole. */
function readAll(events: readonly unknown[]): { text: string; read: number; isFinished: boolean } {
  const chat = createChatInterpreter();
  let read = 0;
  const counting: Interpreter = {
    take(...args) {
      read += 1;
      chat.take(...args);
    },
  };
  const reading = createReading(counting);
  for (const event of events)
    reading.take(`data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`);
  const said = [...reading.emit(), ...reading.conclude()].flatMap((event) =>
    event.type === 'text' ? event.text : [],
  );
  expect(reading.failure()).toBeNull();
  return { text: said.join(''), read, isFinished: reading.isFinished() };
}

function chunk(content: string, rest: object = {}, finish: string | null = null): object {
  return {
    id: 'a',
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta: { content }, finish_reason: finish }],
    ...rest,
  };
}

describe('events that differ in their text only', () => {
  test('are read without what they have in common', () => {
    const words = Array.from({ length: 300 }, (_, i) => `word${i} "quoted"\n\\ `);
    const { text, read, isFinished } = readAll([...words.map((word) => chunk(word)), chunk('.', {}, 'stop')]);
    expect(text).toBe(`${words.join('')}.`);
    expect(isFinished).toBe(true);
    // The first and the last, and both with another text in its place, to be sure.
    expect(read).toBe(4);
  });

  test('are learned anew when something else changes, and no more when everything always does', () => {
    const often = Array.from({ length: 300 }, (_, i) => chunk('word ', { created: Math.floor(i / 50) }));
    expect(readAll(often)).toMatchObject({ text: 'word '.repeat(300), read: 12 });
    const always = Array.from({ length: 300 }, (_, i) => chunk('word ', { created: i }));
    expect(readAll(always)).toMatchObject({ text: 'word '.repeat(300), read: 308 });
  });

  test('are not confused with what only looks like the text', () => {
    // The text is written in another way than JSON.stringify does, and found in the wrong place.
    const raw = (content: string): string =>
      `{"object":"chat.completion.chunk","id":"ä","choices":[{"delta":{"content":"${content}"},"finish_reason":null}]}`;
    expect(readAll([raw('\\u00e4'), raw('b'), raw('c')]).text).toBe('äbc');
    // Between two strings stands what could be one.
    const words = ['Paris', ',', ' ', ':', ' the capital'];
    const dated = words.map((word, created) => chunk(word, { created }));
    expect(readAll([...dated, chunk(',', { x: 1 }), chunk('!', { x: 1 })]).text).toBe(`${words.join('')},!`);
    // Cumulative text stands beside the new one.
    const full = ['a', 'b', 'b'].map((content, i) =>
      chunk(content, { choices: [{ message: { content: 'abb'.slice(0, i + 1) }, delta: { content } }] }),
    );
    expect(readAll(full).text).toBe('abb');
  });

  test('whose text is no single string are read as a whole', () => {
    const [before = '', after = ''] = JSON.stringify(chunk('HERE')).split('"HERE"');
    const odd = [`${before}"a","content":"b"${after}`, `${before}null${after}`, `${before}["c"]${after}`];
    expect(readAll([chunk('x'), ...odd, chunk('y')]).text).toBe('xby');
  });

  test('give the same text as any others, in whatever order they come', () => {
    const content = oneof(
      string({ unit: 'binary', maxLength: 4 }),
      constantFrom('a', '"', '}', 'null', '\\', ',', ':', ' '),
    );
    const event = record({
      content,
      id: constantFrom('a', 'b', '"'),
      created: constantFrom(1, 2),
      role: constantFrom('assistant', ''),
    });
    assert(
      property(array(event, { maxLength: 30 }), (events) => {
        const chunks = events.map(({ content: text, role, ...rest }) => ({
          ...rest,
          object: 'chat.completion.chunk',
          choices: [{ index: 0, delta: { role, content: text }, finish_reason: null }],
        }));
        // An unpaired surrogate travels as such.
        expect(readAll(chunks).text).toBe(events.map(({ content: text }) => text).join(''));
      }),
    );
  });
});
