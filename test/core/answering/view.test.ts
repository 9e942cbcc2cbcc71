import { expect, test } from 'vitest';
import { applyEvent, doneView, EMPTY_ANSWER, restateQuestion } from '../../../src/core/answering/view.ts';
import type { AnswerEvent } from '../../../src/core/types.ts';
import { question } from '../fakes.ts';

const EVENTS: readonly AnswerEvent[] = [
  { type: 'text', text: 'High.' },
  { type: 'related', questions: ['Why?', `How ${'so '.repeat(40)}?`, ' ', 'When?'] },
  { type: 'done', reason: 'complete' },
];

test('the first related questions are buttons, whose labels have room for their beginning', () => {
  const { buttons } = doneView(EVENTS.reduce(applyEvent, EMPTY_ANSWER), {}, 1, 0, 'q1');
  const related = buttons.filter(({ asks }) => asks !== undefined);
  expect(related.map(({ action }) => action)).toEqual(['related-1', 'related-2']);
  expect(related[1]?.label).toHaveLength(75);
  expect(related[1]?.label).toMatch(/^How so so.*…$/);
  expect(related[1]?.asks).toMatch(/so \?$/);
});

test('a question that nobody has written stands before its answer, on one line', () => {
  const view = doneView(EVENTS.reduce(applyEvent, EMPTY_ANSWER), {}, 1, 0, 'q1');
  const asked = question({ text: 'Why\n> so?', isRestated: true });
  expect(restateQuestion(view, asked).text).toBe('> Why > so?\n\nHigh.');
  expect(restateQuestion(view, question({ text: 'Why?' })).text).toBe('High.');
});
