/**
 * Creates a runner that takes what belongs to one key one after the other, in the order of the calls, and different keys
 * side by side. A run that rejects does not keep the next one from its turn.
 */
export function createInOrder(): <T>(key: string, run: () => Promise<T>) => Promise<T> {
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
