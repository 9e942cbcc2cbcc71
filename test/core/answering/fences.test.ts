import { describe, expect, test } from 'vitest';
import { Failure } from '../../../src/core/failures.ts';
import { question, THREAD } from '../fakes.ts';
import { done, setup, sources, text } from './setup.ts';

/** What an attempt that another one has overtaken must leave alone. */
async function outcomeOf(fixture: ReturnType<typeof setup>) {
  const { run, platform, deps } = fixture;
  const error: unknown = await run(question()).catch((reason: unknown) => reason);
  const views = platform.shown.get(question().id) ?? [];
  return {
    kind: error instanceof Failure ? error.kind : error,
    finals: views.filter(({ state }) => state === 'done' || state === 'failed'),
    exchanges: (await deps.history.read(THREAD)).exchanges,
    isDelivered: deps.answers.records.get(question().id)?.delivered,
  };
}

describe('an attempt that another one has overtaken', () => {
  test('writes nothing more once the store refuses its messages', async () => {
    const fixture = setup([sources, text('Tall'), text(' [1].'), done]);
    fixture.deps.answers.posted = async () => false;
    const outcome = await outcomeOf(fixture);
    expect(outcome).toEqual({ kind: 'stopped', finals: [], exchanges: 0, isDelivered: false });
  });

  test('shows, remembers and delivers nothing once the store refuses its conclusion', async () => {
    const fixture = setup([sources, text('Tall [1].'), done]);
    fixture.deps.answers.conclude = async () => false;
    const outcome = await outcomeOf(fixture);
    expect(outcome).toEqual({ kind: 'stopped', finals: [], exchanges: 0, isDelivered: false });
  });

  test('asks the model nothing when a later attempt has begun', async () => {
    const fixture = setup([text('Tall.'), done]);
    await fixture.deps.answers.begin(question(), 2);
    await fixture.run(question(), 1);
    expect(fixture.model.requests).toEqual([]);
    expect(fixture.platform.shown.size).toBe(0);
  });
});
