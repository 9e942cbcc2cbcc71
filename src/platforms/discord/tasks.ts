import { sleep } from '../../core/concurrency.ts';
import type { Log } from '../../core/ports.ts';

/** What the handling of events has begun, so that a stop can wait for it. */
export interface Tasks {
  /** Follows a task; its failure is logged. */
  run(task: Promise<unknown>): void;
  /** Resolves when all tasks have ended, or after 3 s. */
  drain(): Promise<void>;
}

/** Discord sends nothing again that has arrived, and a process that stops may take a while but not for ever. */
const DRAIN_MS = 3_000;

export function createTasks(log: Log): Tasks {
  const running = new Set<Promise<unknown>>();
  return {
    run(task) {
      const handled = task.catch((error: unknown) => log.error({ err: error }, 'an event was not handled'));
      running.add(handled);
      void handled.then(() => running.delete(handled));
    },
    async drain() {
      const waited = new AbortController();
      await Promise.race([Promise.all(running), sleep(DRAIN_MS, waited.signal)]);
      waited.abort();
    },
  };
}
