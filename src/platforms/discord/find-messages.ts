import { type APIMessage, MessageType, Routes } from 'discord.js';
import { Failure } from '../../core/failures.ts';
import type { ReplyStart } from '../../core/ports.ts';
import type { MessageRef, Question } from '../../core/types.ts';
import { compareIds, idAtTime, messageRef, newestId } from './ids.ts';
import { asMessages, questionsOn } from './messages.ts';
import { rootContent } from './render.ts';
import type { DiscordRest } from './rest.ts';
import type { AnswerPlace } from './thread.ts';

/** A message that an earlier try may have posted; `unread`: the channel's history is closed to us, or too long. */
export type Found = APIMessage | 'nothing' | 'unread';

interface Wanted {
  readonly channel: string;
  readonly question: Question;
  readonly botId: string;
  /** A direct conversation may begin with what is looked for, and is always open to us. */
  readonly mayBeEmpty: boolean;
  readonly isIt: (message: APIMessage) => boolean;
}

const PAGE = 100;
/** Nobody scrolls back further than this either. */
const MAX_PAGES = 5;
/** A question made from a press has its time from our clock; ids have theirs from Discord's. */
const CLOCK_SKEW_MS = { search: 5 * 60_000, unrecorded: 60_000 };

/**
 * Looks for a message of ours about a question, newest first, back to when it was asked. Discord forgets nonces after minutes;
 * from then on the author and what a message carries identify it.
 * @throws {Failure} `rate-limited`, `unreachable`, `gone`.
 */
export async function findMessage(rest: DiscordRest, wanted: Wanted): Promise<Found> {
  const { channel, question, botId, mayBeEmpty, isIt } = wanted;
  const oldest = idAtTime(question.askedAt - CLOCK_SKEW_MS.search);
  let before: string | null = null;
  for (let page = 0; page < MAX_PAGES; page++) {
    const query: Readonly<Record<string, string>> = { limit: String(PAGE), ...(before && { before }) };
    const messages = await read(rest, channel, query).catch(nullIfClosed);
    // Without the permission to read the history Discord answers with an empty list.
    if (messages === null || (messages.length === 0 && page === 0 && !mayBeEmpty)) return 'unread';
    const found = messages.findLast((message) => message.author?.id === botId && isIt(message));
    if (found) return found;
    const last = messages[0];
    if (!last || messages.length < PAGE || compareIds(last.id, oldest) < 0) return 'nothing';
    before = last.id;
  }
  return 'unread';
}

/** Whether it is the job's card. */
export function isCard(message: APIMessage, { id }: Question): boolean {
  return !message.content.startsWith('<@') && questionsOn(message).includes(id);
}

/**
 * Whether it is the job's notification, which alone begins with a mention. A notification without buttons is known only by its
 * content, as it would be posted now.
 */
export function isNotification(message: APIMessage, { id, asker }: Question, content: string): boolean {
  if (!message.content.startsWith(`<@${asker.id}>`)) return false;
  const carried = questionsOn(message);
  return carried.length > 0 ? carried.includes(id) : message.content.trim() === content.trim();
}

/**
 * Messages that an interrupted attempt posted and was killed before recording. The nonce covers a few minutes. Beyond them, our
 * messages below the question that belong to no answer are this one's, since questions of one thread are answered one after
 * the other. An earlier answer may have ended below a question that waited for it, so the records decide.
 * @returns in order; empty when nothing is found.
 * @throws {Failure}
 */
export async function findUnrecordedMessages(
  rest: DiscordRest,
  botId: string,
  question: Question,
  place: AnswerPlace,
  { known, isTaken }: { known: readonly MessageRef[]; isTaken: ReplyStart['isTaken'] },
): Promise<readonly MessageRef[]> {
  const query = { after: startOf(question, place, known), limit: '50' };
  const free: MessageRef[] = [];
  for (const message of await read(rest, place.channel, query)) {
    if (message.author?.id !== botId || !mayBelongTo(message, question, place)) continue;
    const ref = messageRef(question.workspace, place.channel, message.id);
    if (!(await isTaken(ref))) free.push(ref);
  }
  return free;
}

/** Nothing older can be this answer's. A command or button is an event of its own, later than any message it is about. */
function startOf(question: Question, place: AnswerPlace, known: readonly MessageRef[]): string {
  const asked = idAtTime(question.askedAt - CLOCK_SKEW_MS.unrecorded);
  const after = [known.at(-1)?.message, question.message?.message, question.delivery['interaction']];
  return newestId(place.thread.thread, asked, ...after.filter((id) => id !== undefined));
}

/** Cards and notifications of research jobs, and what other questions are getting meanwhile, say whose they are. */
function mayBelongTo(message: APIMessage, question: Question, { replyTo }: AnswerPlace): boolean {
  const { type, content, interaction_metadata, message_reference } = message;
  if (interaction_metadata || (type !== MessageType.Default && type !== MessageType.Reply)) return false;
  // An answer mentions nobody; a notification begins with whom it is for.
  const carried = questionsOn(message);
  if (content.startsWith('<@') || content === rootContent(question)) return false;
  if (carried.length > 0 && !carried.includes(question.id)) return false;
  // In a thread or DM the parts refer to nothing, in a channel to the message they answer.
  return (message_reference?.message_id ?? null) === replyTo;
}

/** Oldest first. */
async function read(
  rest: DiscordRest,
  channel: string,
  query: Readonly<Record<string, string>>,
): Promise<readonly APIMessage[]> {
  return asMessages(await rest.get(Routes.channelMessages(channel), { query, urgency: 'final' }));
}

function nullIfClosed(error: unknown): null {
  if (error instanceof Failure && error.kind === 'undeliverable') return null;
  throw error;
}
