import { sleep } from '../concurrency.ts';
import type { Platform, ThreadPart } from '../ports.ts';
import type { Question } from '../types.ts';
import { conversationOf, SILENCE_MS } from './conversation.ts';
import { EMPTY_HISTORY, type History, type HistoryWindow } from './history.ts';

/** What is known of the question's conversation. */
export interface Recalled {
  readonly history: HistoryWindow;
  /** The conversation begins anew: what is remembered of it is left out. */
  readonly isNew: boolean;
  /** What others have said since then, as far as the platform has told in time. */
  readonly said: ThreadPart;
  /** The same as far as the platform tells before the answer is remembered. */
  allSaid(): Promise<ThreadPart>;
}

const NOTHING: ThreadPart = { turns: [], isCut: false };
/** This read is the only one in front of the model: when the platform is slow, the answer is made without it. */
const READ_TIMEOUT_MS = 2_000;
/** Words may be heard of so much later than those that followed them: the read goes back as far. */
const LATE_EVENT_MS = 60_000;
/** For a read that came too late for its answer, and is there for the next one. */
const LATE_MS = 15_000;

/**
 * Reads the history of the question's conversation, and from the platform what was said there that is not in it: where others
 * have spoken (`heardAt`: when the last message before the question was; undefined where that is not known), and where the bot has
 * never answered.
 */
export async function recallThread(
  { history: memory, platform }: { readonly history: History; readonly platform: Platform },
  question: Question,
  heardAt: number | undefined,
  signal: AbortSignal,
): Promise<Recalled> {
  const { askedAt } = question;
  const conversation = conversationOf(question);
  const nothing = { said: NOTHING, allSaid: async () => NOTHING };
  if (!conversation || (conversation === question.thread && startsThread(question)))
    return { history: EMPTY_HISTORY, isNew: false, ...nothing };
  const history = await memory.read(conversation);
  const { mark } = history;
  const isSilent = mark !== null && askedAt - mark.at > SILENCE_MS;
  if (conversation !== question.thread && (!mark || isSilent))
    return { history: EMPTY_HISTORY, isNew: true, ...nothing };
  const isRead = mark && ((heardAt !== undefined && heardAt <= mark.at) || mark.at >= askedAt);
  if (isRead) return { history, isNew: false, ...nothing };

  const whileReading = AbortSignal.any([signal, AbortSignal.timeout(LATE_MS)]);
  const read = async (): Promise<ThreadPart> => {
    if (!mark) return platform.readThread(question, null, whileReading);
    const part = await platform.readThread(question, mark.at - LATE_EVENT_MS, whileReading);
    // Our own messages since then are remembered, or say nothing of use.
    const others = part.turns.filter(({ role }) => role === 'user');
    return { ...part, turns: await memory.unknown(conversation, others) };
  };
  const reading = read();
  // It may fail when nobody waits for it any more.
  reading.catch(() => undefined);
  const within = async (ms: number): Promise<ThreadPart> => {
    const inTime = new AbortController();
    const late = sleep(ms, AbortSignal.any([signal, inTime.signal])).then(() => NOTHING);
    return Promise.race([reading, late]).finally(() => inTime.abort());
  };
  return {
    history,
    isNew: false,
    said: await within(READ_TIMEOUT_MS),
    allSaid: () => within(READ_TIMEOUT_MS),
  };
}

/** Nothing was said before a thread's first message. A button or "Ask about this" on it comes later, so they do not count. */
function startsThread({ trigger, message, thread }: Question): boolean {
  return (
    (trigger === 'mention' || trigger === 'dm') && message !== null && thread?.thread === message.message
  );
}
