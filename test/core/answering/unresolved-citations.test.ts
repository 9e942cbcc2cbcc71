import { describe, expect, test } from 'vitest';
import { Failure } from '../../../src/core/failures.ts';
import type { Model } from '../../../src/core/ports.ts';
import type { AnswerEvent } from '../../../src/core/types.ts';
import { question } from '../fakes.ts';
import { done, setup, sources, text } from './setup.ts';

/** The line with replies that have drawn two markers without a source, and what the operator's counter is told. */
function setupUnresolved(...script: readonly (AnswerEvent | Failure)[]) {
  const line = setup(script);
  const { platform, deps } = line;
  const reply = platform.reply.bind(platform);
  platform.reply = (asked, start) => ({ ...reply(asked, start), unresolved: () => 2 });
  const counted: number[] = [];
  const metrics = {
    ...deps.metrics,
    unresolvedCitations: (_: unknown, count: number) => counted.push(count),
  };
  Object.assign(deps, { metrics });
  return { ...line, counted };
}

describe('citations that lead to no source', () => {
  test('are counted for an answer that is complete', async () => {
    const { run, counted } = setupUnresolved(sources, text('Tall [8] [9].'), done);
    await run(question());
    expect(counted).toEqual([2]);
  });

  test('are not counted for an answer that failed before its sources came', async () => {
    const { run, counted, last } = setupUnresolved(text('Tall [1] [2].'), new Failure('rejected', 'no'));
    await run(question());
    expect(last(question())).toMatchObject({ state: 'failed', text: 'Tall [1] [2].' });
    expect(counted).toEqual([]);
  });

  test.each(['stopped', 'deleted'] as const)(
    'are not counted for an answer that was %s before its sources came',
    async (reason) => {
      const { run, counted, deps, last } = setupUnresolved();
      const model: Model = {
        async *answer(_request, signal) {
          yield text('Tall [1] [2].');
          await deps.stops.question(question().id, reason, null);
          signal.throwIfAborted();
        },
      };
      Object.assign(deps, { model });
      await run(question());
      expect(last(question())).toMatchObject({ text: 'Tall [1] [2].', footer: null });
      expect(counted).toEqual([]);
    },
  );
});
