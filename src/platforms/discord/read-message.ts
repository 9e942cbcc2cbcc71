import { MessageFlags, MessageType } from 'discord.js';
import type { Attachment, Quote } from '../../core/types.ts';
import { asNumber, asRecord, asText, type JsonObject } from '../../core/untrusted.ts';
import { cleanText, decodeMarkup, type Names } from './markup.ts';
import { joinParts, readComponents, readEmbeds, readPoll, readShort, records } from './message-parts.ts';

/** A message read. */
export interface Reading {
  /** Its own words, a line or more for each part of it; empty where it has none. */
  readonly text: string;
  /** The names of its stickers, in brackets. */
  readonly stickers: string;
  /** What it holds beside words, or instead of them, such as "a sticker"; null for nothing of the kind. */
  readonly wordless: string | null;
  readonly attachments: readonly Attachment[];
  /** The messages it forwards, each with its own files. */
  readonly forwarded: readonly Quote[];
}

/** What people and bots have said; all other types are notices of Discord's own. */
export const SPOKEN_TYPES: ReadonlySet<unknown> = new Set([
  MessageType.Default,
  MessageType.Reply,
  MessageType.ChatInputCommand,
  MessageType.ContextMenuCommand,
]);

/** Reads a message as Discord's API gives it, whole or in part, from an event, REST or an interaction. Never throws. */
export function readMessage(message: JsonObject, names: Names): Reading {
  return {
    ...readOwn(message, names),
    forwarded: records(message['message_snapshots']).map((snapshot) => {
      const own = readOwn(asRecord(snapshot['message']) ?? {}, names);
      // Discord does not say who wrote it.
      return quoteReading({ ...own, forwarded: [] }, null);
    }),
  };
}

/** Quotes a message that somebody replies to or points at; of what begins a thread, the message the thread was started from. */
export function readQuote(message: JsonObject, names: Names): Quote {
  const isStarter = message['type'] === MessageType.ThreadStarterMessage;
  const told = (isStarter && asRecord(message['referenced_message'])) || message;
  const author = asRecord(told['author']);
  const name = names.person(asText(author?.['id']) ?? '') ?? nameUser(author);
  return quoteReading(readMessage(told, names), name === null ? null : cleanText(name));
}

function quoteReading(reading: Reading, author: string | null): Quote {
  const { text, wordless, forwarded } = reading;
  const attachments = [...reading.attachments, ...forwarded.flatMap((quote) => quote.attachments)];
  const isReadable = text !== '' || forwarded.some((quote) => quote.text !== '');
  if (isReadable || attachments.length > 0)
    return { author, text: isReadable ? joinWords(reading) : '', attachments };
  const unreadable = wordless ?? forwarded[0]?.unreadable ?? 'an empty message';
  return { author, text: '', attachments, unreadable };
}

/** All words of a message: its own, those of what it forwards, and the names of its stickers. */
export function joinWords({ text, stickers, forwarded }: Reading): string {
  return [text, ...forwarded.map((quote) => quote.text), stickers].filter(Boolean).join('\n');
}

function readOwn(message: JsonObject, names: Names): Omit<Reading, 'forwarded'> {
  const components = readComponents(message['components']);
  const files = [...records(message['attachments']), ...components.files];
  const parts = [
    asText(message['content']),
    ...readEmbeds(message),
    ...components.texts,
    readPoll(asRecord(message['poll'])),
    ...files.map((file) => asText(file['description'])),
  ];
  const people = nameMentioned(message, names);
  return {
    text: joinParts(parts, (part) => decodeMarkup(part, people)),
    stickers: joinParts(records(message['sticker_items']).map(({ name }) => `(sticker: ${asText(name)})`)),
    wordless: WORDLESS.find(([, isIt]) => isIt(message))?.[0] ?? null,
    // Nobody can read a voice message, and nobody has given it its name.
    attachments: hasFlag(message, MessageFlags.IsVoiceMessage) ? [] : toAttachments(files),
  };
}

/** What a message without words and files can be instead. */
const WORDLESS: readonly (readonly [what: string, isIt: (message: JsonObject) => boolean])[] = [
  ['a voice message', (message) => hasFlag(message, MessageFlags.IsVoiceMessage)],
  ['a sticker', ({ sticker_items: stickers }) => records(stickers).length > 0],
  ['a system message', ({ type }) => type !== undefined && type !== null && !SPOKEN_TYPES.has(type)],
  ['a picture', ({ embeds }) => records(embeds).some(({ image, video }) => image || video)],
  ['buttons or pictures', ({ components }) => records(components).length > 0],
];

/** Names from the caches, else those that came with the message. */
function nameMentioned({ mentions }: JsonObject, names: Names): Names {
  const find = (id: string): string | null => {
    const person = records(mentions).find((mentioned) => mentioned['id'] === id);
    return asText(asRecord(person?.['member'])?.['nick']) ?? nameUser(person);
  };
  return { ...names, person: (id) => names.person(id) ?? find(id) };
}

/** The name a user goes by where no guild has another for them. */
export function nameUser(user: JsonObject | null | undefined): string | null {
  return asText(user?.['global_name']) ?? asText(user?.['username']);
}

function toAttachments(files: readonly JsonObject[]): readonly Attachment[] {
  const found = files.map((file) => {
    const url = readShort(file['url']);
    const attachment = {
      name: nameFile(file, url),
      type: readShort(file['content_type']),
      bytes: asNumber(file['size']),
      url,
    };
    return [url?.replace(/\?.*/s, '') ?? attachment, attachment] as const;
  });
  // A file of the message is also where its components show it, perhaps signed anew.
  return [...new Map(found.toReversed()).values()].toReversed();
}

/** Discord takes what it does not like out of `filename`; `title` is then how it was called, without its ending. */
function nameFile({ filename, title: called }: JsonObject, url: string | null): string {
  const [path = ''] = url?.split(/[?#]/, 1) ?? [];
  const name = readShort(filename) ?? path.slice(path.lastIndexOf('/') + 1);
  const title = readShort(called);
  return (title ? `${title}${/\.\w+$/.exec(name)?.[0] ?? ''}` : name).trim() || 'file';
}

function hasFlag({ flags }: JsonObject, flag: MessageFlags): boolean {
  return (Number(flags) & flag) !== 0;
}
