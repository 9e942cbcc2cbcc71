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

/**
 * What a person wrote, out of Slack's mrkdwn: tokens become readable text, links keep their address, entities are
 * decoded last (an escaped `<@U1>` is text, not a mention). No names are looked up: an unlabelled mention stays an id.
 */
export function decodeText(text: string, self: SlackSelf): string {
  return text
    .replace(/<([^<>]+)>/g, (_token, inside: string) => decodeToken(inside, self))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

/** The question in a message: decoded, without our own mention at its start or end. */
export function questionText(text: string, self: SlackSelf): string {
  const mention = new RegExp(`<@${self.user}(?:\\|[^<>]*)?>`, 'g');
  return decodeText(takeOffMention(text, mention), self).trim();
}

/** True when the text, as Slack delivers it, mentions us. */
export function mentionsUs(text: string, self: SlackSelf): boolean {
  return text.includes(`<@${self.user}>`) || text.includes(`<@${self.user}|`);
}

/** Removes what a database refuses to store: NUL, and surrogates without their other half. */
export function cleanText(text: string): string {
  return text.replaceAll('\u0000', '').toWellFormed();
}

/** Escapes a text as Slack wants it in `mrkdwn` and `text`: nothing in it mentions or links. */
export function escapeMrkdwn(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function decodeToken(inside: string, self: SlackSelf): string {
  const bar = inside.indexOf('|');
  const target = bar < 0 ? inside : inside.slice(0, bar);
  const label = bar < 0 ? '' : inside.slice(bar + 1);
  if (target.startsWith('@')) {
    return target === `@${self.user}` ? `@${self.name}` : `@${label || target.slice(1)}`;
  }
  if (target.startsWith('#')) return `#${label || target.slice(1)}`;
  if (target.startsWith('!')) return label || `@${target.slice(1).split('^')[0] ?? ''}`;
  const address = target.replace(/^(?:mailto|tel):/, '');
  if (label === '' || label === address || address.endsWith(`//${label}`)) return address;
  return `${label} (${address})`;
}
