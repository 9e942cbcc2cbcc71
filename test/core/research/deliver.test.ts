import { describe, expect, test } from 'vitest';
import { composePrompt } from '../../../src/core/answering/prompt.ts';
import { Failure } from '../../../src/core/failures.ts';
import { idFrom } from '../../../src/core/ids.ts';
import type { UpstreamState } from '../../../src/core/research/ports.ts';
import { stopResearch } from '../../../src/core/research/stop.ts';
import { type Question, type ThreadRef } from '../../../src/core/types.ts';
import { question, THREAD } from '../fakes.ts';
import { asked, MINUTE, REPORT, setup } from './setup.ts';

const gone = new Failure('gone', 'deleted');
const refused = new Failure('undeliverable', 'archived');
const busy = new Failure('rate-limited', 'busy', { retryAfterMs: 20_000 });
const lost = new Failure('unreachable', 'reset', { ambiguous: true });
const HOUR = 60 * MINUTE;

/** A job whose report is there at the first look. */
async function ready(wanted: Question = asked(), state: UpstreamState = { state: 'done', report: REPORT }) {
  const line = setup();
  line.script.looks.push(state);
  await line.begin(wanted);
  await line.run(1_000);
  return line;
}

describe('a report', () => {
  test('ends its card and is announced once, with its file, in the thread', async () => {
    const line = await ready();
    await line.run(MINUTE);
    expect(line.board.cards.at(-1)).toMatchObject({
      notices: [expect.stringMatching(/^R-\w+ · Done in/)],
      buttons: [],
    });
    expect(line.board.posted).toHaveLength(1);
    expect(line.board.posted[0]).toMatchObject({
      place: { type: 'thread', thread: THREAD },
      lead: 'Research finished in 5 s',
      isRepeat: false,
      card: line.record()?.card,
      file: { name: `research-${line.record()?.name}.md` },
    });
    expect(line.record()).toMatchObject({ notice: 'sent', hasFile: true, isDelivered: true });
    expect(line.metrics).toEqual(['started chat', 'ended done', 'noticed sent']);
    expect(line.waiting).toEqual([]);
  });

  test('is a turn of its thread, once, and bounded in the next prompt', async () => {
    const line = await ready(asked(), {
      state: 'done',
      report: { ...REPORT, text: 'word '.repeat(12_000) },
    });
    await line.run(MINUTE);
    const history = await line.history.read(THREAD);
    expect(history.exchanges).toBe(1);
    expect(history.newest.map(({ role }) => role)).toEqual(['user', 'assistant']);
    expect(history.newest[1]?.text).toHaveLength(60_000);
    const { messages } = composePrompt(question({ text: 'And then?' }), history, 9_000);
    expect(messages.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThan(9_200);
  });

  test('is remembered with what was said in its thread before anybody asked us', async () => {
    const line = await ready(asked({ trigger: 'button' }));
    line.platform.thread = [{ role: 'user', author: null, text: 'Paris is hot.', at: 0 }];
    await line.run(MINUTE);
    const { newest } = await line.history.read(THREAD);
    expect(newest.map(({ text }) => text)).toEqual(['Paris is hot.', 'How do cities cool?', REPORT.text]);
  });

  test('leaves a record for its buttons, and for replies to its messages', async () => {
    const line = await ready();
    await line.run(MINUTE);
    const answer = line.answers.records.get(asked().id)!;
    expect(answer).toMatchObject({
      delivered: true,
      question: { thread: THREAD },
      conclusion: { sources: REPORT.sources },
    });
    const { card, noticeMessage } = line.record()!;
    expect(answer.messages).toEqual([card, noticeMessage]);
  });

  test('follows below in parts where files are not allowed, without a mention, once', async () => {
    const line = await ready();
    line.board.noticed = { type: 'posted', hasFile: false };
    await line.run(MINUTE);
    const id = idFrom('report', asked().id);
    expect(line.platform.shown.get(id)).toMatchObject([{ text: REPORT.text, sources: REPORT.sources }]);
    expect(line.answers.records.get(id)).toMatchObject({ delivered: true });
    expect(line.record()).toMatchObject({ hasFile: false, isDelivered: true });
  });

  test('that cannot follow now follows later', async () => {
    const line = await ready();
    line.board.noticed = { type: 'posted', hasFile: false };
    line.platform.faults.push(busy);
    await line.run(MINUTE);
    expect(line.platform.shown.get(idFrom('report', asked().id))).toHaveLength(1);
    expect(line.board.posted).toHaveLength(1);
  });
});

describe('where a report cannot go', () => {
  test('the next place is tried, each once: thread, direct message, channel', async () => {
    const line = await ready();
    line.board.noticeFaults.push(refused, new Failure('rejected', 'no'));
    await line.run(MINUTE);
    expect(line.board.notices.map(({ place }) => place.type)).toEqual(['thread', 'dm', 'channel']);
    expect(line.record()).toMatchObject({ notice: 'sent', noticePlace: 2 });
  });

  test('that is a state, and no storm', async () => {
    const line = await ready();
    line.board.noticeFaults.push(refused, refused, refused);
    await line.run(HOUR);
    expect(line.board.notices).toHaveLength(3);
    expect(line.record()).toMatchObject({ notice: 'undeliverable', isDelivered: true });
    expect(line.metrics).toContain('noticed undeliverable');
  });

  test('a direct message is first when that was asked for, with a link to the card', async () => {
    const line = await ready(asked({ research: { effort: 'low', notify: 'dm' } }));
    line.board.noticeFaults.push(refused);
    await line.run(MINUTE);
    expect(line.board.notices.map(({ place }) => place)).toEqual([
      { type: 'dm', link: line.record()?.card },
      { type: 'thread', thread: THREAD },
    ]);
  });

  test('a card that is gone is not missed, nor linked to', async () => {
    const line = await ready();
    line.board.cardFaults.push(gone);
    line.board.noticeFaults.push(refused);
    await line.run(MINUTE);
    expect(line.board.notices.map(({ place }) => place)).toMatchObject([
      { type: 'thread' },
      { type: 'dm', link: null },
    ]);
    expect(line.record()).toMatchObject({ isCardGone: true, notice: 'sent' });
  });

  test('in direct messages there is no channel', async () => {
    const thread: ThreadRef = { ...THREAD, workspace: '@me' };
    const line = await ready(asked({ workspace: '@me', thread }));
    line.board.noticeFaults.push(refused, refused);
    await line.run(MINUTE);
    expect(line.board.notices.map(({ place }) => place.type)).toEqual(['thread', 'dm']);
    expect(line.record()?.notice).toBe('undeliverable');
  });
});

describe('a delivery that is interrupted', () => {
  test('is tried again when the platform is busy; the next try looks for what it may have posted', async () => {
    const line = await ready();
    line.board.noticeFaults.push(busy, { late: lost });
    await line.run(5 * MINUTE);
    expect(line.board.notices.map(({ isRepeat }) => isRepeat)).toEqual([false, true, true]);
    expect(line.board.posted).toHaveLength(1);
    expect(line.record()?.notice).toBe('sent');
  });

  test('does not post again when nobody can tell, and says so', async () => {
    const line = await ready();
    line.board.noticeFaults.push(lost);
    await line.run(4_500);
    line.board.noticed = { type: 'unknown' };
    await line.run(MINUTE);
    expect(line.board.posted).toEqual([]);
    expect(line.record()).toMatchObject({ notice: 'unknown', isDelivered: true });
  });

  test('by a kill at any write goes on where it was: one notice, one turn, one record', async () => {
    for (let at = 0; at < 12; at++) {
      const line = await ready();
      killAt(line, at);
      await line.run(10 * MINUTE);
      expect(line.board.posted, `killed at write ${at}`).toHaveLength(1);
      expect(line.record(), `killed at write ${at}`).toMatchObject({ notice: 'sent', isDelivered: true });
      expect((await line.history.read(THREAD)).exchanges, `killed at write ${at}`).toBe(1);
    }
  });

  test('waits for a refused token to be cured, and gives up after a day', async () => {
    const token = new Failure('not-authorised', 'revoked');
    const cured = await ready();
    cured.board.noticeFaults.push(token, token);
    await cured.run(HOUR);
    expect(cured.record()?.notice).toBe('sent');
    const never = await ready();
    never.board.noticeFaults.push(...Array.from({ length: 10_000 }, () => token));
    await never.run(26 * HOUR);
    expect(never.record()).toMatchObject({ notice: 'undeliverable', isDelivered: true });
    expect(never.board.notices.length).toBeLessThan(600);
    expect(never.waiting).toEqual([]);
  });

  test('by the card alone is announced nevertheless', async () => {
    const line = await ready();
    line.board.cardFaults.push(busy, busy);
    await line.run(6_000);
    expect(line.board.posted).toHaveLength(1);
    await line.run(5 * MINUTE);
    expect(line.board.posted).toHaveLength(1);
    expect(line.board.cards.at(-1)?.notices[0]).toContain('Done in');
  });

  test('by a fault of ours in all its runs is revived', async () => {
    const line = await ready();
    const { noticed } = line.researches;
    let faults = 3;
    line.researches.noticed = (...given) =>
      faults-- > 0 ? Promise.reject(new Error('a fault of ours')) : noticed(...given);
    await line.run(10 * MINUTE);
    expect(line.record()).toMatchObject({ notice: 'sent', isDelivered: true });
    expect(line.board.posted).toHaveLength(1);
  });
});

/** The `at`th write to the store from here on, or to the queue, is the last thing its process does: before or after taking effect. */
function killAt(line: Awaited<ReturnType<typeof ready>>, at: number): void {
  let writes = 0;
  const killing =
    <A extends readonly unknown[], R>(write: (...given: A) => Promise<R>) =>
    async (...given: A): Promise<R> => {
      const isLast = writes++ === Math.floor(at / 2);
      if (isLast && at % 2 === 0) throw new Error('killed before');
      const result = await write(...given);
      if (isLast) throw new Error('killed after');
      return result;
    };
  const { researches } = line;
  researches.end = killing(researches.end);
  researches.note = killing(researches.note);
  researches.noticing = killing(researches.noticing);
  researches.noticed = killing(researches.noticed);
  researches.delivered = killing(researches.delivered);
}

describe('a stopped job', () => {
  const stop = (line: Awaited<ReturnType<typeof ready>>, by = asked().asker) =>
    stopResearch(line.deps, line.record()!, by);
  const last = (line: Awaited<ReturnType<typeof ready>>) => line.board.cards.at(-1)?.notices[0];

  test('is cancelled upstream where that can be', async () => {
    const line = setup();
    line.script.api = 'agent';
    await line.begin();
    await line.run(1_000);
    expect(await stop(line)).toBeNull();
    await line.run(10 * MINUTE);
    expect(line.calls).toEqual(['submit agent', 'cancel up-1']);
    expect(last(line)).toBe(`⏹ Cancelled ${line.record()?.name}.`);
    expect(line.board.notices).toEqual([]);
    expect(line.record()).toMatchObject({
      state: 'stopped',
      isCancelled: true,
      notice: 'none',
      isDelivered: true,
    });
    expect(line.metrics).toContain('ended stopped');
  });

  test('is only watched no longer where it cannot; its report is not delivered', async () => {
    const line = await ready();
    await stop(line, { id: 'UADMIN', name: 'Root' });
    await line.run(10 * MINUTE);
    expect(last(line)).toBe(
      `⏹ Stopped watching ${line.record()?.name}. By Root. It cannot be cancelled upstream, so it may still be billed.`,
    );
    expect(line.board.notices).toEqual([]);
    expect((await line.history.read(THREAD)).exchanges).toBe(0);
  });

  test('that has ended already is not stopped', async () => {
    const line = await ready();
    await line.run(MINUTE);
    expect(await stop(line)).toBe(`${line.record()?.name} has already finished.`);
    expect(line.record()?.state).toBe('done');
  });

  test('is stopped also while it is being handed in: what was begun is cancelled', async () => {
    const line = setup();
    line.script.api = 'agent';
    const { submit } = line.deps.model;
    line.deps.model.submit = async (job) => {
      const submitted = await submit(job);
      await stop(line);
      return submitted;
    };
    await line.begin();
    await line.run(10 * MINUTE);
    expect(line.calls).toEqual(['submit agent', 'cancel up-1']);
    expect(line.record()).toMatchObject({ state: 'stopped', isCancelled: true, isDelivered: true });
  });

  test('before anything was handed in costs nothing', async () => {
    const line = setup();
    line.script.submits.push(busy);
    await line.begin();
    await line.run(1_000);
    await stop(line);
    await line.run(10 * MINUTE);
    expect(line.calls).toEqual(['submit chat']);
    expect(last(line)).toBe(`⏹ Cancelled ${line.record()?.name}.`);
  });

  test('is cancelled later when upstream is busy, and the card does not wait for ever', async () => {
    const line = setup();
    line.script.api = 'agent';
    line.script.cancels.push(busy);
    await line.begin();
    await line.run(1_000);
    await stop(line);
    await line.run(10 * MINUTE);
    expect(line.record()?.isCancelled).toBe(true);
    const other = setup();
    other.script.api = 'agent';
    other.script.cancels.push(...Array.from({ length: 50 }, () => busy));
    await other.begin();
    await other.run(1_000);
    await stop(other);
    await other.run(HOUR);
    expect(last(other)).toContain('Stopped watching');
    expect(other.record()?.isDelivered).toBe(true);
  });
});
