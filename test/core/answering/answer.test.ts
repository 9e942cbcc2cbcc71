import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { giveUp } from '../../../src/core/answering/answer.ts';
import { waitBehind } from '../../../src/core/answering/join-thread.ts';
import { Failure } from '../../../src/core/failures.ts';
import { shortId } from '../../../src/core/ids.ts';
import type { Model } from '../../../src/core/ports.ts';
import { threadKey } from '../../../src/core/types.ts';
import { question, THREAD } from '../fakes.ts';

import { done, setup, sources, text } from './setup.ts';

describe('answerQuestion', () => {
  test('hears what is said in the thread of a command while its answer is being written', async () => {
    const { run, deps } = setup();
    const opened = { ...THREAD, thread: 'opened' };
    let speakers: number | null = null;
    const hear = async () => {
      const heard = await deps.threads.hear(opened, question().asker.id, 0);
      return (speakers = heard?.humans ?? null);
    };
    const model: Model = {
      async *answer() {
        yield text('Ta');
        await vi.waitUntil(async () => (await hear()) !== null);
        yield done;
      },
    };
    Object.assign(deps, { model });
    await run(question({ trigger: 'command', thread: null, message: null }));
    expect(speakers).toBe(1);
  });

  test('shows the whole answer with its sources and remembers the exchange', async () => {
    const { run, last, deps } = setup([sources, text('Tall'), text(' [1].'), done]);
    await run(question());
    expect(last(question())).toMatchObject({
      state: 'done',
      text: 'Tall [1].',
      sources: [{ number: 1 }],
      notices: [],
    });
    const { newest } = await deps.history.read(THREAD);
    expect(newest.map((turn) => turn.text)).toEqual(['How tall is it?', 'Tall [1].']);
  });

  test('an answer that reached its length limit says so and can be continued', async () => {
    const { run, last } = setup([sources, text('Half'), { type: 'done', reason: 'length' }]);
    await run(question());
    const view = last(question());
    expect(view?.notices).toEqual(['⚠ The answer reached its length limit.']);
    expect(view?.buttons.map(({ label }) => label)).toEqual(['Continue', 'Source', 'Dig deeper']);
  });

  test('what is asked in the thread of a command waits for its answer', async () => {
    const { run, deps } = setup([text('First.'), done]);
    await run(question({ thread: null, message: null, trigger: 'command' }));
    const [wait] = deps.jobs.queued;
    expect(wait).toMatchObject({
      data: { behind: question().id },
      key: threadKey({ ...THREAD, thread: 'opened' }),
    });
    const signal = new AbortController().signal;
    const record = deps.answers.records.get(question().id)!;
    deps.answers.records.set(question().id, { ...record, delivered: false });
    let isOver = false;
    const releaseSlot = vi.fn();
    const job = { id: 'w', data: { behind: question().id }, attempt: 1, signal, releaseSlot };
    const waiting = waitBehind(deps.answers, job).then(() => (isOver = true));
    await Promise.resolve();
    expect(isOver).toBe(false);
    expect(releaseSlot).toHaveBeenCalled();
    deps.answers.records.set(question().id, { ...record, delivered: true });
    await waiting;
    expect(isOver).toBe(true);
  });

  test('a follow-up sees the earlier exchange', async () => {
    const { run, model } = setup([text('828 m'), done]);
    await run(question());
    await run(question({ id: 'q2', text: 'And in feet?', trigger: 'thread' }));
    expect(model.requests[1]?.messages.map((m) => m.text)).toEqual([
      'How tall is it?',
      '828 m',
      'And in feet?',
    ]);
  });

  test('an answer without sources says so', async () => {
    const { run, last } = setup([text('From memory.'), done]);
    await run(question());
    expect(last(question())?.notices).toEqual(['⚠ No web sources were used for this answer.']);
  });

  test('a cut stream keeps the text, marks it and offers to go on', async () => {
    const { run, last } = setup([text('Half')]);
    await run(question());
    const view = last(question());
    expect(view).toMatchObject({ state: 'failed', text: 'Half' });
    expect(view?.notices[0]).toBe(`⚠ Cut off: the answer broke off here · ${shortId(question().id)}`);
    expect(view?.buttons.map((button) => button.action)).toEqual(['continue', 'retry']);
  });

  test('a refused key is a plain sentence for the asker and an alert for the admins', async () => {
    const { run, last, alerts } = setup([new Failure('not-authorised', 'HTTP 401 <html>', { status: 401 })]);
    await run(question());
    expect(last(question())?.notices[0]).toContain("I'm not set up correctly; admins have been told.");
    expect(alerts).toEqual([
      "I get no answers from Perplexity (401): check PERPLEXITY_API_KEY and the account's credit.",
    ]);
  });

  test('a failure without a word is not remembered', async () => {
    const { run, deps } = setup([new Failure('rejected', 'no')]);
    await run(question());
    expect((await deps.history.read(THREAD)).exchanges).toBe(0);
  });

  test('an attempt after the conclusion was stored delivers it without asking again', async () => {
    const { run, last, model, platform, deps } = setup([text('Once.'), done]);
    await run(question());
    const { conclusion, messages } = deps.answers.records.get(question().id)!;
    deps.answers.records.set(question().id, {
      ...deps.answers.records.get(question().id)!,
      delivered: false,
      conclusion,
      messages,
    });
    platform.shown.clear();
    await run(question(), 2);
    expect(model.requests).toHaveLength(1);
    expect(last(question())?.text).toBe('Once.');
    expect((await deps.history.read(THREAD)).exchanges).toBe(1);
  });

  test('a place that cannot be opened for long has nothing asked, or paid, twice', async () => {
    const { run, last, model, platform, deps } = setup([text('Once.'), done]);
    const asked = question({ trigger: 'command', thread: null, message: null });
    platform.noPlace = new Failure('unreachable', 'HTTP 502', { retryAfterMs: 3_600_000 });
    await expect(run(asked)).rejects.toThrow('HTTP 502');
    await expect(run(asked, 2)).rejects.toThrow('HTTP 502');
    platform.noPlace = null;
    await run(asked, 3);
    expect(model.requests).toHaveLength(1);
    expect(last(asked)).toMatchObject({ state: 'done', text: 'Once.' });
    const opened = { ...THREAD, thread: 'opened' };
    expect(deps.answers.records.get(asked.id)).toMatchObject({ thread: opened, delivered: true });
    // The order in that thread is kept by the attempt that opened it.
    expect(deps.jobs.queued).toMatchObject([{ data: { behind: asked.id }, key: threadKey(opened) }]);
    expect((await deps.history.read(opened)).exchanges).toBe(1);
  });

  describe('where the store takes nothing', () => {
    beforeEach(() => void vi.useFakeTimers().setTimerTickMode('nextTimerAsync'));
    afterEach(() => void vi.useRealTimers());

    test('an answer is kept until it can be stored, and is not asked for, or paid, again', async () => {
      const { run, last, model, deps } = setup([text('Once.'), done]);
      const conclude = vi.spyOn(deps.answers, 'conclude');
      for (let n = 0; n < 20; n++) conclude.mockRejectedValueOnce(new Error('no space left'));
      await run(question());
      expect(model.requests).toHaveLength(1);
      expect(last(question())).toMatchObject({ state: 'done', text: 'Once.' });
    });

    test('neither does an alert that cannot be stored have it asked for again', async () => {
      const refused = new Failure('not-authorised', 'no credit', { status: 402 });
      const { run, last, model, deps } = setup([text('Half'), refused]);
      Object.assign(deps, { alertAdmins: () => Promise.reject(new Error('no space left')) });
      await run(question());
      expect(model.requests).toHaveLength(1);
      expect(last(question())).toMatchObject({ state: 'failed', text: 'Half' });
    });

    test('a process that stops does not wait for it', async () => {
      const { run, deps, controller } = setup([text('Once.'), done]);
      vi.spyOn(deps.answers, 'conclude').mockRejectedValue(new Error('no space left'));
      const running = run(question());
      setTimeout(() => controller.abort(), 60_000);
      await expect(running).rejects.toThrow('no space left');
    });
  });

  test('an answer that is written holds no slot while it waits for the platform', async () => {
    const { run, platform, deps, released } = setup([text('Once.'), done]);
    platform.noPlace = new Failure('unreachable', 'HTTP 502', { retryAfterMs: 3_600_000 });
    const conclude = vi.spyOn(deps.answers, 'conclude').mockImplementationOnce(async () => {
      expect(released).toEqual([]);
      return true;
    });
    await expect(run(question())).rejects.toThrow('HTTP 502');
    expect(conclude).toHaveBeenCalledOnce();
    expect(released).toEqual([question().id]);
  });

  test('a delivered answer is not touched again', async () => {
    const { run, platform } = setup([text('Once.'), done]);
    await run(question());
    platform.shown.clear();
    await run(question(), 2);
    expect(platform.shown.size).toBe(0);
  });

  test('after too many interrupted attempts the person is told instead', async () => {
    const { run, last, model } = setup([text('x'), done]);
    await run(question(), 6);
    expect(model.requests).toHaveLength(0);
    expect(last(question())).toMatchObject({ state: 'failed', buttons: [{ action: 'retry' }] });
  });

  test('a stopped job throws, so that it is taken up again, and shows no failure', async () => {
    const { run, platform, controller } = setup([text('Begin'), text(' more'), done]);
    controller.abort();
    await expect(run(question())).rejects.toThrow();
    expect(platform.shown.get(question().id)?.some((view) => view.state === 'failed') ?? false).toBe(false);
  });

  test('where nothing can be written the asker is told once, by direct message', async () => {
    const { run, platform, deps } = setup([text('x'), done]);
    platform.noPlace = new Failure('undeliverable', 'no', {
      remedy: 'I need "Send Messages in Threads" there.',
    });
    await run(question());
    const told = `I can't answer where you asked. I need "Send Messages in Threads" there. · ${shortId(question().id)}`;
    expect(platform.directMessages).toEqual([{ person: 'U1', text: told }]);
    expect(deps.answers.records.get(question().id)?.delivered).toBe(true);
  });

  test('a command that cannot be answered in the channel is answered for its user alone', async () => {
    const { run, platform } = setup([text('x'), done]);
    platform.noPlace = new Failure('undeliverable', 'no', { remedy: 'Invite me there.' });
    await run(question({ trigger: 'command', thread: null, message: null }));
    expect(platform.directMessages).toEqual([]);
    expect(platform.privateReplies[0]).toContain('Invite me there.');
  });

  test('a final view the platform refuses for good does not run for ever', async () => {
    const { run, platform, deps } = setup([text('x'), done]);
    platform.faults.push(new Failure('rejected', 'no'), new Failure('rejected', 'no'));
    await run(question());
    expect(deps.answers.records.get(question().id)?.delivered).toBe(true);
  });

  test('a job given up for good is explained to its asker', async () => {
    const { platform, deps } = setup([]);
    await giveUp(deps, { question: question(), isMarked: false });
    expect(platform.privateReplies[0]).toContain(shortId(question().id));
  });

  test('an answer whose message somebody deleted ends silently', async () => {
    const { run, platform, deps } = setup([text('x'), done]);
    platform.faults.push(new Failure('gone', 'deleted'), new Failure('gone', 'deleted'));
    await run(question());
    expect(platform.directMessages).toEqual([]);
    expect(deps.answers.records.get(question().id)?.delivered).toBe(true);
  });

  test('nothing asked gets the help text', async () => {
    const { run, platform, model } = setup([]);
    await run(question({ text: ' ' }));
    expect(platform.privateReplies[0]).toContain('Ask me anything');
    expect(model.requests).toHaveLength(0);
  });

  test('nothing readable is told in private, and nothing is asked', async () => {
    const { run, platform, model } = setup([text('Yes.'), done]);
    const quotes = [{ author: 'Bob', text: '', attachments: [], unreadable: 'a sticker' }];
    await run(question({ text: '', quotes }));
    expect(platform.privateReplies).toEqual([
      "I can't read anything in that message (a sticker). Ask about it in words.",
    ]);
    expect(model.requests).toHaveLength(0);
    await run(question({ id: 'q2', text: 'What is it?', quotes }));
    await run(question({ id: 'q3', text: '', title: 'How tall is it?' }));
    expect(model.requests).toHaveLength(2);
    expect(platform.privateReplies).toHaveLength(1);
  });

  test('the first call into a running thread reads what was said before, once', async () => {
    const { run, platform, model } = setup([text('Yes.'), done]);
    platform.thread = [{ role: 'user', author: { id: 'U1', name: 'Ann' }, text: 'Paris is nice.', at: 0 }];
    const message = { ...question().message!, message: '2.0' };
    await run(question({ message, text: 'Is it?' }));
    platform.thread = [];
    await run(question({ id: 'q2', message, text: 'Sure?' }));
    expect(model.requests[0]?.messages[0]?.text).toBe('Paris is nice.\n\nIs it?');
    expect(model.requests[1]?.messages[0]?.text).toBe('Paris is nice.\n\nIs it?');
  });

  test('what was deleted after it was read is not remembered', async () => {
    const { run, platform, deps } = setup([text('Yes.'), done]);
    platform.thread = [
      {
        id: 'gone',
        role: 'user',
        author: { id: 'U2', name: 'Bob' },
        text: 'My password is swordfish',
        at: 0,
      },
    ];
    const message = { ...question().message!, message: '2.0' };
    await deps.stops.question('gone', 'deleted', null);
    await run(question({ message, text: 'Is it?' }));
    const { newest } = await deps.history.read(THREAD);
    expect(newest.map((turn) => turn.text)).toEqual(['Is it?', 'Yes.']);
  });

  test('a past that takes too long to read is done without', async () => {
    vi.useFakeTimers();
    const { run, platform, model } = setup([text('Yes.'), done]);
    platform.readThread = () => new Promise(() => {});
    const message = { ...question().message!, message: '2.0' };
    const running = run(question({ message, text: 'Is it?' }));
    // Before the model is asked, and before the exchange is remembered.
    await vi.advanceTimersByTimeAsync(4_000);
    vi.useRealTimers();
    await running;
    expect(model.requests[0]?.messages.map((m) => m.text)).toEqual(['Is it?']);
  });

  test('attachments are named as not read', async () => {
    const { run, last } = setup([sources, text('x'), done]);
    await run(question({ attachments: [{ name: 'report.fig', type: null, bytes: 5, url: null }] }));
    expect(last(question())?.notices).toEqual(['Not read: report.fig (kept elsewhere)']);
  });
});
