/**
 * A message → what it says: its words, the messages shared with it, its files. Used for everything that is read on Slack:
 * questions, history, shared messages, shortcuts. Takes any JSON, as apps send it, and never throws.
 */
import type { Attachment, Quote } from '../../core/types.ts';
import { asRecord, asRecords, asText, type JsonObject } from '../../core/untrusted.ts';
import { cleanText, decodeText, type Reader } from './decode-text.ts';
import { isPreview, PLACEHOLDERS, readAttachment } from './read-attachment.ts';
import { type Reading, readBlocks, startReading } from './read-blocks.ts';
import { describeHollow, toAttachment, wordsOfFile } from './read-files.ts';

/** Longer than anything that Slack takes as one message. */
const MAX_CHARS = 60_000;
const MAX_ATTACHMENTS = 100;
const MAX_FILES = 50;
/** A message that shares a message that shares a message … */
const MAX_SHARE_DEPTH = 3;

/** What one message says. */
export interface ReadMessage {
  readonly text: string;
  /** The messages that it forwards or links to. */
  readonly quotes: readonly Quote[];
  /** Its own files. */
  readonly attachments: readonly Attachment[];
  /** As in `Quote`: there is nothing to read, neither words nor files nor a shared message. */
  readonly unreadable?: string;
}

type Decode = (text: string, reader: Reader) => string;

/** Reads a message in Slack's shape. `decode` reads its `text`. */
export function readMessage(message: unknown, reader: Reader, decode: Decode = decodeText): ReadMessage {
  return read(asRecord(message) ?? {}, startReading(reader), { decode, depth: 0 });
}

/** The quotes that a message becomes when it is pointed at: itself, where it has words of its own, and what it shares. */
export function quotesOf(message: unknown, author: string | null, reader: Reader): readonly Quote[] {
  const { quotes, ...own } = readMessage(message, reader);
  const isOnlyShare = quotes.length > 0 && own.text === '' && own.attachments.length === 0;
  return isOnlyShare ? quotes : [{ author, ...own }, ...quotes];
}

function read(
  message: JsonObject,
  reading: Reading,
  { decode, depth }: { readonly decode: Decode; readonly depth: number },
): ReadMessage {
  const attached = asRecords(message['attachments']).slice(0, MAX_ATTACHMENTS);
  const files = asRecords(message['files']).slice(0, MAX_FILES);
  const parts = [readOwnWords(message, reading, decode)];
  const said = parts.map(bareWords);
  for (const attachment of attached.filter((one) => !isShare(one))) {
    const words = readAttachment(attachment, reading);
    const bare = bareWords(words);
    if (said.some((part) => part.includes(bare))) continue;
    said.push(bare);
    parts.push(isPreview(attachment) ? quoteLines(words) : words);
  }
  parts.push(...files.map(wordsOfFile));
  const text = tidy(parts.filter((part) => part !== '').join('\n\n'));
  const shares = depth < MAX_SHARE_DEPTH ? attached.filter(isShare) : [];
  const quotes = shares.flatMap((share) => readShare(share, reading, depth + 1));
  const isReadable = text !== '' || quotes.length > 0 || files.some((file) => describeHollow(file) === null);
  if (isReadable) return { text, quotes, attachments: files.map(toAttachment) };
  return { text, quotes, attachments: [], unreadable: describeUnreadable(message, files) };
}

/**
 * What a person writes stands in `text` and, the same, in rich text; tables only beside that. Of an app's message people see
 * the blocks, while `text` is for notifications and may say less or more.
 */
function readOwnWords(message: JsonObject, reading: Reading, decode: Decode): string {
  const raw = (asText(message['text']) ?? '').slice(0, MAX_CHARS);
  const said = PLACEHOLDERS.has(raw) ? '' : decode(raw, reading);
  const blocks = asRecords(message['blocks']);
  if (asText(message['user']) && !asText(message['bot_id']) && raw !== '') {
    const others = blocks.filter(({ type }) => type !== 'rich_text');
    return [said, readBlocks(others, reading)].filter((part) => part !== '').join('\n\n');
  }
  const shown = readBlocks(blocks, reading);
  const lead = countWords(said) - countWords(shown);
  // Rich text has ids where the text may have labels.
  return lead > 0 || (lead === 0 && blocks.every(({ type }) => type === 'rich_text')) ? said : shown;
}

/** What somebody else has written, whole, as it hangs on the message that shares it or links to it. */
function readShare(share: JsonObject, reading: Reading, depth: number): readonly Quote[] {
  const inner = asRecords(share['message_blocks']).map(({ message }) => asRecord(message) ?? {});
  const all = (key: string) => [share, ...inner].flatMap((part) => asRecords(part[key]));
  const message = {
    text: share['text'],
    blocks: all('blocks'),
    attachments: all('attachments'),
    files: all('files'),
  };
  const { quotes, ...own } = read(message, reading, { decode: decodeText, depth });
  const id = asText(share['author_id']);
  const author = asText(share['author_name']) ?? (id && reading.names.known(id));
  if (own.unreadable === undefined) return [{ author, ...own }, ...quotes];
  // An app's message can be shared in the older fields.
  const text = tidy(readAttachment({ ...share, author_name: null }, reading));
  return [text === '' ? { author, ...own } : { author, text, attachments: [] }];
}

function isShare(attachment: JsonObject): boolean {
  return attachment['is_share'] === true || attachment['is_msg_unfurl'] === true;
}

/** What a message without words holds, for a sentence that goes on after "I can't read anything in that message". */
function describeUnreadable(message: JsonObject, files: readonly JsonObject[]): string {
  const [hollow] = files.map(describeHollow);
  if (hollow) return hollow;
  if (message['subtype'] === 'huddle_thread' || asRecord(message['room'])) return 'a huddle';
  if (message['subtype'] === 'tombstone') return 'a deleted message';
  const attached = asRecords(message['attachments']);
  const blocks = [message, ...attached].flatMap((part) => asRecords(part['blocks']));
  if (blocks.some(({ type }) => type === 'image') || attached.some((one) => asText(one['image_url'])))
    return 'only a picture without words';
  if (blocks.some(({ type }) => type === 'actions') || attached.some((one) => one['actions']))
    return 'only buttons';
  return 'no words';
}

/** What a text says, for comparison: nothing is read twice that an app repeats in another field. */
function bareWords(text: string): string {
  return ` ${wordsIn(text).join(' ')} `;
}

function countWords(text: string): number {
  return new Set(wordsIn(text)).size;
}

function wordsIn(text: string): readonly string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

function quoteLines(text: string): string {
  return text.replaceAll(/^/gm, '> ');
}

/** What comes over the Web API can hold what no database stores. */
function tidy(text: string): string {
  const cut = text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS)}\n[… shortened]` : text;
  return cleanText(cut).trim();
}
