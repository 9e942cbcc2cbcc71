import type { Question, Turn } from '../../core/types.ts';
import { decodeMarkup } from './questions.ts';
import type { OutboundDeps } from './thread.ts';
import { asObjects, compareIds, readMessage, type WireMessage } from './wire.ts';

/** The first message of a thread shows the message the thread was started from. */
const THREAD_STARTER = 21;
const DEFAULT = 0;
const REPLY = 19;
const PAGE = '50';
/** The model waits for what is read, and a person for the model. */
const urgency = 'final';

/**
 * What was said before the question in a thread or DM we do not know, oldest first: the newest page and the message the
 * thread was started from. Empty when it cannot be read; without the Message Content intent others' words come empty.
 */
export async function readThread(
  { rest, botId, log }: OutboundDeps,
  question: Question,
  signal: AbortSignal,
): Promise<readonly Turn[]> {
  const { thread, message } = question;
  // Only a thread or DM has a past of its own; in a channel a conversation begins with the question.
  if (!thread || thread.channel !== question.channel) return [];
  try {
    const query = { limit: PAGE, ...(message && { before: message.message }) };
    const raws = asObjects(
      await rest.get(`/channels/${thread.channel}/messages`, { query, signal, urgency }),
    );
    const page = raws
      .map((raw) => readMessage(raw))
      .filter((entry) => entry !== null)
      .sort((a, b) => compareIds(a.id, b.id));
    const opener = page.find(({ type }) => type === THREAD_STARTER);
    // A thread that is whole on one page and begins otherwise was not started from a message: two requests less.
    const mayHaveStarter = opener !== undefined || raws.length >= Number(PAGE);
    const starter = opener?.replied ?? (mayHaveStarter ? await readStarter() : null);
    const said = page.filter(({ type }) => type === DEFAULT || type === REPLY);
    return [...(starter ? [starter] : []), ...said].map((entry) => turnOf(entry, botId)).filter(hasText);
  } catch (error) {
    log.debug({ err: error }, 'thread not read');
    return [];
  }

  /** A thread started from a message has its id; the message itself is in the parent channel. */
  async function readStarter(): Promise<WireMessage | null> {
    if (question.workspace === '@me' || !thread) return null;
    try {
      const channel = readParent(await rest.get(`/channels/${thread.channel}`, { signal, urgency }));
      if (!channel) return null;
      return readMessage(
        await rest.get(`/channels/${channel}/messages/${thread.channel}`, { signal, urgency }),
      );
    } catch {
      // A thread of its own has no starter, and a starter may be hidden or deleted.
      return null;
    }
  }
}

function readParent(value: unknown): string | null {
  const [channel] = asObjects([value]);
  const parent = channel?.['parent_id'];
  return typeof parent === 'string' ? parent : null;
}

function turnOf(message: WireMessage, botId: string): Turn {
  const isOwn = message.author?.id === botId;
  const text = message.forwarded?.content ?? message.content;
  return {
    role: isOwn ? 'assistant' : 'user',
    author: isOwn || !message.author ? null : { id: message.author.id, name: message.author.name },
    text: decodeMarkup(text, message.mentions),
    at: message.sentAt,
  };
}

function hasText({ text }: Turn): boolean {
  return text !== '';
}
