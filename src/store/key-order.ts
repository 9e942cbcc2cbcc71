import { sleep } from '../core/concurrency.ts';

/**
 * Runs what belongs to one key one after the other, in the order of the calls, and never two within the same millisecond:
 * the queue orders jobs by the database's clock, which counts whole milliseconds in PGlite, and statements sent together
 * over several connections may overtake each other.
 */
export function createKeyOrder(): <T>(key: string, run: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<void>>();
  return (key, run) => {
    const before = last.get(key);
    const result = before ? before.then(run) : run();
    const over = result.then(nextMillisecond, nextMillisecond);
    last.set(key, over);
    void over.then(() => {
      if (last.get(key) === over) last.delete(key);
    });
    return result;
  };
}

async function nextMillisecond(): Promise<void> {
  const now = Date.now();
  while (Date.now() === now) await sleep(1);
}
