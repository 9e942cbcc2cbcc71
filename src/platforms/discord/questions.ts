import {
  type APIInteractionGuildMember,
  type Attachment,
  type GuildMember,
  type Message,
  MessageReferenceType,
  type MessageSnapshot,
  MessageType,
  type TextBasedChannel,
  type User,
} from 'discord.js';
import { idFrom } from '../../core/ids.ts';
import type { MessageRef, Person, Question, Quote, ThreadRef, Trigger } from '../../core/types.ts';
import { DIRECT_WORKSPACE, messageRef, threadRef } from './ids.ts';

/** Edits of older messages are not looked at: accepted questions are remembered for a day. */
const MAX_EDIT_AGE_MS = 24 * 60 * 60_000;

/** Reads the question a new message asks; null when it is none: not for us, by a bot, a system message. */
export function questionFromMessage(message: Message): Question | null {
  const asker = readAsker(message);
  const trigger = asker && readTrigger(message);
  if (!asker || !trigger) return null;
  // Without the Message Content intent others' messages come empty: there is nothing to answer.
  if ((trigger === 'thread' || trigger === 'reply') && isEmpty(message)) return null;
  return createQuestion(message, trigger, asker, message.createdTimestamp);
}

/**
 * Reads the question an edited message asks: only an edit that mentions us asks one. It has the id the message itself would
 * have had, so that one asked before is not asked again.
 */
export function questionFromEdit(message: Message): Question | null {
  // Previews of links arrive as updates without an edit.
  if (message.editedTimestamp === null || Date.now() - message.createdTimestamp > MAX_EDIT_AGE_MS)
    return null;
  const asker = readAsker(message);
  if (!asker || !mentionsBot(message)) return null;
  return createQuestion(message, 'mention', asker, message.editedTimestamp);
}

/** Whether somebody else's bot says something in a thread. */
export function isOverheard({ author, webhookId, client, channel, editedTimestamp }: Message): boolean {
  return (
    (author.bot || webhookId !== null) &&
    author.id !== client.user.id &&
    channel.isThread() &&
    editedTimestamp === null
  );
}

/** Quotes a message that somebody replies to or points at: its text, or the text it forwards. */
export function quoteMessage(message: Message): Quote {
  const text = forwardedIn(message)?.content ?? message.content;
  const author = message.author as User | null; // null in a message that Discord sent in part
  return {
    author: author && personOf(author, message.member).name,
    text: readText(text, message),
    attachments: readAttachments(message),
  };
}

/** The files of a message, and those of the message it forwards. */
function readAttachments(message: Message): Question['attachments'] {
  return [...message.attachments.values(), ...(forwardedIn(message)?.attachments.values() ?? [])].map(
    (file: Attachment) => ({
      name: cleanText(file.name) || 'file',
      type: file.contentType,
      bytes: file.size,
      url: file.url,
    }),
  );
}

/** The conversation a message belongs to: the thread or direct conversation it is in, or the thread still to be started from it. */
export function threadOf(
  message: Pick<Message, 'id' | 'channelId' | 'guildId'> & { readonly channel: TextBasedChannel | null },
): ThreadRef {
  const id = isOwnConversation(message.channel) || message.guildId === null ? message.channelId : message.id;
  return threadRef(message.guildId ?? DIRECT_WORKSPACE, id);
}

/** True for threads and direct conversations: the answer is written below the question there. */
export function isOwnConversation(channel: TextBasedChannel | null): boolean {
  return channel !== null && (channel.isThread() || channel.isDMBased());
}

/** A person by the name that their guild has for them, else by their own. */
export function personOf(
  user: User,
  member: GuildMember | APIInteractionGuildMember | null | undefined,
): Person {
  // Outside of the guilds that we are in, Discord's own object takes the place of discord.js' member.
  const nick = member && ('displayName' in member ? member.displayName : member.nick);
  return { id: user.id, name: cleanText(nick ?? user.displayName) };
}

/** The id of the question that a message asks, whether it arrives as new, edited, deleted or read later. */
export function questionId(message: Pick<Message, 'id' | 'channelId' | 'guildId'>): string {
  return idFrom('discord', message.guildId ?? DIRECT_WORKSPACE, message.channelId, message.id);
}

