import type { KeyValue, Log } from '../ports.ts';
import { type Person, type Question, type ThreadRef, threadKey } from '../types.ts';

/** Why an answer is to end before it is complete: somebody stopped it, or its question was deleted. */
export interface Stop {
  readonly reason: 'stopped' | 'deleted';
  /** Null when the platform does not say who. */
  readonly by: Person | null;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The reason of a signal that a stop has aborted. */
export class StopRequested extends Error {
  readonly stop: Stop;

  constructor(stop: Stop) {
    super(`answer ${stop.reason}`);
    this.name = 'StopRequested';
    this.stop = stop;
  }
}

/** Ends answers under way, on whichever replica they are being written. */
export interface Stops {
  /** Asks for one question's answer to end. */
  question(id: string, reason: Stop['reason'], by: Person | null): Promise<void>;
  /** Asks for whatever is being answered in this thread to end. */
  thread(thread: ThreadRef, by: Person): Promise<void>;
  /** Calls back once, when somebody wants this answer to end; returns how to stop watching. */
  watch(question: Question, onStop: (stop: Stop) => void): () => void;
}

/** Another replica's request is seen this late; our own at once. */
const LOOK_EVERY_MS = 1_000;
/** A request that found nobody is forgotten: no answer lasts longer. */
const KEPT_MS = 30 * 60_000;

interface Watcher {
  readonly keys: readonly string[];
  /** Requests for a whole thread count only from here on. */
  readonly since: number;
  readonly onStop: (stop: Stop) => void;
}

/** Creates the requests over a key-value store: a request is a signal, neither a claim nor a lock. */
export function createStops(store: KeyValue, log: Log): Stops {
  return new StoredStops(store, log);
}

class StoredStops implements Stops {
  readonly #store: KeyValue;
  readonly #log: Log;
  readonly #watchers = new Set<Watcher>();
  #isLooking = false;

  constructor(store: KeyValue, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  question(id: string, reason: Stop['reason'], by: Person | null): Promise<void> {
    return this.#request(questionKey(id), { reason, by, at: Date.now() });
  }

  thread(thread: ThreadRef, by: Person): Promise<void> {
    return this.#request(threadStopKey(thread), { reason: 'stopped', by, at: Date.now() });
  }

  watch(question: Question, onStop: (stop: Stop) => void): () => void {
    const keys = [questionKey(question.id), ...(question.thread ? [threadStopKey(question.thread)] : [])];
    const watcher: Watcher = { keys, since: Date.now(), onStop };
    this.#watchers.add(watcher);
    if (!this.#isLooking) this.#lookLater();
    return () => this.#watchers.delete(watcher);
  }

  async #request(key: string, stop: Stop): Promise<void> {
    await this.#store.set(key, stop, KEPT_MS);
    this.#tell(key, stop);
  }

  #tell(key: string, stop: Stop): void {
    for (const watcher of this.#watchers) {
      const isMeant = watcher.keys.includes(key) && (isQuestionKey(key) || stop.at >= watcher.since);
      if (isMeant && this.#watchers.delete(watcher)) watcher.onStop(stop);
    }
  }

  /** Only while something is being answered. */
  #lookLater(): void {
    this.#isLooking = this.#watchers.size > 0;
    if (this.#isLooking) setTimeout(() => void this.#look(), LOOK_EVERY_MS);
  }

  async #look(): Promise<void> {
    if (this.#watchers.size === 0) return this.#lookLater();
    const keys = [...new Set([...this.#watchers].flatMap((watcher) => watcher.keys))];
    try {
      const found = await this.#store.getMany<Stop>(keys);
      for (const [index, stop] of found.entries()) if (stop) this.#tell(keys[index] ?? '', stop);
    } catch (error) {
      this.#log.debug({ err: error }, 'could not look for stops');
    }
    this.#lookLater();
  }
}

function questionKey(id: string): string {
  return `question:${id}`;
}

function isQuestionKey(key: string): boolean {
  return key.startsWith('question:');
}

function threadStopKey(thread: ThreadRef): string {
  return `thread:${threadKey(thread)}`;
}
