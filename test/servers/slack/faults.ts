/** Faults waiting to be injected, in the order they were asked for. */
import type { Fault } from './types.ts';

export interface Faults {
  /** `method` may be `*`; `times` may be Infinity; `every`: 3 for each third of the calls it is for. */
  add(method: string, fault: Fault, times: number, every?: number): void;
  /** The fault for this call, used up; null for none. */
  take(method: string): Fault | null;
  clear(): void;
}

export function createFaults(): Faults {
  let waiting: {
    readonly method: string;
    readonly fault: Fault;
    readonly every: number;
    left: number;
    seen: number;
  }[] = [];
  return {
    add(method, fault, times, every = 1) {
      waiting.push({ method, fault, every, left: times, seen: 0 });
    },
    take(method) {
      const found = waiting.find((entry) => {
        if (entry.method !== method && entry.method !== '*') return false;
        entry.seen += 1;
        return entry.seen % entry.every === 0;
      });
      if (found === undefined) return null;
      found.left -= 1;
      if (found.left <= 0) waiting = waiting.filter((entry) => entry !== found);
      return found.fault;
    },
    clear() {
      waiting = [];
    },
  };
}
