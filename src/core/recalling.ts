import { EMPTY_HISTORY, type History, type HistoryWindow } from './history.ts';
import type { Platform } from './ports.ts';
import { sleep } from './sleep.ts';
import type { Question, Turn } from './types.ts';

/** What is known of a thread; `backfill` is the part that is still to be remembered. */
export interface Recalled {
  readonly history: HistoryWindow;
  readonly backfill: readonly Turn[];
}

/** Our own memory of the question's thread; a thread we never spoke in is read from the platform once. */
export async function recall(
  { history: memory, platform }: { readonly history: History; readonly platform: Platform },
  question: Question,
  signal: AbortSignal,
): Promise<Recalled> {
  if (!question.thread || startsThread(question)) return { history: EMPTY_HISTORY, backfill: [] };
  const history = await memory.read(question.thread);
  if (history.exchanges > 0) return { history, backfill: [] };
  const backfill = await readInTime(platform, question, signal);
  return { history: { ...EMPTY_HISTORY, newest: backfill }, backfill };
}

/** The one look-up that stands in front of the model; where the platform is slow, an answer without the past beats none. */
const LONGEST_READ_MS = 2_000;

async function readInTime(
  platform: Platform,
  question: Question,
  signal: AbortSignal,
): Promise<readonly Turn[]> {
  const reading = new AbortController();
  const whileReading = AbortSignal.any([signal, reading.signal]);
  const late = sleep(LONGEST_READ_MS, whileReading).then((): Turn[] => []);
  try {
    return await Promise.race([platform.readThread(question, whileReading), late]);
  } finally {
    reading.abort();
  }
}

/** Nothing can have been said before the message a thread begins with. A button or "Ask about this" comes later. */
function startsThread({ trigger, message, thread }: Question): boolean {
  return (
    (trigger === 'mention' || trigger === 'dm') && message !== null && thread?.thread === message.message
  );
}
