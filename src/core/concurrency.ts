import { once } from 'node:events';
import type { Log } from './ports.ts';

/** Runs a task that nobody waits for. Its failure is logged and stops nothing. */
export function runInBackground(log: Log, what: string, task: Promise<unknown>): void {
  task.catch((error: unknown) => log.warn({ err: error, task: what }, 'side task failed'));
}

/**
 * Waits `ms` milliseconds. An abort ends the wait early; it never rejects, so callers check `signal.aborted` where it matters.
 * It uses the global timer, because fake timers do not reach node:timers/promises.
 */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });
}

/** Resolves when the signal is aborted. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

/** Creates a gate: at most `limit` tasks run at a time, the others wait in the order of the calls. */
export function createGate(limit: number): <T>(run: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (run) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await run();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}

/**
 * Creates a queue per key: tasks of one key run one after the other, in the order of the calls; tasks of different keys run
 * at the same time. A task that rejects does not block the next one.
 */
export function createKeyedQueue(): <T>(key: string, run: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return (key, run) => {
    const result = last.get(key)?.then(run, run) ?? run();
    last.set(key, result);
    const forget = (): void => {
      if (last.get(key) === result) last.delete(key);
    };
    result.then(forget, forget);
    return result;
  };
}
