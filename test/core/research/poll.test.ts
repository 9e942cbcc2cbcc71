import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Failure } from '../../../src/core/failures.ts';
import type { UpstreamState } from '../../../src/core/research/ports.ts';
import { asked, MINUTE, REPORT, setup } from './setup.ts';

const DAY = 24 * 60 * MINUTE;
const done: UpstreamState = { state: 'done', report: REPORT };
const running: UpstreamState = { state: 'running' };

async function begun(...looks: (UpstreamState | Failure | Error)[]) {
  const line = setup();
  line.script.looks.push(...looks);
  await line.begin();
  await line.run(1_000);
  return line;
}

const looksOf = (calls: readonly string[]): number => calls.filter((call) => call === 'look').length;

describe('a running job', () => {
  test('is looked at until it is done, and shown sparsely meanwhile', async () => {
    const line = await begun(...Array.from({ length: 11 }, () => running), done);
    await line.run(10 * MINUTE);
    expect(line.record()).toMatchObject({ state: 'done', isDelivered: true });
    const states = line.board.cards.map(({ notices }) => notices[0]?.replace(/^\S+ · /, ''));
    expect(states[0]).toBe('Queued');
    expect(states.slice(1, -1).every((state) => state?.startsWith('Researching · '))).toBe(true);
    expect(states.at(-1)).toMatch(/^Done in \d+ min$/);
    // One edit a look: rarer and rarer, then one a minute.
    expect(states.length).toBeLessThanOrEqual(1 + 12);
    expect(line.board.cards.at(-1)?.buttons).toEqual([]);
  });

  test('is told about once past its deadline, and shown no more', async () => {
    const line = await begun(running);
    await line.run(60 * MINUTE);
    const before = line.board.cards.length;
    await line.run(5 * 60 * MINUTE);
    expect(line.board.cards).toHaveLength(before);
    const [late, ...more] = [...line.platform.shown.values()].flat();
    expect(more).toEqual([]);
    expect(late?.notices[0]).toMatch(/still running at Perplexity. I keep looking, once an hour, until \d/);
    const soFar = looksOf(line.calls);
    await line.run(10 * 60 * MINUTE);
    expect(looksOf(line.calls) - soFar).toBe(10);
  });

  test('is told about at the next look where that cannot be written now', async () => {
    const line = setup({ deadlineMs: 10 * MINUTE });
    line.script.looks.push(running);
    line.platform.faults.push(new Failure('unreachable', 'x'));
    await line.begin();
    await line.run(30 * MINUTE);
    expect(line.platform.shown.size).toBe(0);
    await line.run(60 * MINUTE);
    expect([...line.platform.shown.values()].flat()).toHaveLength(1);
  });

  test('that finishes after days is delivered', async () => {
    const line = await begun(running);
    await line.run(3 * DAY);
    line.script.looks.splice(0, 1, done);
    await line.run(2 * 60 * MINUTE);
    expect(line.record()).toMatchObject({ state: 'done', notice: 'sent' });
  });

  test('that never ends is given up after seven days, with a word', async () => {
    const line = await begun(running);
    await line.run(8 * DAY);
    expect(line.record()).toMatchObject({ ending: { fault: 'expired' }, notice: 'sent', isDelivered: true });
    expect(line.waiting).toEqual([]);
  });
});

describe('what upstream says', () => {
  test.each([
    [{ state: 'failed', remedy: 'try less' }, 'failed', 'try less'],
    [{ state: 'cancelled' }, 'cancelled', null],
  ] as const)('%j ends the job', async (state, fault, remedy) => {
    const line = await begun(running, state);
    await line.run(MINUTE);
    expect(line.record()).toMatchObject({ ending: { fault, remedy }, notice: 'sent' });
    expect(line.metrics).toContain(`ended ${fault}`);
  });

  test('complete without a report is looked at a few more times', async () => {
    const empty = { state: 'empty' } as const;
    const late = await begun(empty, empty, empty, done);
    await late.run(5 * MINUTE);
    expect(late.record()?.state).toBe('done');
    const never = await begun(empty);
    await never.run(10 * MINUTE);
    expect(never.record()).toMatchObject({ ending: { fault: 'empty' } });
    expect(looksOf(never.calls)).toBe(6);
  });

  test('unknown is too new at first, and lost later', async () => {
    const missing = { state: 'missing' } as const;
    const fresh = await begun(missing, missing, missing, done);
    await fresh.run(5 * MINUTE);
    expect(fresh.record()?.state).toBe('done');
    const lost = await begun(missing);
    await lost.run(9 * MINUTE);
    expect(lost.record()?.state).toBe('running');
    await lost.run(3 * MINUTE);
    expect(lost.record()).toMatchObject({ ending: { fault: 'missing' } });
  });

  test('flapping ends in the report, once', async () => {
    const line = await begun(
      running,
      { state: 'queued' },
      { state: 'empty' },
      running,
      { state: 'missing' },
      done,
      running,
    );
    await line.run(10 * MINUTE);
    expect(line.record()?.state).toBe('done');
    expect(line.board.posted).toHaveLength(1);
  });
});

