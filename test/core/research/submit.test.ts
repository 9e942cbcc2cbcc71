import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Failure } from '../../../src/core/failures.ts';
import { shortId } from '../../../src/core/ids.ts';
import type { Question } from '../../../src/core/types.ts';
import { asked, MINUTE, REPORT, setup } from './setup.ts';

const busy = new Failure('rate-limited', 'busy', { retryAfterMs: 30_000 });
const away = new Failure('unreachable', 'refused');
const lost = new Failure('unreachable', 'reset', { ambiguous: true });
const gone = new Failure('undeliverable', 'no', { remedy: 'Invite me there.' });

describe('a research job begins', () => {
  test('with its record, its card, the submission and the first look, in this order', async () => {
    const line = setup();
    await line.begin();
    await line.run(1_000);
    expect(line.calls).toEqual(['submit chat']);
    expect(line.keys).toEqual([asked().id]);
    expect(line.record()).toMatchObject({
      state: 'running',
      api: 'chat',
      upstream: 'up-1',
      card: { message: 'card' },
    });
    expect(line.board.cards).toMatchObject([
      {
        state: 'done',
        text: '> How do cities cool?',
        notices: [`${line.record()?.name} · Queued`],
        footer: 'Deep research · medium effort · a few minutes',
        buttons: [{ action: 'stop', label: 'Stop', question: asked().id }],
      },
    ]);
    expect(line.metrics).toEqual(['started chat']);
  });

  test('without a thread: the card opens one, where follow-ups are heard and replies find it', async () => {
    const line = setup();
    await line.begin(asked({ thread: null, message: null, trigger: 'command' }));
    await line.run(1_000);
    const opened = line.record()!.question.thread!;
    expect(opened.thread).toBe('opened');
    expect(await line.deps.threads.hear(opened, asked().asker.id, 0)).toMatchObject({ humans: 1 });
    const { question, messages } = line.answers.records.get(asked().id)!;
    expect(question.thread).toEqual(opened);
    expect(messages).toEqual([line.record()?.card]);
  });

  test('with what was said in its thread', async () => {
    const line = setup();
    line.platform.thread = [{ role: 'user', author: null, text: 'Paris is hot.', at: 0 }];
    const requests: string[] = [];
    const submit = line.deps.model.submit;
    line.deps.model.submit = (job) => {
      requests.push(...job.request.messages.map(({ text }) => text));
      return submit(job);
    };
    await line.begin(asked({ trigger: 'button' }));
    await line.run(1_000);
    expect(requests).toEqual(['[Person 1] says:\n> Paris is hot.\n\n[Ann] says:\n> How do cities cool?']);
  });

  test('not beyond the limits: the asker is told what is under way', async () => {
    const line = setup({ limits: { perPerson: 1, perWorkspace: 10 } });
    await line.begin();
    await line.run(1_000);
    line.clock.now += 3 * MINUTE;
    await line.begin(asked({ id: 'second' }));
    await line.run(1_000);
    expect(line.record('second')).toBeUndefined();
    expect(line.platform.privateReplies[0]).toContain(
      `${line.record()?.name} · “How do cities cool?” · 3 min`,
    );
    expect(line.calls.filter((call) => call.startsWith('submit'))).toHaveLength(1);
  });

  test('a rush of research by one person is refused once in a while, a command each time', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 0 });
    const line = setup({ limits: { perPerson: 1, perWorkspace: 10 } });
    const refuse = async (id: string, trigger: Question['trigger']): Promise<number> => {
      const before = line.platform.privateReplies.length;
      await line.begin(asked({ id, trigger }));
      await line.run(1_000);
      return line.platform.privateReplies.length - before;
    };
    await line.begin();
    await line.run(1_000);
    expect([await refuse('a', 'mention'), await refuse('b', 'mention')]).toEqual([1, 0]);
    expect([await refuse('c', 'command'), await refuse('d', 'command')]).toEqual([1, 1]);
    vi.setSystemTime(MINUTE);
    expect(await refuse('e', 'mention')).toBe(1);
    vi.useRealTimers();
  });

  test("others' questions are not shown where the workspace is full", async () => {
    const line = setup({ limits: { perPerson: 5, perWorkspace: 1 } });
    await line.begin();
    await line.run(1_000);
    await line.begin(asked({ id: 'second', asker: { id: 'U2', name: 'Bob' } }));
    await line.run(1_000);
    expect(line.platform.privateReplies[0]).toContain(`${line.record()?.name} · `);
    expect(line.platform.privateReplies[0]).not.toContain('cities');
  });

  test('not where there is no place to write: nothing is handed in, and the asker is told elsewhere', async () => {
    const line = setup();
    line.board.cardFaults.push(gone);
    await line.begin();
    await line.run(MINUTE);
    expect(line.calls).toEqual([]);
    expect(line.record()).toMatchObject({
      state: 'failed',
      ending: { fault: 'no-place' },
      isDelivered: true,
    });
    expect(line.board.posted[0]?.view.notices[0]).toContain('Invite me there. Nothing was begun');
  });

  test('later when the platform is busy, looking for an earlier card first', async () => {
    const line = setup();
    line.board.cardFaults.push(busy, away);
    await line.begin();
    await line.run(20_000);
    expect(line.calls).toEqual([]);
    await line.run(MINUTE);
    expect(line.calls[0]).toBe('submit chat');
    expect(line.board.cards).not.toHaveLength(0);
  });
});

