import { type APIMessage, MessageType, Routes } from 'discord.js';
import { DIRECT_WORKSPACE, type Question, type Turn } from '../../core/types.ts';
import { asRecord, asText } from '../../core/untrusted.ts';

import { cleanText, type Names } from './markup.ts';
import { asMessage, asMessages } from './messages.ts';
import type { KnownNames } from './names.ts';
import { joinWords, nameUser, readMessage, SPOKEN_TYPES } from './read-message.ts';
import type { OutboundDeps } from './thread.ts';

export interface ReadDeps extends OutboundDeps {
  readonly names: KnownNames;
}

const PAGE = 50;
/** The model waits for what is read, and a person for the model. */
const urgency = 'final';

/**
 * What was said before the question in a thread or DM we do not know, oldest first: the newest page and the message the
 * thread was started from. Empty when it cannot be read; without the Message Content intent others' words come empty.
 */
export async function readThread(
  deps: ReadDeps,
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
    const said = page.filter(({ type, id }) => SPOKEN_TYPES.has(type) && id !== starter?.id);
    const messages = starter ? [starter, ...said] : said;
    const names = await deps.names.for(messages, question.workspace, thread.channel, signal);
    return messages.map((entry) => turnOf(entry, deps.botId, names)).filter(({ text }) => text !== '');
  } catch (error) {
    deps.log.debug({ err: error }, 'thread not read');
    return [];
  }
}

/** A thread started from a message has its id; the message itself is in the parent channel, that of a forum post in the thread. */
async function readStarter(
  { rest }: OutboundDeps,
  thread: string,
  signal: AbortSignal,
): Promise<APIMessage | null> {
  try {
    const channel = asRecord(await rest.get(Routes.channel(thread), { signal, urgency }));
    const parent = asText(channel?.['parent_id']);
    if (!parent) return null;
    const read = (place: string): Promise<unknown> =>
      rest.get(Routes.channelMessage(place, thread), { signal, urgency });
    return asMessage(await read(parent).catch(() => read(thread)));
  } catch {
    // A thread of its own has no starter, and a starter may be hidden or deleted.
    return null;
  }
}

function turnOf(message: APIMessage, botId: string, names: Names): Turn {
  const { author } = message;
  const isOwn = author.id === botId;
  const reading = readMessage({ ...message }, names);
  const name = names.person(author.id) ?? nameUser({ ...author });
  return {
    role: isOwn ? 'assistant' : 'user',
    author: isOwn ? null : { id: author.id, name: name && cleanText(name) },
    text: joinWords(reading) || (reading.wordless ? `(${reading.wordless})` : ''),
    attachments: [...reading.attachments, ...reading.forwarded.flatMap((quote) => quote.attachments)],
    at: Date.parse(message.timestamp),
  };
}
