import type { SessionInfo } from '@discordjs/ws';
import type { KeyValue, Log } from '../../core/ports.ts';
import { compareIds } from './wire.ts';

/**
 * The gateway sessions of this bot, kept in the store so that the next process resumes where this one was killed and is
 * sent what it missed. What is stored is behind what was received: only events whose questions are durable count.
 */
export interface Sessions {
  /** Reads what an earlier process left for these shards. */
  load(shards: readonly number[]): Promise<void>;
  retrieve(shard: number): SessionInfo | null | Promise<never>;
  update(shard: number, session: SessionInfo | null): void;
  /** A connection said hello: from here on Discord itself decides about the session. */
  greeted(shard: number): void;
  /** A connection ended. */
  closed(shard: number): void;
  /** An event has arrived; call what is returned when it is dealt with. */
  track(shard: number, sequence: number): (message: string | null, isQuestion: boolean) => void;
  /** The newest message dealt with before the session in use began; null when there is none. */
  newestBefore(shard: number): string | null;
  /** Writes what is not written yet. Never rejects. */
  flush(): Promise<void>;
  /** No connection is made any more. */
  stop(): void;
}

interface Stored {
  readonly session: SessionInfo;
  readonly intents: number;
  readonly newest: string | null;
}

interface Pending {
  readonly sequence: number;
  isDone: boolean;
}

interface Line {
  session: SessionInfo | null;
  /** Events not dealt with yet, in order of arrival. */
  pending: Pending[];
  /** Everything up to here is dealt with. */
  sequence: number;
  newest: string | null;
  newestBefore: string | null;
  isGreeted: boolean;
  wasGreeted: boolean;
  /** Since when connections have failed without a hello. */
  failingSince: number | null;
}

const SAVE_EVERY_MS = 1_000;
const KEPT_MS = 24 * 60 * 60_000;
/** Discord keeps a session for a few minutes; after that its own address is not worth insisting on. */
const INSIST_MS = 3 * 60_000;

export function createSessions(options: {
  readonly store: KeyValue;
  readonly botId: string;
  /** A session keeps the intents it was begun with. */
  readonly intents: number;
  readonly log: Log;
}): Sessions {
  return new StoredSessions(options);
}

class StoredSessions implements Sessions {
  readonly #options: Parameters<typeof createSessions>[0];
  readonly #lines = new Map<number, Line>();
  readonly #unsaved = new Set<number>();
  #saving: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #isStopped = false;

  constructor(options: Parameters<typeof createSessions>[0]) {
    this.#options = options;
  }

  async load(shards: readonly number[]): Promise<void> {
    const stored = await this.#options.store.getMany<Stored>(shards.map((shard) => this.#key(shard)));
    for (const [index, shard] of shards.entries()) {
      const found = stored[index];
      const line = this.#line(shard);
      line.newest = found?.newest ?? null;
      line.newestBefore = line.newest;
      if (found?.intents === this.#options.intents) this.#begin(line, found.session);
    }
  }

  /** After `stop` it never answers: discord.js asks before it reconnects, and must not. */
  retrieve(shard: number): SessionInfo | null | Promise<never> {
    if (this.#isStopped) return new Promise<never>(() => {});
    const line = this.#line(shard);
    if (!line.isGreeted) line.wasGreeted = false;
    return line.session;
  }

  /**
   * discord.js drops a session whenever a connection attempt is refused, and with it what was missed; it is kept unless
   * Discord itself has ended it.
   */
  update(shard: number, session: SessionInfo | null): void {
    if (this.#isStopped) return;
    const line = this.#line(shard);
    if (session) {
      line.failingSince = null;
      if (line.session?.sessionId === session.sessionId) line.session = session;
      else {
        line.newestBefore = line.newest;
        this.#begin(line, session);
        this.#saveSoon(shard, true);
      }
      return;
    }
    line.failingSince ??= performance.now();
    const isEnded = line.isGreeted || line.wasGreeted;
    if (isEnded || performance.now() - line.failingSince > INSIST_MS) line.session = null;
  }

  greeted(shard: number): void {
    this.#line(shard).isGreeted = true;
  }

  closed(shard: number): void {
    const line = this.#line(shard);
    line.wasGreeted = line.isGreeted;
    line.isGreeted = false;
  }

  track(shard: number, sequence: number): (message: string | null, isQuestion: boolean) => void {
    const line = this.#line(shard);
    const entry: Pending = { sequence, isDone: false };
    const { pending } = line;
    pending.push(entry);
    return (message, isQuestion) => {
      entry.isDone = true;
      if (message && (!line.newest || compareIds(message, line.newest) > 0)) line.newest = message;
      // Events of a session that has ended say nothing about the one in use.
      if (line.pending !== pending) return;
      while (pending[0]?.isDone) line.sequence = Math.max(line.sequence, pending.shift()?.sequence ?? 0);
      this.#saveSoon(shard, isQuestion);
    };
  }

  newestBefore(shard: number): string | null {
    return this.#line(shard).newestBefore;
  }

  async flush(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#saving;
    await this.#save();
  }

  stop(): void {
    this.#isStopped = true;
  }

  #line(shard: number): Line {
    const known = this.#lines.get(shard);
    if (known) return known;
    const line: Line = {
      session: null,
      pending: [],
      sequence: 0,
      newest: null,
      newestBefore: null,
      isGreeted: false,
      wasGreeted: false,
      failingSince: null,
    };
    this.#lines.set(shard, line);
    return line;
  }

  #begin(line: Line, session: SessionInfo): void {
    line.session = session;
    line.pending = [];
    line.sequence = session.sequence;
  }

  #saveSoon(shard: number, isUrgent: boolean): void {
    this.#unsaved.add(shard);
    if (isUrgent && !this.#saving) {
      this.#saving = this.#save().finally(() => {
        this.#saving = null;
      });
    } else {
      this.#timer ??= setTimeout(() => void this.flush(), SAVE_EVERY_MS);
      this.#timer.unref();
    }
  }

  async #save(): Promise<void> {
    const shards = [...this.#unsaved];
    this.#unsaved.clear();
    for (const shard of shards) {
      const { session, sequence, newest } = this.#line(shard);
      if (!session) continue;
      const stored: Stored = { session: { ...session, sequence }, intents: this.#options.intents, newest };
      try {
        await this.#options.store.set(this.#key(shard), stored, KEPT_MS);
      } catch (error) {
        // Tried again with the next event; an older state only means that more is replayed.
        this.#options.log.debug({ err: error }, 'gateway session not saved');
        this.#unsaved.add(shard);
      }
    }
  }

  #key(shard: number): string {
    return `session:${this.#options.botId}:${shard}`;
  }
}
