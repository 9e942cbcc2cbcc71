import { sleep } from '../concurrency.ts';
import type { KeyValue, Platform } from '../ports.ts';
import { type Question, type ThreadRef, type Turn, threadKey } from '../types.ts';

/** The part of a thread's history that is read: its beginning, its newest turns, and how many exchanges there are in all. */
export interface HistoryWindow {
  /** The turns of the first exchange, unless they are among `newest` already. */
  readonly root: readonly Turn[];
  readonly newest: readonly Turn[];
  /** Exchanges (a question and its answer) remembered in all. */
  readonly exchanges: number;
  /** The exchanges that are not in this window. */
  readonly omitted: number;
  /** Whether people in this thread have been told that only part of it is used. */
  readonly toldTrimmed: boolean;
}

/** The history of threads. Reading and appending cost the same for 10 and for 1,000 exchanges. */
export interface History {
  read(thread: ThreadRef): Promise<HistoryWindow>;
  /** Adds one exchange. It is idempotent: the thread's last question replaces its own exchange. */
  append(thread: ThreadRef, questionId: string, turns: readonly Turn[], toldTrimmed: boolean): Promise<void>;
}

interface Index {
  readonly exchanges: number;
  readonly lastQuestion: string;
  readonly toldTrimmed: boolean;
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
  toldTrimmed: false,
};

/**
 * Creates a history that keeps one entry per exchange and a small index. It needs no atomic operations, because the questions
 * of a thread are answered strictly in order: each thread has one writer.
 */
export function createHistory(store: KeyValue, { window, ttlMs }: HistoryOptions): History {
  const entry = (thread: ThreadRef, number: number): string => `${threadKey(thread)}#${number}`;
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
        toldTrimmed: index.toldTrimmed,
      };
    },

    async append(thread, questionId, turns, toldTrimmed) {
      const index = await store.get<Index>(threadKey(thread));
      const isRepeat = index?.lastQuestion === questionId;
      const number = index ? index.exchanges - (isRepeat ? 1 : 0) : 0;
      const next: Index = {
        exchanges: number + 1,
        lastQuestion: questionId,
        toldTrimmed: toldTrimmed || (index?.toldTrimmed ?? false),
      };
      await store.setMany(
        [
          [entry(thread, number), turns],
          [threadKey(thread), next],
        ],
        ttlMs,
      );
    },
  };
}

/** What is known of a thread; `backfill` is the part that history does not hold yet. */
export interface RecalledThread {
  readonly history: HistoryWindow;
  readonly backfill: readonly Turn[];
}

/** Reads the history of the question's thread. A thread the bot has never answered in is read from the platform once. */
export async function recallThread(
  { history: memory, platform }: { readonly history: History; readonly platform: Platform },
  question: Question,
  signal: AbortSignal,
): Promise<RecalledThread> {
  if (!question.thread || startsThread(question)) return { history: EMPTY_HISTORY, backfill: [] };
  const history = await memory.read(question.thread);
  if (history.exchanges > 0) return { history, backfill: [] };
  const backfill = await readWithTimeout(platform, question, signal);
  return { history: { ...EMPTY_HISTORY, newest: backfill }, backfill };
}

/** This read is the only one in front of the model: when the platform is slow, the answer is made without it. */
const READ_TIMEOUT_MS = 2_000;

async function readWithTimeout(
  platform: Platform,
  question: Question,
  signal: AbortSignal,
): Promise<readonly Turn[]> {
  const reading = new AbortController();
  const whileReading = AbortSignal.any([signal, reading.signal]);
  const late = sleep(READ_TIMEOUT_MS, whileReading).then((): Turn[] => []);
  try {
    return await Promise.race([platform.readThread(question, whileReading), late]);
  } finally {
    reading.abort();
  }
}

/** Nothing was said before a thread's first message. A button or "Ask about this" on it comes later, so they do not count. */
function startsThread({ trigger, message, thread }: Question): boolean {
  return (
    (trigger === 'mention' || trigger === 'dm') && message !== null && thread?.thread === message.message
  );
}
