import { takeOffMention } from '../../core/commands/parse.ts';
import { asText } from '../../core/untrusted.ts';

/** Who we are on Slack, from `auth.test`. */
export interface SlackSelf {
  readonly team: string;
  readonly user: string;
  /** The `bot_id` our own messages carry. */
  readonly bot: string;
  readonly name: string;
}

/** True when all of these are ids. Bolt does not check that a payload has the shape of its types. */
export function isComplete(ids: readonly unknown[]): boolean {
  return ids.every((id) => asText(id) !== null);
}

/**
 * The workspace a person belongs to, which a stream's recipient is named with: through Slack Connect it is not ours. In an
 * Enterprise Grid the fields can hold the organisation (E…), which is no recipient.
 */
export function recipientTeam(self: SlackSelf, ...candidates: readonly (string | undefined)[]): string {
  return candidates.find((team) => team?.startsWith('T')) ?? self.team;
}

/** Who reads, and whose names are known: mentions are ids. */
export interface Reader {
  readonly self: SlackSelf;
  readonly names: { known(person: string): string | null };
}

/**
 * What a person wrote, out of Slack's mrkdwn: tokens become readable text, links keep their address, entities are
 * decoded last (an escaped `<@U1>` is text, not a mention). A mention without a label is the name where it is known, else the id.
 */
export function decodeText(text: string, reader: Reader): string {
  return decodeEntities(text.replace(/<([^<>]+)>/g, (_token, inside: string) => decodeToken(inside, reader)));
}

/** The same for a `markdown` block: nothing is escaped there, and only mentions are tokens of Slack's. */
export function decodeMarkdown(text: string, reader: Reader): string {
  return text.replace(/<([@#!][^<>\s][^<>]*)>/g, (_token, inside: string) => decodeToken(inside, reader));
}

/** What Slack escapes in every text but that of rich text and Markdown. */
export function decodeEntities(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

/** The question in a message: decoded, without our own mention at its start or end. */
export function questionText(text: string, reader: Reader): string {
  const mention = new RegExp(`<@${reader.self.user}(?:\\|[^<>]*)?>`, 'g');
  return decodeText(takeOffMention(text, mention), reader).trim();
}

/** True when the text, as Slack delivers it, mentions us. */
export function mentionsUs(text: string, self: SlackSelf): boolean {
  return text.includes(`<@${self.user}>`) || text.includes(`<@${self.user}|`);
}

/** True when the text mentions somebody, a group or everybody here, but not us. What stands in code is no mention. */
export function addressesOthers(text: string, self: SlackSelf): boolean {
  const spoken = text.replace(/```[\s\S]*?```|`[^`\n]*`/g, '');
  return /<(?:@|!subteam\^|!(?:here|channel|everyone)\b)/.test(spoken) && !mentionsUs(text, self);
}

/** Removes what a database refuses to store: NUL, and surrogates without their other half. */
export function cleanText(text: string): string {
  return text.replaceAll('\u0000', '').toWellFormed();
}

/** Escapes a text as Slack wants it in `mrkdwn` and `text`: nothing in it mentions or links. */
export function escapeMrkdwn(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** A token without its brackets, such as `@U1`, `#C1|general`, `!here`, `https://example.org|this`, as words. */
export function decodeToken(inside: string, { self, names }: Reader): string {
  const bar = inside.indexOf('|');
  const target = bar < 0 ? inside : inside.slice(0, bar);
  const label = bar < 0 ? '' : inside.slice(bar + 1);
  const id = target.slice(1);
  if (target.startsWith('@')) return `@${id === self.user ? self.name : label || (names.known(id) ?? id)}`;
  if (target.startsWith('#')) return `#${label || id}`;
  if (target.startsWith('!')) return label || `@${id.split('^')[0] ?? ''}`;
  const address = target.replace(/^(?:mailto|tel):/, '');
  if (label === '' || label === address || address.endsWith(`//${label}`)) return address;
  return `${label} (${address})`;
}
