import { type APIMessage, MessageType, Routes } from 'discord.js';
import { Failure } from '../../core/failures.ts';
import type { ReplyStart } from '../../core/ports.ts';
import type { MessageRef, Question } from '../../core/types.ts';
import { idAtTime, messageRef, newestId } from './ids.ts';
import { asMessages, questionsOn } from './messages.ts';
import { rootContent } from './render.ts';
import type { DiscordRest } from './rest.ts';
import type { AnswerPlace } from './thread.ts';

const PAGE = 100;
/** Nobody scrolls back further than this either. */
const MAX_PAGES = 5;
/** A question made from a press has its time from our clock; ids have theirs from Discord's. */
const CLOCK_SKEW_MS = 60_000;

/** The moment a question was asked. */
export function askedSince({ askedAt }: Question): string {
  return idAtTime(askedAt - CLOCK_SKEW_MS);
}

/** A part of a channel's history, oldest first, with everybody's messages. */
interface History {
  readonly messages: readonly APIMessage[];
  /** False where there is more than is read, or where the history is closed to us. */
  readonly isComplete: boolean;
}

/**
 * Reads what was said in a channel since a moment, for what an earlier try may have posted: Discord forgets nonces after
 * minutes; from then on the author and what a message carries identify it. @throws {Failure} `rate-limited`, `unreachable`, `gone`.
 */
export async function readSince(rest: DiscordRest, channel: string, since: string): Promise<History> {
  const messages: APIMessage[] = [];
  for (let page = 0; page < MAX_PAGES; page++) {
    const query = { after: messages.at(-1)?.id ?? since, limit: String(PAGE) };
    const route = Routes.channelMessages(channel);
    const read = await rest.get(route, { query, urgency: 'final' }).catch(nullIfClosed);
    messages.push(...asMessages(read));
    if (asMessages(read).length < PAGE) return { messages, isComplete: read !== null };
  }
  return { messages, isComplete: false };
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
  const { messages } = await readSince(rest, place.channel, startOf(question, place, known));
  const free: MessageRef[] = [];
  for (const message of messages) {
    if (message.author?.id !== botId || !mayBelongTo(message, question, place)) continue;
    const ref = messageRef(question.workspace, place.channel, message.id);
    if (!(await isTaken(ref))) free.push(ref);
  }
  return free;
}

/** Nothing older can be this answer's. A command or button is an event of its own, later than any message it is about. */
function startOf(question: Question, place: AnswerPlace, known: readonly MessageRef[]): string {
  const after = [known.at(-1)?.message, question.message?.message, question.delivery['interaction']];
  return newestId(place.thread.thread, askedSince(question), ...after.filter((id) => id !== undefined));
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

function nullIfClosed(error: unknown): null {
  if (error instanceof Failure && error.kind === 'undeliverable') return null;
  throw error;
}
