/** Faults waiting to be injected, in the order they were asked for. */
import type { Fault } from './types.ts';

export interface Faults {
  /** `method` may be `*`; `times` may be Infinity. */
  add(method: string, fault: Fault, times: number): void;
  /** The fault for this call, used up; null for none. */
  take(method: string): Fault | null;
  clear(): void;
}

export function createFaults(): Faults {
  let waiting: { readonly method: string; readonly fault: Fault; left: number }[] = [];
  return {
    add(method, fault, times) {
      waiting.push({ method, fault, left: times });
    },
    take(method) {
      const found = waiting.find((entry) => entry.method === method || entry.method === '*');
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
