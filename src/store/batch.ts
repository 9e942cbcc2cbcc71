/**
 * Turns single writes into batches without a timer: while one batch is being written the next one gathers. Each caller's
 * promise settles with its batch.
 */
export function createBatch<T>(write: (items: readonly T[]) => Promise<void>): (item: T) => Promise<void> {
  let gathering: T[] = [];
  let next: Promise<void> | null = null;
  let last: Promise<void> = Promise.resolve();

  return (item) => {
    gathering.push(item);
    next ??= last.then(() => {
      const items = gathering;
      gathering = [];
      next = null;
      const written = write(items);
      // The next batch waits for this one whatever became of it.
      last = written.catch(() => {});
      return written;
    });
    return next;
  };
}
