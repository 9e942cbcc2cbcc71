import {
  type APIInteractionGuildMember,
  type GuildMember,
  type Message,
  MessageFlags,
  MessageReferenceType,
  MessageType,
  type TextBasedChannel,
  type User,
} from 'discord.js';
import { takeOffMention } from '../../core/commands/parse.ts';
import { idFrom } from '../../core/ids.ts';
import {
  DIRECT_WORKSPACE,
  type MessageRef,
  type Person,
  type Question,
  type Quote,
  type ThreadRef,
  type Trigger,
} from '../../core/types.ts';
import { asText } from '../../core/untrusted.ts';
import { toApiMessage } from './api-message.ts';
import { messageRef, threadRef } from './ids.ts';
import { cleanText, type Names, withoutCode } from './markup.ts';
import { namesIn } from './names.ts';
import { readMessage, readQuote } from './read-message.ts';

/** Edits of older messages are not looked at: accepted questions are remembered for a day. */
const MAX_EDIT_AGE_MS = 24 * 60 * 60_000;

/** Reads the question a new message asks; null when it is none: not for us, by a bot, a system message. */
export function questionFromMessage(message: Message): Question | null {
  const asker = readAsker(message);
  const trigger = asker && readTrigger(message);
  if (!asker || !trigger) return null;
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

/** Reads a question as it is after an edit, whether or not it was one before; null for what nobody has edited. */
export function editedQuestion(message: Message): Question | null {
  if (message.editedTimestamp === null) return null;
  const asker = readAsker(message);
  return asker && createQuestion(message, readTrigger(message) ?? 'mention', asker, message.createdTimestamp);
}

/** Whether somebody else's bot says something in a thread. */
export function isOverheard({ author, webhookId, client, channel, editedTimestamp }: Message): boolean {
  const isBot = author !== null && (author.bot || webhookId !== null) && author.id !== client.user.id;
  return isBot && channel.isThread() && editedTimestamp === null;
}

/** Quotes a message that somebody replies to or points at. */
export function quoteMessage(message: Message): Quote {
  return readQuote(toApiMessage(message), namesFor(message));
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

/** The name that somebody gave a thread or forum post; the threads we start are named by their question. */
export function titleOf(channel: TextBasedChannel | null): string | null {
  if (!channel?.isThread() || channel.ownerId === channel.client.user.id) return null;
  return cleanText(channel.name ?? '').trim() || null;
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

function mentionsBot(message: Message): boolean {
  return ownMention(message).test(withoutCode(contentOf(message)));
}

/** Null in a message that Discord sent in part. */
function contentOf({ content }: Message): string {
  return asText(content) ?? '';
}

/** Matches a mention of ours, in person or by the role that Discord has made for us: clients offer both by the same name. */
function ownMention({ client, guild }: Message): RegExp {
  const role = guild?.roles.botRoleFor(client.user)?.id;
  return new RegExp(`<@!?${client.user.id}>${role ? `|<@&${role}>` : ''}`, 'g');
}

/** Whether a message that neither mentions nor answers us is for somebody in particular, or for everybody here. */
function addressesOthers(message: Message): boolean {
  const { mentions, author, poll } = message;
  const spoken = withoutCode(contentOf(message));
  const named = [...spoken.matchAll(/<@!?(\d+)>/g)].map(([, id]) => id);
  return (
    // A reply mentions whom it is to, unless its ping is off.
    [...named, ...mentions.users.keys()].some((id) => id !== author.id) ||
    /<@&\d+>|(?<![\w.])@(?:everyone|here)(?!\w|\.\w)/.test(spoken) ||
    mentions.everyone ||
    poll !== null
  );
}

/** Null where a message that does not mention us asks nothing. */
function createQuestion(message: Message, trigger: Trigger, asker: Person, askedAt: number): Question | null {
  const workspace = message.guildId ?? DIRECT_WORKSPACE;
  const content = takeOffMention(contentOf(message), ownMention(message));
  const reading = readMessage({ ...toApiMessage(message), content }, namesFor(message));
  const { text, stickers, wordless, attachments, forwarded } = reading;
  const isEmpty = text === '' && attachments.length + forwarded.length === 0;
  // Without the Message Content intent others' messages come empty; a sticker asks nothing either.
  const isForUs = trigger === 'mention' || trigger === 'dm' || message.flags.has(MessageFlags.IsVoiceMessage);
  if (isEmpty && !isForUs) return null;
  const nothing = { author: null, text: '', attachments: [] };
  const quotes = isEmpty && wordless !== null ? [{ ...nothing, unreadable: wordless }] : forwarded;
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
    text: [text, text && stickers].filter(Boolean).join('\n'),
    quotes: quotes.length > 0 ? quotes : readReplied(message),
    attachments,
    title: titleOf(message.channel),
    addressesOthers: trigger === 'thread' && addressesOthers(message),
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
function readReplied({ reference, channel }: Message): readonly Quote[] {
  if (reference?.type === MessageReferenceType.Forward) return [];
  // discord.js puts the message that is replied to into the cache, beside the reply.
  const replied = channel.messages.cache.get(reference?.messageId ?? '');
  return replied && !replied.partial ? [quoteMessage(replied)] : [];
}

function namesFor({ client, guildId, channelId, reference }: Message): Names {
  // In a direct message what is named is in the guild a message is forwarded from.
  const from = guildId === null && reference?.type === MessageReferenceType.Forward ? reference : null;
  return namesIn(client, from?.guildId ?? guildId, from?.channelId ?? channelId);
}
