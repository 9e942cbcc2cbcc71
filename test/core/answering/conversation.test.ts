import { describe, expect, test } from 'vitest';
import { orderKey, SILENCE_MS } from '../../../src/core/answering/conversation.ts';
import type { Question } from '../../../src/core/types.ts';
import { question } from '../fakes.ts';
import { followUp, setupIntake } from './intake.ts';
import { done, setup, text } from './setup.ts';

/** A direct message on Slack; each outside a thread is the root of its own. */
function direct(ts: string, words: string, askedAt: number, thread = ts): Question {
  const place = { platform: 'slack', workspace: 'T1', channel: 'D1' } as const;
  return question({
    id: `q${ts}`,
    channel: 'D1',
    trigger: 'dm',
    thread: { ...place, thread },
    message: { ...place, message: ts },
    text: words,
    askedAt,
  });
}

describe("Slack's direct messages", () => {
  test('outside threads are one conversation, each answered in its own thread', async () => {
    const { run, model } = setup([text('Yes.'), done]);
    await run(direct('1.0', 'Is it open?', 1_000));
    await run(direct('2.0', 'And today?', 2_000));
    await run(direct('3.0', 'Sure?', 3_000, '2.0'));
    const asked = model.requests.map(({ messages }) => messages.map((message) => message.text));
    expect(asked).toEqual([
      ['Is it open?'],
      ['Is it open?', 'Yes.', 'And today?'],
      ['And today?', 'Yes.', 'Sure?'],
    ]);
  });

  test('begin anew after a long silence', async () => {
    const { run, model } = setup([text('Yes.'), done]);
    await run(direct('1.0', 'Is it open?', 1_000));
    await run(direct('2.0', 'Something else', 1_001 + SILENCE_MS));
    await run(direct('3.0', 'And this?', 1_002 + SILENCE_MS));
    const asked = model.requests.map(({ messages }) => messages.map((message) => message.text));
    expect(asked.slice(1)).toEqual([['Something else'], ['Something else', 'Yes.', 'And this?']]);
  });

  test('are answered in the order they came', async () => {
    const { intake, jobs } = setupIntake();
    await intake.accept(direct('1.0', 'Is it open?', 1_000));
    await intake.accept(direct('2.0', 'And today?', 2_000));
    await intake.accept(question());
    await intake.accept(followUp('q9'));
    const keys = jobs.queued.map(({ key }) => key);
    expect(keys[0]).toBe(orderKey(direct('3.0', '', 0).thread!));
    expect(keys[1]).toBe(keys[0]);
    expect(keys[2]).toBe(keys[3]);
    expect(keys[2]).not.toBe(keys[0]);
  });
});
