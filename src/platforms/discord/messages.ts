import { createHash } from 'node:crypto';
import {
  type APIActionRowComponent,
  type APIButtonComponentWithCustomId,
  type APIMessage,
  ButtonStyle,
  ComponentType,
  MessageFlags,
  type RESTPatchAPIChannelMessageJSONBody,
  type RESTPostAPIChannelMessageJSONBody,
  type RESTPostAPICurrentUserCreateDMChannelJSONBody,
  Routes,
} from 'discord.js';
import { Failure } from '../../core/failures.ts';
import type { Priority } from '../../core/limits/call-limiter.ts';
import { BUTTON_ACTIONS, type Button } from '../../core/types.ts';
import { asArray, asRecord, asText } from '../../core/untrusted.ts';
import { CODE } from './errors.ts';
import { compareIds } from './ids.ts';
import type { DiscordRest, TextFile } from './rest.ts';

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
  readonly urgency: Priority | 'acquired';
  /** The one person whom the post notifies, if its content mentions them; nobody when left out. */
  readonly mention?: string;
  /** Goes with the message, as UTF-8. */
  readonly file?: TextFile | null;
}

/** Nothing that a model or a person wrote may notify anybody. */
export const NO_MENTIONS = { parse: [], replied_user: false };

/** The nonce of one of our messages: the same parts always give the same; at most 25 characters, as Discord demands. */
export function nonceOf(...parts: readonly (string | number)[]): string {
  return createHash('sha256').update(parts.join('\u0000')).digest('base64url').slice(0, 24);
}

interface EditTarget {
  readonly channel: string;
  readonly message: string;
  readonly urgency: Priority | 'acquired';
}

/** Posts a message; safe to repeat with the same nonce. @throws {Failure} */
export async function postMessage(
  rest: DiscordRest,
  draft: Draft,
  { channel, replyTo, nonce, urgency, mention, file }: PostOptions,
): Promise<APIMessage> {
  const body: RESTPostAPIChannelMessageJSONBody = {
    ...bodyOf(draft),
    ...(mention && { allowed_mentions: { ...NO_MENTIONS, users: [mention] } }),
    nonce,
    enforce_nonce: true,
    ...(replyTo && { message_reference: { message_id: replyTo, fail_if_not_exists: false } }),
  };
  const files = file ? [file] : [];
  const message = asMessage(await rest.post(Routes.channelMessages(channel), { body, urgency, files }));
  if (!message) throw new Failure('unreachable', 'Discord answered a post with something else');
  return message;
}

/** Replaces what a message shows. @throws {Failure} */
export async function editMessage(
  rest: DiscordRest,
  draft: Draft,
  { channel, message, urgency }: EditTarget,
): Promise<void> {
  const body: RESTPatchAPIChannelMessageJSONBody = bodyOf(draft);
  await rest.patch(Routes.channelMessage(channel, message), { body, urgency });
}

/** As `editMessage`; an archived thread is opened again for it. @throws {Failure} */
export async function editInArchived(rest: DiscordRest, draft: Draft, target: EditTarget): Promise<void> {
  try {
    await editMessage(rest, draft, target);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== CODE.threadArchived) throw error;
    await rest.patch(Routes.channel(target.channel), { body: { archived: false }, urgency: 'final' });
    await editMessage(rest, draft, { ...target, urgency: 'final' });
  }
}

/** Deletes a message; one that is deleted already is no failure. @throws {Failure} */
export async function deleteMessage(rest: DiscordRest, channel: string, message: string): Promise<void> {
  try {
    await rest.delete(Routes.channelMessage(channel, message), { urgency: 'final' });
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== 'gone') throw error;
  }
}

/** The direct conversation with a person. That they refuse to be written to shows only when it is tried. @throws {Failure} */
export async function openDirect(rest: DiscordRest, personId: string): Promise<string> {
  const body: RESTPostAPICurrentUserCreateDMChannelJSONBody = { recipient_id: personId };
  const channel = asText(asRecord(await rest.post(Routes.userChannels(), { body }))?.['id']);
  if (!channel) throw new Failure('unreachable', 'Discord opened no direct conversation');
  return channel;
}

/** A message as REST returns it; null for anything else, such as the page of a proxy. */
export function asMessage(value: unknown): APIMessage | null {
  const record = asRecord(value);
  // Discord's documented type, once it is known to be a message at all.
  const isMessage = asText(record?.['id']) && asText(record?.['channel_id']);
  return isMessage && typeof record?.['content'] === 'string' ? (value as APIMessage) : null;
}

/** The messages in a list as REST returns it, oldest first; empty for anything else. */
export function asMessages(value: unknown): readonly APIMessage[] {
  return asArray(value)
    .map(asMessage)
    .filter((message) => message !== null)
    .sort((a, b) => compareIds(a.id, b.id));
}

function bodyOf({ content, buttons }: Draft) {
  return {
    content,
    // No link previews: those of an answer's citations would fill the screen.
    flags: MessageFlags.SuppressEmbeds,
    allowed_mentions: NO_MENTIONS,
    components: rowOf(buttons),
  };
}

/** Sent even when empty: an edit must be able to take buttons away. */
function rowOf(buttons: readonly Button[]): APIActionRowComponent<APIButtonComponentWithCustomId>[] {
  if (buttons.length === 0) return [];
  const components = buttons.slice(0, MAX_IN_ROW).map(({ action, label, question }) => ({
    type: ComponentType.Button as const,
    style: ButtonStyle.Secondary as const,
    label: label.slice(0, MAX_LABEL),
    custom_id: `${CUSTOM_ID}:${action}:${question}`,
  }));
  return [{ type: ComponentType.ActionRow, components }];
}

const CUSTOM_ID = 'footnote';
/** Discord's limits. */
const MAX_IN_ROW = 5;
const MAX_LABEL = 80;

/** What a button of ours carries; null for anything else. */
export function readCustomId(value: string): { action: Button['action']; question: string } | null {
  const [prefix, action, question] = value.split(':');
  const known = BUTTON_ACTIONS.find((one) => one === action);
  return prefix === CUSTOM_ID && question && known ? { action: known, question } : null;
}

/** The ids of the questions that the buttons of a message of ours carry. */
export function questionsOn({ components = [] }: APIMessage): readonly string[] {
  return components
    .flatMap((row) => (row.type === ComponentType.ActionRow ? row.components : []))
    .flatMap((button) => ('custom_id' in button ? (readCustomId(button.custom_id)?.question ?? []) : []));
}

/** Discord shows it for 10 s. */
const REFRESH_MS = 8_000;
/** The share of all calls beyond which the rest is left to words. */
const BUSY = 0.25;

/** The typing indicator of one answer. */
export function createTyping(rest: DiscordRest) {
  let timer: ReturnType<typeof setInterval> | null = null;
  return {
    /** Shows it and keeps it up; does nothing while it is up. */
    start(channel: string): void {
      if (timer) return;
      const show = (): void => {
        if (rest.limits.all.load() > BUSY) return;
        // A failure is ignored: the answer comes without the indicator.
        rest.post(Routes.channelTyping(channel)).catch(() => {});
      };
      timer = setInterval(show, REFRESH_MS);
      show();
    },
    stop(): void {
      if (timer) clearInterval(timer);
      timer = null;
    },
  };
}
