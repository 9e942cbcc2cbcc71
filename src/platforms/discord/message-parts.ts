import { ComponentType, EmbedType } from 'discord.js';
import { asNumber, asRecord, asRecords, asText, type JsonObject } from '../../core/untrusted.ts';
import { cleanText, formatDate } from './markup.ts';

/** Discord allows some 15,000 characters in a message, and fewer parts of any kind: more comes from elsewhere. */
const MAX_CHARS = 20_000;
const MAX_PARTS = 100;

/** The texts of embeds that somebody has written. */
export function readEmbeds({ embeds, content, author, webhook_id: webhook }: JsonObject): readonly string[] {
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
  const label = readShort(name)
    ?.replaceAll(/[\p{Cf}\s]+/gu, ' ')
    .replaceAll('_', ' ')
    .trim();
  return label ? `${label}: ${asText(value) ?? ''}` : (asText(value) ?? '');
}

/** What components show, in the order it is read: texts, and files in the shape of a message's attachments. */
export function readComponents(components: unknown): {
  readonly texts: readonly (string | null)[];
  readonly files: readonly JsonObject[];
} {
  const waiting = [...records(components)];
  const found: JsonObject[] = [];
  for (let next = waiting.shift(); next && found.length < MAX_PARTS; next = waiting.shift()) {
    found.push(next);
    waiting.unshift(...records(next['components']), ...records([next['accessory']]));
  }
  return {
    texts: found.flatMap((component) => TEXTS[Number(component['type'])]?.(component) ?? []),
    files: found.flatMap(readFiles),
  };
}

/** By the type of a component. What buttons and menus say is there to be pressed. */
const TEXTS: Readonly<Record<number, (component: JsonObject) => readonly (string | null)[]>> = {
  [ComponentType.TextDisplay]: ({ content }) => [asText(content)],
  [ComponentType.Thumbnail]: ({ description }) => [asText(description)],
  [ComponentType.MediaGallery]: ({ items }) => records(items).map((item) => asText(item['description'])),
};

/** What is shown from elsewhere is no file. */
function readFiles({ type, file, name, size, items, media }: JsonObject): readonly JsonObject[] {
  if (type === ComponentType.File) return records([file]).map((item) => ({ ...item, filename: name, size }));
  return records([media, ...records(items).map((item) => item['media'])]).filter(
    (item) => item['attachment_id'],
  );
}

/** Question, answers, and votes where Discord tells them; null for no poll. */
export function readPoll(poll: JsonObject | null): string | null {
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
export function joinParts(
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

/** The objects in a list, as many as a message may have of anything; none for something else. */
export function records(value: unknown): readonly JsonObject[] {
  return asRecords(Array.isArray(value) ? value.slice(0, MAX_PARTS) : value);
}

/** Null for what is longer than names and addresses of Discord's are. */
export function readShort(value: unknown): string | null {
  const text = asText(value);
  return text && text.length <= MAX_SHORT ? cleanText(text) : null;
}

const MAX_SHORT = 4_000;
