import { type APIMessage, type APIUser, MessageType, Routes } from 'discord.js';
import type { Person, Question, Turn } from '../../core/types.ts';
import { asRecord, asText } from '../../core/untrusted.ts';
import { DIRECT_WORKSPACE } from './ids.ts';
import { asMessage, asMessages } from './messages.ts';
import { cleanText, decodeMarkup } from './questions.ts';
import type { OutboundDeps } from './thread.ts';

const PAGE = 50;
/** The model waits for what is read, and a person for the model. */
const urgency = 'final';

/**
 * What was said before the question in a thread or DM we do not know, oldest first: the newest page and the message the
 * thread was started from. Empty when it cannot be read; without the Message Content intent others' words come empty.
 */
export async function readThread(
  deps: OutboundDeps,
  question: Question,
  signal: AbortSignal,
): Promise<readonly Turn[]> {
  const { thread, message } = question;
  // Only a thread or DM has a past of its own; in a channel a conversation begins with the question.
  if (!thread || thread.channel !== question.channel) return [];
  try {
    const query = { limit: String(PAGE), ...(message && { before: message.message }) };
    const route = Routes.channelMessages(thread.channel);
    const page = asMessages(await deps.rest.get(route, { query, signal, urgency }));
    const opener = page.find(({ type }) => type === MessageType.ThreadStarterMessage);
    // A thread that is whole on one page and begins otherwise was not started from a message: two requests less.
    const mayHaveStarter =
      question.workspace !== DIRECT_WORKSPACE && (opener !== undefined || page.length >= PAGE);
    const starter =
      opener?.referenced_message ?? (mayHaveStarter ? await readStarter(deps, thread.channel, signal) : null);
    const said = page.filter(({ type }) => type === MessageType.Default || type === MessageType.Reply);
    return [...(starter ? [starter] : []), ...said]
      .map((entry) => turnOf(entry, deps.botId))
      .filter(({ text }) => text !== '');
  } catch (error) {
    deps.log.debug({ err: error }, 'thread not read');
    return [];
  }
}

/** A thread started from a message has its id; the message itself is in the parent channel. */
async function readStarter(
  { rest }: OutboundDeps,
  thread: string,
  signal: AbortSignal,
): Promise<APIMessage | null> {
  try {
    const channel = asRecord(await rest.get(Routes.channel(thread), { signal, urgency }));
    const parent = asText(channel?.['parent_id']);
    if (!parent) return null;
    return asMessage(await rest.get(Routes.channelMessage(parent, thread), { signal, urgency }));
  } catch {
    // A thread of its own has no starter, and a starter may be hidden or deleted.
    return null;
  }
}

function turnOf(
  { author, content, mentions, timestamp, message_snapshots }: APIMessage,
  botId: string,
): Turn {
  const isOwn = author.id === botId;
  const text = message_snapshots?.[0]?.message.content ?? content;
  return {
    role: isOwn ? 'assistant' : 'user',
    author: isOwn ? null : personOf(author),
    text: decodeMarkup(cleanText(text), mentions.map(personOf)),
    at: Date.parse(timestamp),
  };
}

function personOf({ id, global_name, username }: APIUser): Person {
  return { id, name: cleanText(global_name ?? username) };
}
