import type { KeyValue } from '../ports.ts';
import { type Question, type ThreadRef, type Turn, threadKey } from '../types.ts';
import { createRememberedMessages } from './remembered-messages.ts';

/** The part of a thread's history that is read: its beginning, its newest turns, and how many exchanges there are in all. */
export interface HistoryWindow {
  /** The turns of the first exchange, unless they are among `newest` already. */
  readonly root: readonly Turn[];
  readonly newest: readonly Turn[];
  /** Exchanges (a question and its answer) remembered in all. */
  readonly exchanges: number;
  /** The exchanges that are not in this window. */
  readonly omitted: number;
  readonly trimmed: Trimmed;
  /** The newest question that is remembered; null in an unknown thread. What was said before it is remembered as well. */
  readonly mark: Mark | null;
}

/** What of a thread is not used. */
interface Trimmed {
  /** Something that was said there is not remembered. */
  readonly isCut: boolean;
  /** People there have been told that only part of it is used. */
  readonly isTold: boolean;
}

/** A question by its id, and when it was asked, in milliseconds since the epoch. */
interface Mark {
  readonly question: string;
  readonly at: number;
}

/** The history of threads. Reading and appending cost the same for 10 and for 1,000 exchanges. */
export interface History {
  read(thread: ThreadRef): Promise<HistoryWindow>;
  /** Adds the exchange of one question, with what was said before it. The thread's last question again changes nothing. `isNew`: the exchanges before are read no more. */
  append(
    thread: ThreadRef,
    asked: Pick<Question, 'id' | 'askedAt'>,
    turns: readonly Turn[],
    trimmed?: Partial<Trimmed & { readonly isNew: boolean }>,
  ): Promise<void>;
  /** Those of some turns that this thread does not remember yet. */
  unknown(thread: ThreadRef, turns: readonly Turn[]): Promise<readonly Turn[]>;
  /** The threads that remember the message of this id. */
  find(id: string): Promise<readonly ThreadRef[]>;
  /** Takes what was said in a message out of the threads that remember it, and the answer to it. */
  forget(id: string): Promise<void>;
}

interface Index {
  readonly exchanges: number;
  readonly lastQuestion: string;
  /** This and the next are absent in what earlier versions wrote. */
  readonly trimmed?: Trimmed;
  readonly mark?: Mark;
}

export interface HistoryOptions {
  /** How many of the newest exchanges are read. */
  readonly window: number;
  /** How long an exchange is kept after it was written. */
  readonly ttlMs: number;
}

/** The history of an unknown thread. */
export const EMPTY_HISTORY: HistoryWindow = {
  root: [],
  newest: [],
  exchanges: 0,
  omitted: 0,
  trimmed: { isCut: false, isTold: false },
  mark: null,
};

/**
 * Creates a history that keeps one entry per exchange and a small index. It needs no atomic operations, because the questions
 * of a thread are answered strictly in order: each thread has one writer.
 */
export function createHistory(store: KeyValue, { window, ttlMs }: HistoryOptions): History {
  const messages = createRememberedMessages(store, ttlMs, entry);
  return {
    async read(thread) {
      const index = await store.get<Index>(threadKey(thread));
      if (!index) return EMPTY_HISTORY;
      const first = Math.max(0, index.exchanges - window);
      const numbers = first > 0 ? [0] : [];
      for (let n = first; n < index.exchanges; n++) numbers.push(n);
      const found = await store.getMany<readonly Turn[]>(numbers.map((n) => entry(thread, n)));
      const exchanges = found.map((turns) => turns ?? []);
      return {
        root: first > 0 ? (exchanges[0] ?? []) : [],
        newest: (first > 0 ? exchanges.slice(1) : exchanges).flat(),
        exchanges: index.exchanges,
        omitted: Math.max(0, first - 1),
        trimmed: index.trimmed ?? EMPTY_HISTORY.trimmed,
        mark: index.mark ?? { question: index.lastQuestion, at: 0 },
      };
    },

    async append(thread, asked, turns, { isCut = false, isTold = false, isNew = false } = {}) {
      const found = await store.get<Index>(threadKey(thread));
      if (found?.lastQuestion === asked.id) return;
      const index = isNew ? undefined : found;
      const number = index?.exchanges ?? 0;
      const mark = { question: asked.id, at: asked.askedAt };
      const next: Index = {
        exchanges: number + 1,
        lastQuestion: asked.id,
        trimmed: {
          isCut: isCut || (index?.trimmed?.isCut ?? false),
          isTold: isTold || (index?.trimmed?.isTold ?? false),
        },
        // A report comes long after its question.
        mark: index?.mark && index.mark.at > mark.at ? index.mark : mark,
      };
      await store.setMany(
        [
          [entry(thread, number), turns],
          [threadKey(thread), next],
          ...(await messages.enter({ thread, number }, turns)),
        ],
        ttlMs,
      );
    },

    unknown: messages.unknown,
    find: messages.find,
    forget: messages.forget,
  };
}

/** The key of one exchange. */
function entry(thread: ThreadRef, number: number): string {
  return `${threadKey(thread)}#${number}`;
}
