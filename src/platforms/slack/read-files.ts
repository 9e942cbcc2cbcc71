/** Files of a message: what is known of each without fetching it. */
import type { Attachment } from '../../core/types.ts';
import { asNumber, asRecord, asRecords, asText, type JsonObject } from '../../core/untrusted.ts';

/** What is listed among files, by `mode`, and holds nothing that could be fetched as one. */
const HOLLOW: ReadonlyMap<unknown, string> = new Map([
  ['tombstone', 'a deleted file'],
  ['hidden_by_limit', "a file beyond the workspace's limit"],
  ['quip', 'a canvas'],
  ['canvas', 'a canvas'],
  ['list', 'a list'],
]);

/** What a file is when it is none to read; null for a real one. */
export function describeHollow({ mode }: JsonObject): string | null {
  return HOLLOW.get(mode) ?? null;
}

/** A file as the core knows it. Of one in a shared channel, or one that is hidden, Slack may say no more than that it is there. */
export function toAttachment(file: JsonObject): Attachment {
  return {
    name: asText(file['name']) ?? asText(file['title']) ?? describeHollow(file) ?? 'a file',
    type: asText(file['mimetype']),
    bytes: asNumber(file['size']),
    url: asText(file['url_private']),
  };
}

/** The words that come with a file: an e-mail's text, what is said in a clip, the description of a picture. */
export function wordsOfFile(file: JsonObject): string {
  const isEmail = file['mode'] === 'email';
  const said = asRecord(asRecord(file['transcription'])?.['preview']);
  const from = asRecords(file['from']).map(({ name, address }) => asText(name) ?? asText(address));
  const lines = [
    isEmail ? (asText(file['subject']) ?? asText(file['title'])) : null,
    isEmail && from.length > 0 ? `From: ${from.join(', ')}` : null,
    isEmail ? (asText(file['plain_text']) ?? asText(file['preview_plain_text'])) : null,
    asText(asRecord(file['initial_comment'])?.['comment']),
    asText(said?.['content']),
    asText(file['alt_txt']),
  ];
  return lines.filter((line) => line !== null).join('\n');
}
