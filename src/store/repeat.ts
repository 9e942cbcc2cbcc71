import { sleep } from '../core/concurrency.ts';
import type { Log } from '../core/ports.ts';

/** A task that is repeated in the background. */
export interface Repetition {
  /** Runs the task now, or once more when it is running. */
  wake(): void;
  /** Resolves once the task, if it is running, has ended. */
  stop(): Promise<void>;
}

/**
 * Runs `task` every `everyMs`, the first time after that interval, and whenever it is woken; never twice at a time. What wakes it
 * within `gatherMs` is one run. Logs the first of several failures, with `about`, and the end of them.
 */
export function repeat(
  everyMs: number,
  task: (stopped: AbortSignal) => Promise<void>,
  log: Log,
  about: { readonly task: string; readonly queue?: string },
  gatherMs = 0,
): Repetition {
  const stopped = new AbortController();
  let pause = new AbortController();
  const run = async (): Promise<void> => {
    let isFailing = false;
    for (;;) {
      await sleep(everyMs, pause.signal);
      if (gatherMs > 0) await sleep(gatherMs, stopped.signal);
      if (stopped.signal.aborted) return;
      // Before the task: whoever wakes it while it runs has it run again.
      pause = new AbortController();
      try {
        await task(stopped.signal);
        if (isFailing) log.info(about, 'a background task works again');
        isFailing = false;
      } catch (error) {
        if (!isFailing) log.warn({ ...about, err: error }, 'a background task fails; it is tried again');
        isFailing = true;
      }
    }
  };
  const running = run();
  return {
    wake: () => pause.abort(),
    async stop() {
      stopped.abort();
      pause.abort();
      await running;
    },
  };
}
