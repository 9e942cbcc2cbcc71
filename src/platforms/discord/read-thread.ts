import { type APIMessage, MessageType, Routes } from 'discord.js';
import type { ThreadPart } from '../../core/ports.ts';
import { DIRECT_WORKSPACE, type Question, type Turn } from '../../core/types.ts';
import { asRecord, asText } from '../../core/untrusted.ts';
import { compareIds, idAtTime, newestId } from './ids.ts';
import { cleanText, type Names } from './markup.ts';
import { asMessage, asMessages } from './messages.ts';
import type { KnownNames } from './names.ts';
import { questionId } from './questions.ts';
import { joinWords, nameUser, readMessage, SPOKEN_TYPES } from './read-message.ts';
import type { OutboundDeps } from './thread.ts';

export interface ReadDeps extends OutboundDeps {
  readonly names: KnownNames;
}

/** The most that Discord returns at once. */
const PAGE = 100;
/** No answer waits for more than these. */
const MAX_PAGES = 3;
/** The model waits for what is read, and a person for the model. */
const urgency = 'final';

/**
 * What was said in the question's thread or direct conversation, as `Platform.readThread`, with the message that the thread was
 * started from. Without the Message Content intent others' words come empty.
 */
export async function readThread(
  deps: ReadDeps,
  question: Question,
  since: number | null,
  signal: AbortSignal,
): Promise<ThreadPart> {
  const { thread, message, channel, workspace } = question;
  // Only a thread or DM has a past of its own; in a channel a conversation begins with the question.
  if (!thread || thread.channel !== channel) return { turns: [], isCut: false };
  try {
    const { messages, isComplete } = await readPages(deps, question, since, signal);
    const opener = messages.find(({ type }) => type === MessageType.ThreadStarterMessage);
    // A thread that is read to its beginning and begins otherwise was not started from a message: two requests less.
    const mayHaveStarter =
      since === null && workspace !== DIRECT_WORKSPACE && (opener !== undefined || !isComplete);
    const starter =
      opener?.referenced_message ?? (mayHaveStarter ? await readStarter(deps, channel, signal) : null);
    const said = messages.filter(({ type, id }) => SPOKEN_TYPES.has(type) && id !== starter?.id);
    const spoken = [...(starter ? [starter] : []), ...said].filter(({ id }) => id !== message?.message);
    const names = await deps.names.for(spoken, workspace, channel, signal);
    const turns = spoken
      .map((entry) => turnOf(entry, deps.botId, names, workspace))
      .filter(
        ({ role, text, attachments = [] }) => text !== '' || (role === 'user' && attachments.length > 0),
      );
    return { turns, isCut: !isComplete };
  } catch (error) {
    deps.log.debug({ err: error }, 'thread not read');
    return { turns: [], isCut: false };
  }
}

/** The messages of the question's channel, oldest first: from the newest back to `since`, or as far as may be read. */
async function readPages(
  { rest }: OutboundDeps,
  { channel, message, askedAt }: Question,
  since: number | null,
  signal: AbortSignal,
): Promise<{ readonly messages: readonly APIMessage[]; readonly isComplete: boolean }> {
  const first = since === null ? '0' : idAtTime(since);
  const newest: APIMessage[] = [];
  const end = idAtTime(askedAt + 1);
  const isSaidThen = message && newestId(message.message, idAtTime(askedAt)) === message.message;
  // A press, an edit, and "Ask about this" come later than the message that they are about.
  let before = isSaidThen && compareIds(message.message, end) < 0 ? message.message : end;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const query = { limit: String(PAGE), before };
    const page = asMessages(await rest.get(Routes.channelMessages(channel), { query, signal, urgency }));
    const wanted = page.toReversed().filter(({ id }) => compareIds(id, first) >= 0);
    newest.push(...wanted);
    before = newest.at(-1)?.id ?? before;
    if (wanted.length < PAGE) return { messages: newest.reverse(), isComplete: true };
  }
  return { messages: newest.reverse(), isComplete: false };
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

function turnOf(message: APIMessage, botId: string, names: Names, workspace: string): Turn {
  const { id, channel_id: channelId, author } = message;
  const guildId = workspace === DIRECT_WORKSPACE ? null : workspace;
  const isOwn = author.id === botId;
  const reading = readMessage({ ...message }, names);
  const name = names.person(author.id) ?? nameUser({ ...author });
  return {
    id: questionId({ id, channelId, guildId }),
    role: isOwn ? 'assistant' : 'user',
    author: isOwn ? null : { id: author.id, name: name && cleanText(name) },
    text: joinWords(reading) || (reading.wordless ? `(${reading.wordless})` : ''),
    attachments: [...reading.attachments, ...reading.forwarded.flatMap((quote) => quote.attachments)],
    at: Date.parse(message.timestamp),
  };
}
