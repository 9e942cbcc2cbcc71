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
