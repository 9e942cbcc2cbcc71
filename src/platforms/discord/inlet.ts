import { sleep } from '../../core/concurrency.ts';
import type { Log } from '../../core/ports.ts';

/** Takes what is said in a channel one after the other, and different channels beside each other. */
export interface Inlet {
  /**
   * Runs the task once everything taken earlier under this key is done; it is tried again, with growing pauses, until it
   * succeeds. Resolves false when it was stopped before. Never rejects.
   */
  take(key: string, task: () => Promise<void>): Promise<boolean>;
  /** Ends the waits between tries; tasks that fail from here on are left undone. */
  stop(): void;
  /** Resolves when nothing is left, or after `ms`. */
  idle(ms: number): Promise<void>;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;

export function createInlet(log: Log): Inlet {
  const tails = new Map<string, Promise<boolean>>();
  const stopping = new AbortController();
  const run = async (task: () => Promise<void>): Promise<boolean> => {
    for (
      let pauseMs = FIRST_PAUSE_MS;
      !stopping.signal.aborted;
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
    ) {
      try {
        await task();
        return true;
      } catch (error) {
        log.error({ err: error, pauseMs }, 'a question could not be stored, trying again');
        await sleep(pauseMs, stopping.signal);
      }
    }
    return false;
  };
  return {
    take(key, task) {
      const before = tails.get(key) ?? Promise.resolve(true);
      const mine = before.then(() => run(task));
      tails.set(key, mine);
      void mine.then(() => {
        if (tails.get(key) === mine) tails.delete(key);
      });
      return mine;
    },
    stop: () => stopping.abort(),
    async idle(ms) {
      const waited = new AbortController();
      await Promise.race([Promise.all(tails.values()), sleep(ms, waited.signal)]);
      waited.abort();
    },
  };
}