describe('a submission that fails', () => {
  test.each([busy, away, new Failure('too-slow', 'late')])(
    'with $kind is tried again later, same key',
    async (failure) => {
      const line = setup();
      line.script.submits.push(failure, failure);
      await line.begin();
      await line.run(2 * MINUTE);
      expect(line.calls.filter((call) => call === 'submit chat')).toHaveLength(3);
      expect(new Set(line.keys).size).toBe(1);
      expect(line.record()?.state).toBe('running');
    },
  );

  test.each([
    [busy, 'rate-limited'],
    [away, 'unreachable'],
  ] as const)('for half an hour ends in a plain word', async (failure, fault) => {
    const line = setup();
    line.script.submits.push(...Array.from({ length: 200 }, () => failure));
    await line.begin();
    await line.run(40 * MINUTE);
    expect(line.record()).toMatchObject({ state: 'failed', ending: { fault }, notice: 'sent' });
    expect(line.calls.length).toBeLessThan(70);
  });

  test('because it is refused ends at once; an admin hears of a refused key', async () => {
    const line = setup();
    line.script.submits.push(new Failure('rejected', 'no', { remedy: 'the question is too long' }));
    await line.begin();
    await line.run(MINUTE);
    expect(line.record()).toMatchObject({
      ending: { fault: 'rejected', remedy: 'the question is too long' },
    });
    const other = setup();
    other.script.submits.push(new Failure('not-authorised', 'no', { status: 402 }));
    await other.begin();
    await other.run(MINUTE);
    expect(other.record()).toMatchObject({ ending: { fault: 'not-authorised' }, notice: 'sent' });
    expect(other.alerts[0]).toContain('(402)');
  });

  test('with an unknown outcome is repeated with the same key where the API knows it again', async () => {
    const line = setup();
    line.script.submits.push(lost);
    await line.begin();
    await line.run(MINUTE);
    expect(line.keys).toEqual([asked().id, asked().id]);
    expect(line.record()?.state).toBe('running');
  });

  test('with an unknown outcome is never repeated where the API does not, and says so', async () => {
    const line = setup();
    line.script.api = 'agent';
    line.script.submits.push(lost);
    await line.begin();
    await line.run(MINUTE);
    expect(line.calls).toEqual(['submit agent']);
    expect(line.record()).toMatchObject({ state: 'failed', ending: { fault: 'unknown' }, notice: 'sent' });
    expect(line.board.posted[0]?.view.buttons).toMatchObject([{ action: 'retry', label: 'Try again' }]);
  });

  test.each([
    ['chat', ['submit chat', 'submit chat'], 'running'],
    ['agent', ['submit agent'], 'failed'],
  ] as const)('because the process died in it: %s', async (api, calls, state) => {
    const line = setup();
    line.script.api = api;
    // As a kill between the call and its record: the step is run again from the start.
    line.script.submits.push(new Error('killed'));
    await line.begin();
    await line.run(1_000);
    expect(line.calls).toEqual(calls);
    expect(line.record()?.state).toBe(state);
  });

  test('that may have begun stays in doubt, whatever the repeat says', async () => {
    const line = setup();
    line.script.submits.push(lost, new Failure('rejected', 'no'));
    await line.begin();
    await line.run(MINUTE);
    expect(line.record()).toMatchObject({ state: 'failed', ending: { fault: 'unknown' } });
  });

  test('because the API is retired is handed to the other one', async () => {
    const line = setup();
    line.script.submits.push(away);
    const { submit } = line.deps.model;
    line.deps.model.submit = (job) => submit(job).finally(() => (line.script.api = 'agent'));
    await line.begin();
    await line.run(MINUTE);
    expect(line.calls.filter((call) => call.startsWith('submit'))).toEqual(['submit chat', 'submit agent']);
    expect(line.record()).toMatchObject({ state: 'running', api: 'agent' });
  });

  test('to be recorded is recorded later: what was begun is not lost', async () => {
    const line = setup();
    const { submitted } = line.researches;
    let isAway = true;
    line.researches.submitted = (...given) => {
      if (!isAway) return submitted(...given);
      isAway = false;
      return Promise.reject(new Error('the store is away'));
    };
    line.script.api = 'agent';
    await line.begin();
    await line.run(1_000);
    expect(line.record()).toMatchObject({ state: 'running', upstream: 'up-1' });
    expect(line.calls).toEqual(['submit agent']);
  });
});

