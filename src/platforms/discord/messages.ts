import { createHash } from 'node:crypto';
import { Failure } from '../../core/failures.ts';
import type { Priority } from '../../core/limits/rate-limiter.ts';
import { BUTTON_ACTIONS, type Button } from '../../core/types.ts';
import type { DiscordRest } from './rest.ts';
import { readMessage, type WireMessage } from './wire.ts';

/** One message as it should look. */
export interface Draft {
  /** At most 2,000 characters, inert. */
  readonly content: string;
  readonly buttons: readonly Button[];
}

export interface PostOptions {
  readonly channel: string;
  /** The message it answers visibly; null for none. */
  readonly replyTo: string | null;
  /** The same nonce within a few minutes is the same message: a repeated post gets the first one back. */
  readonly nonce: string;
  readonly urgency: Priority | 'paid';
  /** The one person whom the post notifies, if its content mentions them; nobody when left out. */
  readonly mention?: string;
  /** Goes with the message, as UTF-8. */
  readonly file?: { readonly name: string; readonly text: string } | null;
}

/** No link previews: an answer with citations would be followed by a screenful of them. */
export const SUPPRESS_EMBEDS = 1 << 2;
export const EPHEMERAL = 1 << 6;

/** Nothing that a model or a person wrote may notify anybody. */
export const NO_MENTIONS = { parse: [], replied_user: false } as const;

/** The nonce of one of our messages: the same parts always give the same; at most 25 characters, as Discord demands. */
export function nonceOf(...parts: readonly (string | number)[]): string {
  return createHash('sha256').update(parts.join('\u0000')).digest('base64url').slice(0, 24);
}

/** Posts a message; safe to repeat with the same nonce. Spends no budget of the channel: the caller does. */
export async function postMessage(
  rest: DiscordRest,
  draft: Draft,
  { channel, replyTo, nonce, urgency, mention, file }: PostOptions,
): Promise<WireMessage> {
  const body = {
    ...bodyOf(draft),
    ...(mention && { allowed_mentions: { ...NO_MENTIONS, users: [mention] } }),
    nonce,
    enforce_nonce: true,
    ...(replyTo && { message_reference: { message_id: replyTo, fail_if_not_exists: false } }),
  };
  const files = file ? [file] : [];
  const posted = await rest.post(`/channels/${channel}/messages`, { body, urgency, files });
  const message = readMessage(posted);
  if (!message) throw new Failure('unreachable', 'Discord answered a post with something else');
  return message;
}

/** Replaces what a message shows. */
export async function editMessage(
  rest: DiscordRest,
  draft: Draft,
  { channel, message, urgency }: { channel: string; message: string; urgency: Priority | 'paid' },
): Promise<void> {
  await rest.patch(`/channels/${channel}/messages/${message}`, { body: bodyOf(draft), urgency });
}

function bodyOf({ content, buttons }: Draft): object {
  return { content, flags: SUPPRESS_EMBEDS, allowed_mentions: NO_MENTIONS, components: rowOf(buttons) };
}

/** Sent even when empty: an edit must be able to take buttons away. */
function rowOf(buttons: readonly Button[]): object[] {
  if (buttons.length === 0) return [];
  const components = buttons.slice(0, MOST_IN_ROW).map(({ action, label, question }) => ({
    type: 2,
    style: 2,
    label: label.slice(0, LONGEST_LABEL),
    custom_id: `${CUSTOM_ID}:${action}:${question}`,
  }));
  return [{ type: 1, components }];
}

const CUSTOM_ID = 'footnote';
const MOST_IN_ROW = 5;
const LONGEST_LABEL = 80;

/** What a button of ours carries; null for anything else. */
export function readCustomId(value: string): { action: Button['action']; question: string } | null {
  const [prefix, action, question] = value.split(':');
  const known = BUTTON_ACTIONS.find((one) => one === action);
  return prefix === CUSTOM_ID && question && known ? { action: known, question } : null;
}

/** The questions that the buttons of a message of ours carry. */
export function questionsOn({ customIds }: WireMessage): readonly string[] {
  return customIds.flatMap((id) => readCustomId(id)?.question ?? []);
}
