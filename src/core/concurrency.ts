import type { Log } from './ports.ts';

/** Lets a side task run beside the main line; its failure is a log line and never stops anything. */
export function runInBackground(log: Log, what: string, task: Promise<unknown>): void {
  task.catch((error: unknown) => log.warn({ err: error, task: what }, 'side task failed'));
}

/**
 * Waits; resolves early (never rejects) when the signal is aborted, so callers check `signal.aborted` where it matters.
 * Built on the global timer: fake timers in tests reach it, unlike node:timers/promises.
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

/**
 * Creates a runner that takes what belongs to one key one after the other, in the order of the calls, and different keys
 * side by side. A run that rejects does not keep the next one from its turn.
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

/** Begins `make` with the first call and gives every caller what came of it; after a failure the next call begins it again. */
export function onDemand<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    if (made) return made;
    const making = make();
    made = making;
    making.catch(() => {
      made = null;
    });
    return making;
  };
}
