import { asRecords, asText, type JsonObject } from '../../core/untrusted.ts';
import { decodeText, type Reader } from './decode-text.ts';
import { type Reading, readBlocks } from './read-blocks.ts';

/** What Slack writes where an app gives no words for notifications. */
export const PLACEHOLDERS: ReadonlySet<unknown> = new Set([
  "This content can't be displayed.",
  'This message contains interactive elements.',
  'This message was deleted.',
  '[no preview available]',
]);

/** What an app has attached to a message, or the preview of a link: its blocks, else the older fields. */
export function readAttachment(attachment: JsonObject, reading: Reading): string {
  return (
    readBlocks(attachment['blocks'], reading) ||
    readFields(attachment, reading) ||
    (PLACEHOLDERS.has(attachment['fallback']) ? '' : decode(attachment['fallback'], reading))
  );
}

/** True for what Slack shows of a page that the message links to: words of others. */
export function isPreview(attachment: JsonObject): boolean {
  return ['from_url', 'original_url', 'app_unfurl_url'].some((key) => asText(attachment[key]) !== null);
}

function readFields(attachment: JsonObject, reader: Reader): string {
  const of = (key: string): string => decode(attachment[key], reader);
  // The address of a preview is in the message that links to it.
  const address = isPreview(attachment) || of('title') === '' ? '' : of('title_link');
  const fields = asRecords(attachment['fields']).map(({ title, value }) =>
    join([decode(title, reader), decode(value, reader)], ': '),
  );
  return join(
    [
      of('pretext'),
      of('author_name') || of('service_name'),
      address === '' ? of('title') : `${of('title')} (${address})`,
      of('text'),
      ...fields,
      of('footer'),
    ],
    '\n',
  );
}

function decode(value: unknown, reader: Reader): string {
  return decodeText(asText(value) ?? '', reader);
}

function join(parts: readonly string[], separator: string): string {
  return parts.filter((part) => part !== '').join(separator);
}
