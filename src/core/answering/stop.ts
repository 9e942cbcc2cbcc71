import type { KeyValue, Log } from '../ports.ts';
import { type Person, type PlatformName, type Question, type ThreadRef, threadKey } from '../types.ts';

/** A request to end an answer early: somebody stopped it, or its question was deleted. */
export interface Stop {
  readonly reason: 'stopped' | 'deleted';
  /** Null when the platform does not say who. */
  readonly by: Person | null;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The abort reason of an answer that was stopped. */
export class StopRequested extends Error {
  readonly stop: Stop;

  constructor(stop: Stop) {
    super(`answer ${stop.reason}`);
    this.name = 'StopRequested';
    this.stop = stop;
  }
}

/** The stop that a person asked for, if that is why the signal was aborted. */
export function readStop({ aborted, reason }: AbortSignal): Stop | null {
  return aborted && reason instanceof StopRequested ? reason.stop : null;
}

/** Whether a person may stop what was asked, or ask it again: the asker and admins may. */
export function mayStop(
  { isAdmin }: { readonly isAdmin: (platform: PlatformName, personId: string) => boolean },
  { platform, asker }: Question,
  personId: string,
): boolean {
  return asker.id === personId || isAdmin(platform, personId);
}

/** What somebody reads who may not. */
export function explainMayNot({ asker }: Question): string {
  return `Only ${asker.name ?? 'the person who asked'} or an admin can do that.`;
}

/** Ends running answers, on any replica. */
export interface Stops {
  /** Requests the end of one question's answer. */
  question(id: string, reason: Stop['reason'], by: Person | null): Promise<void>;
  /** Those of these questions, or other messages by the ids that questions in them would have, that were deleted lately. */
  deleted(ids: readonly string[]): Promise<readonly string[]>;
  /** Requests the end of every running answer in this thread. */
  thread(thread: ThreadRef, by: Person): Promise<void>;
  /**
   * Calls back when the end of this answer is requested, until it says by returning true that the request was granted.
   */
  watch(question: Question, onStop: (stop: Stop) => boolean): StopWatch;
}

export interface StopWatch {
  /** Resolves once what was requested before has been told, also where that cannot be found out. */
  readonly caughtUp: Promise<void>;
  end(): void;
}

/** Requests made on another replica are seen within this time; our own at once. */
const POLL_INTERVAL_MS = 1_000;
/** Requests expire: no question waits longer for its answer and is still of use. */
const TTL_MS = 24 * 3_600_000;

interface Watcher {
  readonly keys: readonly string[];
  /** Requests for a whole thread apply only from this time on. */
  readonly since: number;
  readonly onStop: (stop: Stop) => boolean;
}

/** Creates stop requests over a key-value store. Keyv suffices, because a request is a signal, neither a claim nor a lock. */
export function createStops(store: KeyValue, log: Log): Stops {
  return new StoredStops(store, log);
}

class StoredStops implements Stops {
  readonly #store: KeyValue;
  readonly #log: Log;
  readonly #watchers = new Set<Watcher>();
  #isPolling = false;

  constructor(store: KeyValue, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  question(id: string, reason: Stop['reason'], by: Person | null): Promise<void> {
    return this.#request(questionKey(id), { reason, by, at: Date.now() });
  }

  async deleted(ids: readonly string[]): Promise<readonly string[]> {
    if (ids.length === 0) return [];
    const found = await this.#store.getMany<Stop>(ids.map(questionKey));
    return ids.filter((_, n) => found[n]?.reason === 'deleted');
  }

  thread(thread: ThreadRef, by: Person): Promise<void> {
    return this.#request(threadStopKey(thread), { reason: 'stopped', by, at: Date.now() });
  }

  watch(question: Question, onStop: (stop: Stop) => boolean): StopWatch {
    const keys = [questionKey(question.id), ...(question.thread ? [threadStopKey(question.thread)] : [])];
    const watcher: Watcher = { keys, since: Date.now(), onStop };
    this.#watchers.add(watcher);
    if (!this.#isPolling) this.#pollLater();
    return { caughtUp: this.#lookFor(keys), end: () => this.#watchers.delete(watcher) };
  }

  async #request(key: string, stop: Stop): Promise<void> {
    await this.#store.set(key, stop, TTL_MS);
    this.#tell(key, stop);
  }

  #tell(key: string, stop: Stop): void {
    for (const watcher of this.#watchers) {
      const isMeant = watcher.keys.includes(key) && (isQuestionKey(key) || stop.at >= watcher.since);
      if (isMeant && watcher.onStop(stop)) this.#watchers.delete(watcher);
    }
  }

  /** Polls only while an answer is running. */
  #pollLater(): void {
    this.#isPolling = this.#watchers.size > 0;
    if (this.#isPolling) setTimeout(() => void this.#poll(), POLL_INTERVAL_MS);
  }

  async #poll(): Promise<void> {
    if (this.#watchers.size === 0) return this.#pollLater();
    await this.#lookFor([...new Set([...this.#watchers].flatMap((watcher) => watcher.keys))]);
    this.#pollLater();
  }

  /** Never rejects. */
  async #lookFor(keys: readonly string[]): Promise<void> {
    try {
      const found = await this.#store.getMany<Stop>(keys);
      for (const [index, stop] of found.entries()) if (stop) this.#tell(keys[index] ?? '', stop);
    } catch (error) {
      this.#log.debug({ err: error }, 'could not look for stops');
    }
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
