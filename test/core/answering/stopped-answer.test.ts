import { describe, expect, test } from 'vitest';
import { answerQuestion } from '../../../src/core/answering/answer.ts';
import type { Model } from '../../../src/core/ports.ts';
import { question, THREAD } from '../fakes.ts';

import { done, setup, text } from './setup.ts';

describe('an answer that is to end', () => {
  test('a stop keeps what was written, marks it and remembers it', async () => {
    const { run, last, deps, model } = setup([text('Half of it'), text(' and more'), done]);
    const inner = model.answer.bind(model);
    const stopping = {
      ...deps,
      model: {
        answer: stopAfterFirst(inner, () => deps.stops.question(question().id, 'stopped', question().asker)),
      },
    };
    await answerQuestion(stopping, {
      id: 'q',
      data: { question: question(), isMarked: false },
      attempt: 1,
      signal: new AbortController().signal,
      releaseSlot: () => {},
    });
    expect(last(question())).toMatchObject({
      state: 'done',
      text: 'Half of it',
      notices: ['⏹ Stopped by Ann'],
    });
    expect((await deps.history.read(THREAD)).newest.at(-1)?.text).toBe('Half of it');
    expect(run).toBeDefined();
  });

  test.each(['U9', 'DADMIN'])('somebody else (%s) cannot stop it', async (id) => {
    const { last, deps, model } = setup([text('All'), text(' of it'), done]);
    const inner = model.answer.bind(model);
    const stranger = { id, name: 'Eve' };
    const stopping = {
      ...deps,
      model: { answer: stopAfterFirst(inner, () => deps.stops.thread(THREAD, stranger)) },
    };
    await answerQuestion(stopping, {
      id: 'q',
      data: { question: question(), isMarked: false },
      attempt: 1,
      signal: new AbortController().signal,
      releaseSlot: () => {},
    });
    expect(last(question())?.text).toBe('All of it');
  });

  test('a question deleted before its first word is not answered, and none of it is remembered', async () => {
    const { platform, deps, model } = setup([{ type: 'thinking' }, text('Too late'), done]);
    const inner = model.answer.bind(model);
    const stopping = {
      ...deps,
      model: { answer: stopAfterFirst(inner, () => deps.stops.question(question().id, 'deleted', null)) },
    };
    await answerQuestion(stopping, {
      id: 'q',
      data: { question: question(), isMarked: false },
      attempt: 1,
      signal: new AbortController().signal,
      releaseSlot: () => {},
    });
    expect(platform.shown.get(question().id)?.some((view) => view.text !== '') ?? false).toBe(false);
    expect((await deps.history.read(THREAD)).exchanges).toBe(0);
  });

  test.each(['deleted', 'stopped'] as const)(
    'one %s while it waited is not asked, or paid',
    async (reason) => {
      const { run, deps, model, last } = setup([text('Too late'), done]);
      await deps.stops.question(question().id, reason, reason === 'stopped' ? question().asker : null);
      await run(question());
      expect(model.requests).toHaveLength(0);
      // Nobody would read what is written below a deleted question.
      expect(last(question())?.notices).toEqual(reason === 'stopped' ? ['⏹ Stopped by Ann'] : undefined);
    },
  );
});

/** A model's answers with something happening behind their first event. */
function stopAfterFirst(answer: Model['answer'], happen: () => Promise<void>): Model['answer'] {
  return async function* stopped(request, signal) {
    let isFirst = true;
    for await (const event of answer(request, signal)) {
      yield event;
      if (isFirst) await happen();
      isFirst = false;
    }
  };
}
