/** Repeats one step on demand, never twice at a time: a kick during a step has it run once more afterwards. */
export interface Pump {
  kick(): void;
  /** No step begins any more; resolves once none is running. */
  close(): Promise<void>;
}

/** `step` must not reject. */
export function createPump(step: () => Promise<void>): Pump {
  const state = { closed: false, again: false };
  let running: Promise<void> | null = null;

  const run = async (): Promise<void> => {
    while (state.again && !state.closed) {
      state.again = false;
      await step();
    }
    running = null;
  };
  return {
    kick() {
      state.again = true;
      running ??= run();
    },
    async close() {
      state.closed = true;
      await running;
    },
  };
}
