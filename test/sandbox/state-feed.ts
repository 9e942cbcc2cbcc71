import { type Changes, createComparer } from './changes.ts';
import type { PageState } from './page-state.ts';

/** The state that all open pages show, and who must hear of its changes. */
export interface StateFeed {
  /** The state as of now. */
  state(): PageState;
  /** Something may have changed. */
  touch(): void;
  /** Calls the listener with every change from now on; returns how to end that. */
  subscribe(listener: (changes: Changes) => void): () => void;
  close(): void;
}

/** A change is shown this much later, together with those that follow at once. */
const TOGETHER_MS = 40;
/** What goes away by itself, such as a typing indicator, is looked for this often. */
const LOOK_MS = 1_000;

/** @param read makes the state anew; it costs time in proportion to all that has been said. */
export function createStateFeed(read: () => Omit<PageState, 'version'>): StateFeed {
  const listeners = new Set<(changes: Changes) => void>();
  const compare = createComparer();
  let version = 0;
  let timer: ReturnType<typeof setTimeout> | null = null;

  const refresh = (): Omit<PageState, 'version'> => {
    if (timer) clearTimeout(timer);
    timer = null;
    const state = read();
    const changes = compare(state);
    if (changes) {
      version++;
      for (const listener of listeners) listener({ version, ...changes });
    }
    return state;
  };
  const looking = setInterval(() => listeners.size > 0 && refresh(), LOOK_MS);
  looking.unref();

  return {
    state() {
      const state = refresh();
      return { version, ...state };
    },
    touch() {
      if (listeners.size > 0) timer ??= setTimeout(refresh, TOGETHER_MS);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      if (timer) clearTimeout(timer);
      clearInterval(looking);
      listeners.clear();
    },
  };
}
