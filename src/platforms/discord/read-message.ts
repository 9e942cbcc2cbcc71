import { ComponentType, EmbedType, MessageFlags, MessageType } from 'discord.js';
import type { Attachment, Quote } from '../../core/types.ts';
import { asNumber, asRecord, asRecords, asText, type JsonObject } from '../../core/untrusted.ts';
import { cleanText, decodeMarkup, formatDate, type Names } from './markup.ts';

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

/** Discord allows some 15,000 characters in a message, and fewer parts of any kind: more comes from elsewhere. */
const MAX_CHARS = 20_000;
const MAX_PARTS = 100;

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
  const components = flattenComponents(message['components']);
  const files = [...records(message['attachments']), ...components.flatMap(readFiles)];
  const parts = [
    asText(message['content']),
    ...readEmbeds(message),
    ...components.flatMap((component) => COMPONENT_TEXTS[Number(component['type'])]?.(component) ?? []),
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

/** The texts of embeds that somebody has written. */
function readEmbeds({ embeds, content, author, webhook_id: webhook }: JsonObject): readonly string[] {
  const hasLink = /https?:\/\//.test(asText(content)?.slice(0, MAX_CHARS) ?? '');
  const sender = asRecord(author);
  // People can send no embeds: theirs are made by Discord from the links in the content, as are those of other types.
  const isPerson = sender !== null && sender['bot'] !== true && !webhook;
  const isPreview = ({ type }: JsonObject): boolean => isPerson || PREVIEWS.has(type);
  return records(embeds)
    .filter((embed) => !(hasLink && isPreview(embed)))
    .map(readEmbed);
}

const PREVIEWS: ReadonlySet<unknown> = new Set([
  EmbedType.Article,
  EmbedType.GIFV,
  EmbedType.Image,
  EmbedType.Link,
  EmbedType.Video,
]);

function readEmbed(embed: JsonObject): string {
  const [title, url] = [asText(embed['title']), asText(embed['url'])];
  const footer = asText(asRecord(embed['footer'])?.['text']);
  return joinParts([
    asText(asRecord(embed['author'])?.['name']),
    title && url ? `${title} (${url})` : title,
    asText(embed['description']),
    ...records(embed['fields']).map(readField),
    asText(asRecord(embed['image'])?.['description']),
    [footer, formatDate(Date.parse(asText(embed['timestamp']) ?? ''))].filter(Boolean).join(' · '),
  ]);
}

/** A field whose name shall not be seen is named by an invisible character. */
function readField({ name, value }: JsonObject): string {
  // In the notices of Discord's own, such as the result of a poll, names are keys.
  const label = asText(name)
    ?.replaceAll(/[\p{Cf}\s]+/gu, ' ')
    .replaceAll('_', ' ')
    .trim();
  return label ? `${label}: ${asText(value) ?? ''}` : (asText(value) ?? '');
}

/** The texts that components show. What buttons and menus say is there to be pressed. */
const COMPONENT_TEXTS: Readonly<Record<number, (component: JsonObject) => readonly (string | null)[]>> = {
  [ComponentType.TextDisplay]: ({ content }) => [asText(content)],
  [ComponentType.Thumbnail]: ({ description }) => [asText(description)],
  [ComponentType.MediaGallery]: ({ items }) => records(items).map((item) => asText(item['description'])),
};

/** Components and those inside of them, in the order they are read. */
function flattenComponents(components: unknown): readonly JsonObject[] {
  const waiting = [...records(components)];
  const found: JsonObject[] = [];
  for (let next = waiting.shift(); next && found.length < MAX_PARTS; next = waiting.shift()) {
    found.push(next);
    waiting.unshift(...records(next['components']), ...records([next['accessory']]));
  }
  return found;
}

/** The files in a component, as attachments are given: what is shown from elsewhere is none. */
function readFiles({ type, file, name, size, items, media }: JsonObject): readonly JsonObject[] {
  if (type === ComponentType.File) return records([file]).map((item) => ({ ...item, filename: name, size }));
  return records([media, ...records(items).map((item) => item['media'])]).filter(
    (item) => item['attachment_id'],
  );
}

function toAttachments(files: readonly JsonObject[]): readonly Attachment[] {
  const found = files.map((file) => ({
    name: nameFile(file),
    type: asText(file['content_type']),
    bytes: asNumber(file['size']),
    url: asText(file['url']),
  }));
  // A file of the message is also where its components show it, perhaps signed anew.
  const byAddress = found.map((file, index) => [file.url?.replace(/\?.*/s, '') ?? index, file] as const);
  return [...new Map(byAddress.toReversed()).values()].toReversed();
}

/** Discord takes what it does not like out of `filename`; `title` is then how it was called, without its ending. */
function nameFile({ filename, title, url }: JsonObject): string {
  const name =
    asText(filename) ??
    asText(url)
      ?.replace(/[?#].*/s, '')
      .split('/')
      .at(-1) ??
    '';
  const full = asText(title) ? `${asText(title)}${/\.\w+$/.exec(name)?.[0] ?? ''}` : name;
  return cleanText(full.slice(0, MAX_NAME)).trim() || 'file';
}

const MAX_NAME = 300;

function readPoll(poll: JsonObject | null): string | null {
  if (!poll) return null;
  const counts = records(asRecord(poll['results'])?.['answer_counts']);
  const answers = records(poll['answers']).map(({ answer_id: id, poll_media: media }) => {
    const votes = asNumber(counts.find((count) => count['id'] === id)?.['count']);
    return `- ${readPollMedia(media)}${votes === null ? '' : ` (${votes} ${votes === 1 ? 'vote' : 'votes'})`}`;
  });
  return joinParts([`Poll: ${readPollMedia(poll['question'])}`, ...answers]);
}

function readPollMedia(media: unknown): string {
  const { text, emoji } = asRecord(media) ?? {};
  return [asText(asRecord(emoji)?.['name']), asText(text)].filter(Boolean).join(' ');
}

/** Joins what there is of some parts by line breaks, each part once, up to what a message can hold. */
function joinParts(
  parts: readonly (string | null)[],
  decode = (part: string): string => cleanText(part).trim(),
): string {
  let left = MAX_CHARS;
  const found = new Set<string>();
  for (const part of parts) {
    if (!part || left <= 0) continue;
    found.add(decode(part.slice(0, left)));
    left -= part.length;
  }
  return [...found].filter(Boolean).join('\n');
}

function records(value: unknown): readonly JsonObject[] {
  return asRecords(Array.isArray(value) ? value.slice(0, MAX_PARTS) : value);
}

function hasFlag({ flags }: JsonObject, flag: MessageFlags): boolean {
  return (Number(flags) & flag) !== 0;
}
