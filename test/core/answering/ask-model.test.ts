import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { askModel } from '../../../src/core/answering/ask-model.ts';
import { Failure } from '../../../src/core/failures.ts';
import type { AnswerEvent, View } from '../../../src/core/types.ts';
import { quietLog, scriptedModel } from '../fakes.ts';

const text = (words: string): AnswerEvent => ({ type: 'text', text: words });
const done: AnswerEvent = { type: 'done', reason: 'complete' };
const REQUEST = { system: null, messages: [{ role: 'user', text: 'q' }], options: {} } as const;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function start(...scripts: readonly (readonly (AnswerEvent | Failure)[])[]) {
  const model = scriptedModel(...scripts);
  const views: View[] = [];
  const signal = new AbortController().signal;
  const asked = askModel(model, REQUEST, {
    signal,
    log: quietLog,
    questionId: 'q',
    show: (view) => void views.push(view),
  });
  return { model, views, asked };
}

describe('ask', () => {
  test('reports growing text and ends complete', async () => {
    const { views, asked } = start([{ type: 'searching', queries: ['q'] }, text('One '), text('two.'), done]);
    const { answer, failure } = await asked;
    expect(failure).toBeNull();
    expect(answer.text).toBe('One two.');
    expect(views.map((view) => view.text)).toEqual(['', 'One ', 'One two.']);
  });

  test('a fault before the first word is tried again, and the wait is shown', async () => {
    const busy = new Failure('rate-limited', 'busy', { retryAfterMs: 8_000 });
    const { model, views, asked } = start([busy], [text('Hi'), done]);
    await vi.advanceTimersByTimeAsync(7_999);
    expect(model.requests).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect((await asked).answer.text).toBe('Hi');
    expect(views[0]?.status).toBe('is busy, retrying in 8 s…');
  });

  test('a fault after the first word keeps what there is and is not tried again', async () => {
    const { model, asked } = start([text('Half'), new Failure('unreachable', 'gone')]);
    const { answer, failure } = await asked;
    expect(model.requests).toHaveLength(1);
    expect(answer.text).toBe('Half');
    expect(failure?.kind).toBe('unreachable');
  });

  test('gives up after four tries', async () => {
    const { model, asked } = start([new Failure('unreachable', 'down')]);
    await vi.runAllTimersAsync();
    expect(await asked).toMatchObject({ tries: 4, failure: { kind: 'unreachable' } });
    expect(model.requests).toHaveLength(4);
  });

  test('a wait longer than a minute is explained instead of waited for', async () => {
    const { model, asked } = start([new Failure('rate-limited', 'busy', { retryAfterMs: 120_000 })]);
    expect((await asked).failure?.retryAfterMs).toBe(120_000);
    expect(model.requests).toHaveLength(1);
  });

  test.each(['rejected', 'not-authorised', 'too-slow'] as const)('%s is not tried again', async (kind) => {
    const { model, asked } = start([new Failure(kind, 'no')]);
    expect((await asked).failure?.kind).toBe(kind);
    expect(model.requests).toHaveLength(1);
  });

  test('what an operator has to put right first is not tried again', async () => {
    const { model, asked } = start([
      new Failure('unreachable', 'no', { remedy: 'the certificate has expired' }),
    ]);
    expect((await asked).failure?.remedy).toBe('the certificate has expired');
    expect(model.requests).toHaveLength(1);
  });

  test('a stream that just ends is cut off, however much text came', async () => {
    const { asked } = start([text('Looks complete.')]);
    expect((await asked).failure?.kind).toBe('cut-off');
  });

  test('white space is no text: it ends as an empty answer does, and a fault behind it is tried again', async () => {
    const blank = start([text(' \n'), text('\n'), done]);
    expect(await blank.asked).toMatchObject({ answer: { text: '' }, failure: { kind: 'malformed' } });
    const cut = start([text('\n\n'), new Failure('unreachable', 'gone')], [text('\n'), text('Hi'), done]);
    await vi.runAllTimersAsync();
    expect(await cut.asked).toMatchObject({ answer: { text: 'Hi' }, failure: null, tries: 2 });
  });

  test('an end without a word is a failure', async () => {
    const { asked } = start([done]);
    expect((await asked).failure?.kind).toBe('malformed');
  });
});
