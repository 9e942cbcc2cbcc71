import { describe, expect, test, vi } from 'vitest';
import { startLiveReply } from '../../../src/core/answering/live-reply.ts';
import { StopRequested } from '../../../src/core/answering/stop.ts';
import { Failure } from '../../../src/core/failures.ts';
import type { Reply } from '../../../src/core/ports.ts';
import type { View } from '../../../src/core/types.ts';
import { quietLog, THREAD } from '../fakes.ts';

const view = (text: string, state: View['state'] = 'writing'): View => ({
  state,
  status: '',
  text,
  sources: [],
  notices: [],
  footer: null,
  buttons: [],
});

/** A reply whose writes end only when told to, one at a time. */
function setup() {
  const shown: string[] = [];
  const ends: ((fault?: Error) => void)[] = [];
  const lost: unknown[] = [];
  let open = 0;
  let mostOpen = 0;
  const reply: Reply = {
    open: async () => THREAD,
    show(latest) {
      shown.push(latest()?.text ?? 'nothing');
      mostOpen = Math.max(mostOpen, ++open);
      return new Promise((resolve, reject) => {
        ends.push((fault) => {
          open--;
          if (fault) reject(fault);
          else resolve();
        });
      });
    },
    unresolved: () => 0,
    close: async () => {},
  };
  const controller = new AbortController();
  const live = startLiveReply({
    reply,
    open: reply.open,
    log: quietLog,
    signal: controller.signal,
    lost: (reason) => void lost.push(reason),
  });
  const end = async (fault?: Error) => {
    // Longer than the longest back-off in front of a try here.
    await vi.waitFor(() => expect(ends.length).toBeGreaterThan(0), { timeout: 5_000 });
    ends.shift()?.(fault);
  };
  return { live, shown, end, lost, controller, mostOpen: () => mostOpen };
}

describe('live reply', () => {
  test('shows the first words at once and then only the newest, one write at a time', async () => {
    const { live, shown, end, mostOpen } = setup();
    live.update(view('a'));
    await vi.waitFor(() => expect(shown).toEqual(['a']));
    live.update(view('ab'));
    live.update(view('abc'));
    await end();
    await vi.waitFor(() => expect(shown).toEqual(['a', 'abc']));
    const finished = live.finish(view('abcd', 'done'));
    await end();
    await end();
    await finished;
    expect(shown).toEqual(['a', 'abc', 'abcd']);
    expect(mostOpen()).toBe(1);
  });

  test('the final view is tried again until it is there', async () => {
    const { live, shown, end } = setup();
    const finished = live.finish(view('all', 'done'));
    await end(new Failure('unreachable', 'down'));
    await end(new Failure('rate-limited', 'slow down', { retryAfterMs: 1 }));
    await end();
    await finished;
    expect(shown).toEqual(['all', 'all', 'all']);
  });

  test('a place that is gone is reported, and nothing more is written', async () => {
    const { live, shown, end, lost } = setup();
    live.update(view('a'));
    await end(new Failure('gone', 'deleted'));
    await vi.waitFor(() => expect(lost).toHaveLength(1));
    live.update(view('ab'));
    await live.abandon();
    expect(shown).toEqual(['a']);
  });

  test('a stop that the platform reports is passed on, and the end can still be written', async () => {
    const { live, shown, end, lost } = setup();
    live.update(view('a'));
    const stop = new StopRequested({ reason: 'stopped', by: null, at: 0 });
    await end(stop);
    await vi.waitFor(() => expect(lost).toEqual([stop]));
    const finished = live.finish(view('a', 'done'));
    await end();
    await finished;
    expect(shown).toEqual(['a', 'a']);
  });

  test('a stop ends the waiting for a final write', async () => {
    const { live, end, controller } = setup();
    const finished = live.finish(view('all', 'done'));
    const ended = expect(finished).rejects.toThrow('down');
    await end(new Failure('unreachable', 'down', { retryAfterMs: 60_000 }));
    controller.abort();
    await ended;
  });
});
