import { withoutCode } from './markup.ts';
import { type AllowedMentions, BOT_DEFAULT, INTERACTION_DEFAULT, resolveMentions } from './mentions.ts';
import type { RecordedCall } from './recording.ts';

/** Something in a message that Discord would make live: a mention that is drawn as one, or something to click. */
export interface LiveToken {
  readonly kind:
    | 'user'
    | 'role'
    | 'channel'
    | 'command'
    | 'everyone'
    | 'masked-link'
    | 'bare-link'
    | 'contact';
  /** As it stands in the text. */
  readonly text: string;
  /** Where a link leads. */
  readonly url?: string;
  /** Whether Discord would fetch the page and show a preview. */
  readonly preview?: boolean;
}

const SUPPRESS_EMBEDS = 1 << 2;

/** First match wins at every position; the order is that of Discord's own parser. */
const TOKENS: readonly (readonly [LiveToken['kind'] | 'escape', RegExp])[] = [
  ['escape', /^\\[^0-9A-Za-z\s]/],
  [
    'masked-link',
    /^\[((?:\\.|[^\\\]]|\](?!\())+)\]\(\s*(<(?:https?|discord):[^>\n]*>|(?:https?|discord):[^\s)]+)(?:\s+["'][^\n]*?["'])?\s*\)/i,
  ],
  ['user', /^<@!?\d+>/],
  ['role', /^<@&\d+>/],
  ['channel', /^<(?:#\d+|id:\w+)>/],
  ['command', /^<\/[^:>\n]+:\d+>/],
  ['bare-link', /^<(?:https?|discord):\/\/[^\s<>]+>/i],
  ['contact', /^<(?:[^\s<>@]+@[^\s<>@]+|\+\d[\d\s-]+)>/],
  ['everyone', /^@(?:everyone|here)/],
  ['bare-link', /^(?:https?|discord):\/\/[^\s<]+[^<.,:;"')\]\s]/i],
];

/**
 * What Discord would make live in a message text, code excepted. Mentions in the label of a masked link count
 * as well.
 * @param flags the message's flags: with SUPPRESS_EMBEDS no link has a preview.
 */
export function liveTokens(content: string, flags = 0): LiveToken[] {
  const text = withoutCode(content);
  const found: LiveToken[] = [];
  const previews = (flags & SUPPRESS_EMBEDS) === 0;
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    const hit = firstToken(rest);
    if (hit === null) {
      at += 1;
      continue;
    }
    if (hit.kind !== 'escape') found.push(describe(hit.kind, hit.match, previews));
    if (hit.kind === 'masked-link') found.push(...liveTokens(hit.match[1] ?? '', flags).filter(isMention));
    at += hit.match[0].length;
  }
  return found;
}

function isMention({ kind }: LiveToken): boolean {
  return kind !== 'masked-link' && kind !== 'bare-link';
}

function firstToken(rest: string): { kind: LiveToken['kind'] | 'escape'; match: RegExpExecArray } | null {
  if (!/^[\\[<@hd]/i.test(rest)) return null;
  for (const [kind, pattern] of TOKENS) {
    const match = pattern.exec(rest);
    if (match) return { kind, match };
  }
  return null;
}

function describe(kind: LiveToken['kind'], match: RegExpExecArray, previews: boolean): LiveToken {
  const [text] = match;
  if (kind !== 'masked-link' && kind !== 'bare-link') return { kind, text };
  const target = kind === 'masked-link' ? (match[2] ?? '') : text;
  const bracketed = target.startsWith('<');
  const url = bracketed ? target.slice(1, -1) : target;
  return { kind, text, url, preview: previews && !bracketed };
}

interface Sent {
  readonly content?: unknown;
  readonly allowed_mentions?: AllowedMentions | null;
  readonly message_reference?: { readonly type?: number } | null;
}

/**
 * Who a recorded call would notify, given its `allowed_mentions` and Discord's defaults without it: `user:ID`, `role:ID`,
 * `everyone`, and `reply` for the author of the message replied to. Edits notify nobody, but the mentions they let
 * through are drawn as live ones: see `liveTokens`.
 */
export function pings(call: RecordedCall): string[] {
  if (call.method !== 'POST' || call.body === null || typeof call.body !== 'object') return [];
  const isCallback = call.route.endsWith('/callback');
  const isMessage = call.route === '/channels/:channel/messages';
  if (!isCallback && !isMessage && call.route !== '/webhooks/:application/:token') return [];
  // The stand-in has validated the body by then: these are the fields it names.
  const body = (isCallback ? (call.body as { data?: Sent }).data : call.body) as Sent | undefined | null;
  const allowed = body?.allowed_mentions ?? (isMessage ? BOT_DEFAULT : INTERACTION_DEFAULT);
  const mentioned = resolveMentions(typeof body?.content === 'string' ? body.content : '', allowed);
  const isReply = body?.message_reference !== undefined && body.message_reference !== null;
  return [
    ...(mentioned.everyone ? ['everyone'] : []),
    ...mentioned.users.map((id) => `user:${id}`),
    ...mentioned.roles.map((id) => `role:${id}`),
    ...(isReply && allowed.replied_user !== false && isMessage ? ['reply'] : []),
  ];
}
