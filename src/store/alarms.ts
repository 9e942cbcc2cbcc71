/** Wakes a queue when one of its delayed jobs is due. Jobs that another process delayed are found by the pulse. */
export interface Alarms {
  /** `delayMs` from now; at once when it is 0. */
  set(queue: string, delayMs: number): void;
  close(): void;
}

/** The database counts from the moment of the insert, and in whole milliseconds: a moment later the job is surely due. */
const MARGIN_MS = 5;
/** Node's timers fire at once beyond this; what is due later is found by the pulse. */
const LONGEST_MS = 2 ** 31 - 1;

export function createAlarms(wake: (queue: string) => void): Alarms {
  const timers = new Set<NodeJS.Timeout>();
  return {
    set(queue, delayMs) {
      if (delayMs <= 0) return wake(queue);
      if (delayMs + MARGIN_MS > LONGEST_MS) return;
      const timer = setTimeout(() => {
        timers.delete(timer);
        wake(queue);
      }, delayMs + MARGIN_MS);
      timer.unref();
      timers.add(timer);
    },
    close() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}