test('a beginning that fails in all its runs is revived, and explained in the end', async () => {
  const line = setup();
  const create = line.researches.create;
  line.researches.create = () => Promise.reject(new Error('a fault of ours'));
  await line.begin();
  await line.run(60 * MINUTE);
  expect(line.platform.privateReplies).toEqual(['I could not begin your research. Please ask again.']);
  line.researches.create = create;
  expect(shortId(asked().id)).toMatch(/^E-/);

  const other = setup();
  other.script.submits.push(...Array.from({ length: 100 }, () => new Error('a fault of ours')));
  await other.begin();
  await other.run(60 * MINUTE);
  expect(other.record()).toMatchObject({ state: 'failed', notice: 'sent', isDelivered: true });
});

test('a job that is over quickly is a report within seconds', async () => {
  const line = setup();
  line.script.looks.push({ state: 'done', report: REPORT });
  await line.begin();
  await line.run(10_000);
  expect(line.record()).toMatchObject({ state: 'done', notice: 'sent', isDelivered: true });
});

describe('a rush of questions', () => {
  /** The most requests of those that count in any one minute, and how the jobs stand after `minutes`. */
  const rush = async (api: 'chat' | 'agent', count: number, minutes: number) => {
    const limits = { perPerson: count, perWorkspace: count };
    // What is waited for within a step takes no time.
    vi.useFakeTimers().setTimerTickMode('nextTimerAsync');
    onTestFinished(() => void vi.useRealTimers());
    const line = setup({ limits }, { agent: 1_200, 'chat-submit': 15_000 });
    line.script.api = api;
    if (api === 'chat') line.script.looks.push({ state: 'done', report: REPORT });
    const times: number[] = [];
    const { submit, poll: look } = line.deps.model;
    line.deps.model.submit = (job) => {
      times.push(line.clock.now);
      return submit(job);
    };
    line.deps.model.poll = (...given) => {
      if (api === 'agent') times.push(line.clock.now);
      return look(...given);
    };
    for (let n = 0; n < count; n++) await line.begin(asked({ id: `rush ${n}` }));
    await line.run(minutes * MINUTE);
    const inMinute = (from: number) => times.filter((at) => at >= from && at < from + MINUTE).length;
    const states = new Set([...line.researches.records.values()].map(({ state }) => state));
    return { busiest: Math.max(...times.map(inMinute)), begun: line.keys.length, states };
  };

  test('waits its turn on the Agent API, where what is handed in counts like every look', async () => {
    const { busiest, begun, states } = await rush('agent', 100, 10);
    expect({ begun, states }).toEqual({ begun: 100, states: new Set(['running']) });
    expect(busiest).toBeLessThanOrEqual(51);
  });

  test('waits its turn on chat completions, for longer than a failing one would be tried', async () => {
    const { busiest, begun, states } = await rush('chat', 140, 40);
    expect({ begun, states }).toEqual({ begun: 140, states: new Set(['done']) });
    expect(busiest).toBeLessThanOrEqual(5);
  });
});