describe('a look that fails', () => {
  test('keeps the job, and waits as long as it is told to', async () => {
    const line = await begun(new Failure('rate-limited', 'busy', { retryAfterMs: 5 * MINUTE }), done);
    await line.run(4 * MINUTE);
    expect(looksOf(line.calls)).toBe(1);
    await line.run(2 * MINUTE);
    expect(line.record()?.state).toBe('done');
  });

  test.each(['unreachable', 'too-slow', 'malformed'] as const)('with %s keeps the job', async (kind) => {
    const line = await begun(new Failure(kind, 'x'), new Failure(kind, 'x'), done);
    await line.run(3 * MINUTE);
    expect(line.record()?.state).toBe('done');
  });

  test('for a refused key alerts the admins, and ends the job only past its deadline', async () => {
    const refused = new Failure('not-authorised', 'no', { status: 401 });
    const line = await begun(refused);
    await line.run(30 * MINUTE);
    expect(line.record()?.state).toBe('running');
    expect(line.alerts[0]).toContain('(401)');
    expect(looksOf(line.calls)).toBeLessThanOrEqual(31);
    await line.run(40 * MINUTE);
    expect(line.record()).toMatchObject({ ending: { fault: 'not-authorised' } });
    expect(line.board.posted[0]?.view.notices[0]).toContain('It may have been charged.');
  });

  test('with a Retry-After of years keeps the job’s own ends: it is told of as late, and given up', async () => {
    const line = await begun(new Failure('unreachable', 'x', { retryAfterMs: 1_000 * DAY }));
    await line.run(2 * 60 * MINUTE);
    expect([...line.platform.shown.values()].flat()[0]?.notices[0]).toContain('still running');
    await line.run(8 * DAY);
    expect(line.record()).toMatchObject({ ending: { fault: 'expired' }, notice: 'sent' });
  });

  test('by a fault of ours in all its runs is revived', async () => {
    const faults = Array.from({ length: 3 }, () => new Error('a fault of ours'));
    const line = await begun(...faults, done);
    await line.run(5 * MINUTE);
    expect(line.record()).toMatchObject({ state: 'done', notice: 'sent' });
  });

  test('to be shown changes nothing about the job', async () => {
    const line = await begun(running, running, running, done);
    line.board.cardFaults.push(new Failure('rate-limited', 'x'), new Failure('gone', 'deleted'));
    await line.run(10 * MINUTE);
    expect(line.record()).toMatchObject({ state: 'done', isCardGone: true, notice: 'sent' });
    // A card that somebody deleted is not posted again.
    expect(line.board.cards).toHaveLength(1);
  });
});

test('however many are due at once, looks keep to the rate of the API', async () => {
  vi.useFakeTimers().setTimerTickMode('nextTimerAsync');
  onTestFinished(() => void vi.useRealTimers());
  const line = setup({ limits: { perPerson: 1_000, perWorkspace: 1_000 } }, { agent: 1_500 });
  line.script.api = 'agent';
  line.script.looks.push(running);
  const times: number[] = [];
  const { poll: look } = line.deps.model;
  line.deps.model.poll = (...given) => {
    times.push(line.clock.now);
    return look(...given);
  };
  for (let n = 0; n < 60; n++) await line.begin(asked({ id: `job ${n}` }));
  await line.run(MINUTE);
  // As after an outage: all looks are overdue together.
  line.clock.now += 20 * MINUTE;
  times.length = 0;
  await line.run(10 * MINUTE);
  expect(times.length).toBeGreaterThan(100);
  for (const [n, time] of times.entries()) {
    const within = times.filter((other) => other >= time && other < time + MINUTE).length;
    expect(within, `from look ${n}`).toBeLessThanOrEqual(41);
  }
});
