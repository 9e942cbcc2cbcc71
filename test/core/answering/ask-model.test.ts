import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { askModel } from '../../../src/core/answering/ask-model.ts';
import { Failure } from '../../../src/core/failures.ts';
import type { ModelRateLimiter } from '../../../src/core/model-rate-limiter.ts';
import type { AnswerEvent, View } from '../../../src/core/types.ts';
import { quietLog, scriptedModel } from '../fakes.ts';
import { memoryRateLimiter } from '../model-rate-limiter.ts';

const text = (words: string): AnswerEvent => ({ type: 'text', text: words });
const done: AnswerEvent = { type: 'done', reason: 'complete' };
const REQUEST = { system: null, messages: [{ role: 'user', text: 'q' }], options: {} } as const;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type Script = readonly (AnswerEvent | Failure)[];

function start(...scripts: readonly Script[]) {
  return startWithin(memoryRateLimiter(), ...scripts);
}

let serial = 0;

/** Asks a model whose requests the limiter lets go. */
function startWithin(limiter: ModelRateLimiter, ...scripts: readonly Script[]) {
  return startFor(`q${++serial}`, limiter, ...scripts);
}

function startFor(questionId: string, limiter: ModelRateLimiter, ...scripts: readonly Script[]) {
  const model = scriptedModel(...scripts);
  const views: View[] = [];
  const { signal, abort } = withAbort();
  const show = (view: View): void => void views.push(view);
  const asked = askModel(model, REQUEST, { signal, log: quietLog, limiter, questionId, show });
  return { model, views, asked, abort, statuses: () => views.map(({ status }) => status) };
}

function withAbort() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: (): void => controller.abort() };
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

  test('a wait longer than ten minutes is explained instead of waited for', async () => {
    const { model, asked } = start([new Failure('rate-limited', 'busy', { retryAfterMs: 601_000 })]);
    expect((await asked).failure?.retryAfterMs).toBe(601_000);
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

describe('ask within a rate limit', () => {
  const answered = [text('Hi'), done];
  const WAITING = "is waiting for Perplexity's rate limit · ";

  test('questions wait in the order they came, and read their place while it changes', async () => {
    const limiter = memoryRateLimiter({ chat: 6_000 });
    const started: ReturnType<typeof start>[] = [];
    for (let n = 0; n < 5; n++) {
      started.push(startWithin(limiter, answered));
      await vi.advanceTimersByTimeAsync(0);
    }
    const sent = (): number[] => started.map(({ model }) => model.requests.length);
    expect(sent()).toEqual([1, 0, 0, 0, 0]);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(sent()).toEqual([1, 1, 0, 0, 0]);
    await vi.advanceTimersByTimeAsync(18_000);
    expect(sent()).toEqual([1, 1, 1, 1, 1]);
    const places = ['4th', '4th', '3rd', '3rd', '2nd', '2nd', 'next', 'next'];
    expect(started[4]!.statuses()).toEqual([
      ...places.map((place) => `${WAITING}${place} in line…`),
      'is writing…',
    ]);
    expect(started[0]!.statuses()).toEqual(['is writing…']);
    for (const { asked } of started) expect(await asked).toMatchObject({ failure: null, tries: 1 });
  });

  test('a question that is stopped gives its place to the next', async () => {
    const limiter = memoryRateLimiter({ chat: 6_000 });
    const [first, second, third] = [1, 2, 3].map(() => startWithin(limiter, answered));
    await vi.advanceTimersByTimeAsync(1_000);
    second!.abort();
    expect((await second!.asked).failure?.kind).toBe('stopped');
    expect(second!.model.requests).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(5_000);
    expect([first, third].map((one) => one?.model.requests.length)).toEqual([1, 1]);
  });

  test('a question that is asked again after a crash has the place it had', async () => {
    const limiter = memoryRateLimiter({ chat: 6_000 });
    startWithin(limiter, answered);
    startFor('cut off', limiter, answered);
    await vi.advanceTimersByTimeAsync(1_000);
    const other = startWithin(limiter, answered);
    const again = startFor('cut off', limiter, answered);
    await vi.advanceTimersByTimeAsync(5_000);
    expect([again, other].map(({ model }) => model.requests.length)).toEqual([1, 0]);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(other.model.requests).toHaveLength(1);
  });

  test('a refused request has all others wait as long as it was told, and is no attempt', async () => {
    const limiter = memoryRateLimiter({ chat: 2_000 });
    const busy = new Failure('rate-limited', 'busy', { retryAfterMs: 120_000 });
    const refused = startWithin(limiter, [busy], answered);
    await vi.advanceTimersByTimeAsync(0);
    const other = startWithin(limiter, answered);
    await vi.advanceTimersByTimeAsync(119_000);
    expect([refused, other].map(({ model }) => model.requests.length)).toEqual([1, 0]);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(await refused.asked).toMatchObject({ failure: null, tries: 2 });
    expect(await other.asked).toMatchObject({ failure: null, tries: 1 });
  });

  test('a refusal for more than ten minutes is explained at once, and nobody else asks meanwhile', async () => {
    const limiter = memoryRateLimiter({ chat: 1_000 });
    const busy = new Failure('rate-limited', 'busy', { retryAfterMs: 15 * 60_000 });
    expect((await startWithin(limiter, [busy]).asked).failure).toBe(busy);
    const other = startWithin(limiter, answered);
    expect((await other.asked).failure).toMatchObject({ kind: 'rate-limited' });
    expect(other.model.requests).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(15 * 60_000);
    expect((await startWithin(limiter, answered).asked).failure).toBeNull();
  });

  test('without a word about how long, all wait as long as the back-off', async () => {
    const limiter = memoryRateLimiter({ chat: 500 });
    const refused = startWithin(limiter, [new Failure('rate-limited', 'busy')], answered);
    await vi.advanceTimersByTimeAsync(0);
    expect((await limiter.reserve('chat')).waitMs).toBeGreaterThanOrEqual(2_000);
    await vi.runAllTimersAsync();
    expect(await refused.asked).toMatchObject({ failure: null, tries: 2 });
  });

  test('a wait of more than ten minutes is explained at once, and nothing stays reserved', async () => {
    const limiter = memoryRateLimiter({ chat: 1_000 });
    await limiter.blockFor('chat', 11 * 60_000);
    const { model, asked } = startWithin(limiter, answered);
    expect((await asked).failure).toMatchObject({ kind: 'rate-limited', retryAfterMs: 660_000 });
    expect(model.requests).toHaveLength(0);
    expect(limiter.waiting()).toBe(0);
  });

  test('a wait of its own that is too long holds up nobody else', async () => {
    const limiter = memoryRateLimiter({ chat: 60_000 });
    const started = Array.from({ length: 8 }, () => startWithin(limiter, answered));
    await vi.advanceTimersByTimeAsync(4 * 60_000 + 1_000);
    // The API asks for a pause that the last can no longer wait for.
    await limiter.blockFor('chat', 4 * 60_000);
    await vi.advanceTimersByTimeAsync(4 * 60_000);
    expect(started.map(({ model }) => model.requests.length)).toEqual([1, 1, 1, 1, 1, 1, 0, 0]);
    expect((await started[7]!.asked).failure?.kind).toBe('rate-limited');
    expect(limiter.waiting()).toBe(1);
  });

  test('a store that cannot be reached is no fault of the model: it is thrown', async () => {
    const fault = new Error('the database does not answer');
    const limiter = { ...memoryRateLimiter(), reserve: () => Promise.reject(fault) };
    await expect(startWithin(limiter, answered).asked).rejects.toBe(fault);
  });
});
