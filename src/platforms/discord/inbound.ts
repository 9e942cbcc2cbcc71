import { idFrom } from '../../core/ids.ts';
import type { MessageRef, Person, Question, Quote, ThreadRef, Trigger } from '../../core/types.ts';
import type { Channel } from './channels.ts';
import { asId, asObject, type WireMessage, type WireUser } from './wire.ts';

/** What deciding about a message needs beside the message. */
export interface InboundContext {
  /** Our own user id. */
  readonly botId: string;
  /** The channel the message is in; null when it could not be found out. */
  readonly channel: Channel | null;
}

/** The workspace of everything outside a guild. */
export const DIRECT_WORKSPACE = '@me';

/** Edits of older messages are not looked at: de-duplication remembers a day. */
const OLDEST_EDIT_MS = 24 * 60 * 60_000;

const DEFAULT = 0;
const REPLY = 19;

/** The question a new message asks, or null when it is none: not for us, by a bot, a system message. */
export function questionFromMessage(message: WireMessage, context: InboundContext): Question | null {
  const asker = askerOf(message);
  if (!asker) return null;
  const trigger = triggerOf(message, context);
  if (!trigger) return null;
  // Without the Message Content intent others' messages come empty: there is nothing to answer.
  if ((trigger === 'thread' || trigger === 'reply') && isBlank(message)) return null;
  return questionOf(message, context, trigger, asker, message.sentAt);
}

/**
 * The question an edited message asks, if the edit mentions us. It has the id the message itself would have had, so that
 * one asked before is not asked again.
 * @param now by our clock, in milliseconds.
 */
export function questionFromEdit(
  message: WireMessage,
  context: InboundContext,
  now: number,
): Question | null {
  const asker = askerOf(message);
  if (!asker || message.editedAt === null || now - message.sentAt > OLDEST_EDIT_MS) return null;
  if (!mentionsInText(message, context.botId)) return null;
  return questionOf(message, context, 'mention', asker, message.editedAt);
}

/** Where a message's conversation lives: the thread or DM it is in, or the thread still to be started from it. */
export function threadOf(
  workspace: string,
  channel: string,
  message: string,
  kind: Channel['kind'] | null,
): ThreadRef {
  const id = kind === 'thread' || kind === 'dm' ? channel : message;
  return { platform: 'discord', workspace, channel: id, thread: id };
}

/** What a message was about when it is shown to somebody else: its text or the text it forwards. */
export function quoteOf(message: WireMessage): Quote {
  const text = message.forwarded?.content ?? message.content;
  return { author: message.author?.name ?? null, text: decodeMarkup(text, message.mentions) };
}

/** Discord's mark-up in words: `<@1>` → `@Ada`, `<:ok:1>` → `:ok:`, `<t:0>` → a date. */
export function decodeMarkup(content: string, mentions: readonly WireUser[]): string {
  return content
    .replace(
      /<@!?(\d+)>/g,
      (_, id: string) => `@${mentions.find((user) => user.id === id)?.name ?? 'someone'}`,
    )
    .replace(/<@&\d+>/g, '@role')
    .replace(/<#\d+>/g, '#channel')
    .replace(/<a?:(\w+):\d+>/g, ':$1:')
    .replace(/<\/([^:>]+):\d+>/g, '/$1')
    .replace(/<t:(-?\d{1,12})(?::[a-zA-Z])?>/g, (_, seconds: string) => dateOf(Number(seconds)))
    .trim();
}

function askerOf({ author, isWebhook, type }: WireMessage): Person | null {
  if (!author || author.isBot || isWebhook || (type !== DEFAULT && type !== REPLY)) return null;
  return { id: author.id, name: author.name };
}

function triggerOf(message: WireMessage, { botId, channel }: InboundContext): Trigger | null {
  if (message.guild === null || channel?.kind === 'dm') return 'dm';
  // A reply with its ping on lists us under `mentions` too: it is a reply all the same.
  if (message.replied?.author?.id === botId) return 'reply';
  const isMentioned = message.mentions.some((user) => user.id === botId);
  if (isMentioned || mentionsInText(message, botId)) return 'mention';
  return channel?.kind === 'thread' ? 'thread' : null;
}

/** In code Discord shows the bare characters and tells nobody. */
function mentionsInText({ content }: WireMessage, botId: string): boolean {
  const spoken = content.replace(/```[\s\S]*?```|`[^`\n]*`/g, '');
  return spoken.includes(`<@${botId}>`) || spoken.includes(`<@!${botId}>`);
}

function isBlank({ content, forwarded, attachments }: WireMessage): boolean {
  return content.trim() === '' && !forwarded && attachments.length === 0;
}

function questionOf(
  message: WireMessage,
  { botId, channel }: InboundContext,
  trigger: Trigger,
  asker: Person,
  askedAt: number,
): Question {
  const workspace = message.guild ?? DIRECT_WORKSPACE;
  const kind = message.guild === null ? 'dm' : (channel?.kind ?? null);
  const ref = (channelId: string, id: string): MessageRef => ({
    platform: 'discord',
    workspace,
    channel: channelId,
    message: id,
  });
  const leading = new RegExp(`^(?:\\s*<@!?${botId}>[\\s,:]*)+`);
  return {
    id: questionId(workspace, message.channel, message.id),
    platform: 'discord',
    workspace,
    channel: message.channel,
    thread: threadOf(workspace, message.channel, message.id, kind),
    message: ref(message.channel, message.id),
    repliesTo: message.replyTo ? ref(message.replyTo.channel, message.replyTo.message) : null,
    trigger,
    asker,
    text: decodeMarkup(message.content.replace(leading, ''), message.mentions),
    quote: quoteIn(message),
    attachments: [...message.attachments, ...(message.forwarded?.attachments ?? [])],
    overrides: {},
    delivery: {},
    askedAt,
  };
}

function quoteIn(message: WireMessage): Quote | null {
  if (message.forwarded) return { author: null, text: decodeMarkup(message.forwarded.content, []) };
  return message.replied ? quoteOf(message.replied) : null;
}

function dateOf(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(0, 16).replace('T', ' ');
}

/** The ids of the questions whose messages a MESSAGE_DELETE or MESSAGE_DELETE_BULK is about. */
export function deletedQuestions(data: unknown): readonly string[] {
  const event = asObject(data);
  const channel = asId(event?.['channel_id']);
  if (!event || !channel) return [];
  const workspace = asId(event['guild_id']) ?? DIRECT_WORKSPACE;
  const ids = Array.isArray(event['ids']) ? event['ids'] : [event['id']];
  return ids.flatMap((id) => asId(id) ?? []).map((id) => questionId(workspace, channel, id));
}

function questionId(workspace: string, channel: string, message: string): string {
  return idFrom('discord', workspace, channel, message);
}