/** Turns Discord's mark-up into words: `<@1>` → `@Ada`, `<:ok:1>` → `:ok:`, `<t:0>` → a date in UTC. */
export function decodeMarkup(content: string, mentions: readonly Person[]): string {
  return content
    .replace(
      /<@!?(\d+)>/g,
      (_, id: string) => `@${mentions.find((user) => user.id === id)?.name ?? 'someone'}`,
    )
    .replace(/<@&\d+>/g, '@role')
    .replace(/<#\d+>/g, '#channel')
    .replace(/<a?:(\w+):\d+>/g, ':$1:')
    .replace(/<\/([^:>]+):\d+>/g, '/$1')
    .replace(/<t:(-?\d{1,12})(?::[a-zA-Z])?>/g, (_, seconds: string) => formatDate(Number(seconds)))
    .trim();
}

/** Removes what Postgres refuses to store: NUL, and surrogates without their other half. */
export function cleanText(text: string): string {
  return text.replaceAll('\u0000', '').toWellFormed();
}

function readAsker(message: Message): Person | null {
  const author = message.author as User | null; // null in an update that Discord sent in part
  const isSaid = message.type === MessageType.Default || message.type === MessageType.Reply;
  if (!author || author.bot || author.system || message.webhookId || !isSaid) return null;
  return personOf(author, message.member);
}

function readTrigger(message: Message): Trigger | null {
  if (message.guildId === null) return 'dm';
  // A reply with its ping on mentions us too: it is a reply all the same.
  if (message.mentions.repliedUser?.id === message.client.user.id) return 'reply';
  if (message.mentions.users.has(message.client.user.id) || mentionsBot(message)) return 'mention';
  return message.channel.isThread() ? 'thread' : null;
}

/** In code Discord shows the bare characters and notifies nobody. */
function mentionsBot({ content, client }: Message): boolean {
  const spoken = content.replace(/```[\s\S]*?```|`[^`\n]*`/g, '');
  return spoken.includes(`<@${client.user.id}>`) || spoken.includes(`<@!${client.user.id}>`);
}

function isEmpty(message: Message): boolean {
  return message.content.trim() === '' && !forwardedIn(message) && message.attachments.size === 0;
}

function createQuestion(message: Message, trigger: Trigger, asker: Person, askedAt: number): Question {
  const workspace = message.guildId ?? DIRECT_WORKSPACE;
  const leadingMention = new RegExp(`^(?:\\s*<@!?${message.client.user.id}>[\\s,:]*)+`);
  return {
    id: questionId(message),
    platform: 'discord',
    workspace,
    channel: message.channelId,
    thread: threadOf(message),
    message: messageRef(workspace, message.channelId, message.id),
    repliesTo: readReference(message, workspace),
    trigger,
    asker,
    text: readText(message.content.replace(leadingMention, ''), message),
    quotes: readQuotes(message),
    attachments: readAttachments(message),
    title: null,
    addressesOthers: false,
    overrides: {},
    delivery: {},
    askedAt,
  };
}

function readReference(message: Message, workspace: string): MessageRef | null {
  const { reference } = message;
  if (!reference?.messageId || reference.type === MessageReferenceType.Forward) return null;
  return messageRef(workspace, reference.channelId, reference.messageId);
}

/** Empty when what a reply is to is not known. */
function readQuotes(message: Message): readonly Quote[] {
  const forwarded = forwardedIn(message);
  if (forwarded)
    return [{ author: null, text: decodeMarkup(cleanText(forwarded.content), []), attachments: [] }];
  // discord.js puts the message that is replied to into the cache, beside the reply.
  const replied = message.channel.messages.cache.get(message.reference?.messageId ?? '');
  return replied ? [quoteMessage(replied)] : [];
}

/** The message that a message forwards; Discord does not say who wrote it. */
function forwardedIn(message: Message): MessageSnapshot | null {
  if (message.reference?.type !== MessageReferenceType.Forward) return null;
  return message.messageSnapshots.first() ?? null;
}

function readText(content: string, { mentions }: Message): string {
  const mentioned = mentions.users.map((user) => personOf(user, mentions.members?.get(user.id)));
  return decodeMarkup(cleanText(content), mentioned);
}

function formatDate(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(0, 16).replace('T', ' ');
}
