/**
 * Discord's JSON, read once at the edge. Nothing a payload holds is trusted: what is missing or of another type becomes an
 * empty value, and what cannot be used at all becomes null, so that no dispatch can crash the process.
 */

/** A JSON object of unknown content. */
export type Json = Readonly<Record<string, unknown>>;

interface WireUser {
  readonly id: string;
  readonly name: string | null;
  readonly isBot: boolean;
}

interface WireAttachment {
  readonly name: string;
  readonly type: string | null;
  readonly bytes: number | null;
}

/** What a message says, as far as we care. Times are milliseconds since the epoch. */
export interface WireMessage {
  readonly id: string;
  readonly channel: string;
  /** Discord's channel type number, where the event carries it (gateway only). */
  readonly channelType: number | null;
  readonly guild: string | null;
  readonly type: number;
  readonly author: WireUser | null;
  readonly isWebhook: boolean;
  readonly content: string;
  readonly mentions: readonly WireUser[];
  readonly sentAt: number;
  readonly editedAt: number | null;
  readonly replyTo: { readonly message: string; readonly channel: string } | null;
  readonly replied: WireMessage | null;
  /** The forwarded message's content; Discord does not say who wrote it. */
  readonly forwarded: {
    readonly content: string;
    readonly attachments: readonly WireAttachment[];
  } | null;
  readonly attachments: readonly WireAttachment[];
  /** The interaction (`/ask`) that it came into being as a response to. */
  readonly interaction: string | null;
  /** The custom ids of its buttons. */
  readonly customIds: readonly string[];
}

/** The object itself, or null for anything else. */
export function asObject(value: unknown): Json | null {
  // The check proves it is an object; its members stay unknown.
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
}

/** The objects in a list; empty for anything else. */
export function asObjects(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.map(asObject).filter((entry) => entry !== null) : [];
}

/** A non-empty string, or null; without what Postgres refuses to store (NUL, half surrogate pairs). */
function asText(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  return value.replaceAll('\u0000', '').toWellFormed() || null;
}

/** A Discord id, or null. */
export function asId(value: unknown): string | null {
  return typeof value === 'string' && /^\d{17,20}$/.test(value) ? value : null;
}

/** A finite number, or null. */
function asNumber(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** Reads a user object; `nick` is the name this guild knows them by. */
function readUser(value: unknown, nick: unknown = null): WireUser | null {
  const user = asObject(value);
  const id = asId(user?.['id']);
  if (!user || !id) return null;
  const name = asText(nick) ?? asText(user['global_name']) ?? asText(user['username']);
  return { id, name, isBot: user['bot'] === true || user['system'] === true };
}

/** Reads a message object as the gateway or REST give it; null when it cannot be one. */
export function readMessage(value: unknown, depth = 0): WireMessage | null {
  const raw = asObject(value);
  const id = asId(raw?.['id']);
  const channel = asId(raw?.['channel_id']);
  if (!raw || !id || !channel) return null;
  const reference = asObject(raw['message_reference']);
  const isForward = reference?.['type'] === FORWARD;
  const replyTo = asId(reference?.['message_id']);
  return {
    id,
    channel,
    channelType: asNumber(raw['channel_type']),
    guild: asId(raw['guild_id']),
    type: asNumber(raw['type']) ?? 0,
    author: readUser(raw['author'], asObject(raw['member'])?.['nick']),
    isWebhook: asText(raw['webhook_id']) !== null,
    content: asText(raw['content']) ?? '',
    mentions: asObjects(raw['mentions'])
      .map((mention) => readUser(mention, asObject(mention['member'])?.['nick']))
      .filter((user) => user !== null),
    sentAt: Date.parse(asText(raw['timestamp']) ?? '') || timeOfId(id),
    editedAt: Date.parse(asText(raw['edited_timestamp']) ?? '') || null,
    replyTo:
      replyTo && !isForward
        ? { message: replyTo, channel: asId(reference?.['channel_id']) ?? channel }
        : null,
    // A reply's own reference is not expanded by Discord; a hostile payload could nest without end.
    replied: depth === 0 && !isForward ? readMessage(raw['referenced_message'], 1) : null,
    forwarded: isForward ? readSnapshot(raw['message_snapshots']) : null,
    attachments: readAttachments(raw['attachments']),
    interaction: asId(asObject(raw['interaction_metadata'])?.['id']),
    customIds: asObjects(raw['components'])
      .flatMap((row) => asObjects(row['components']))
      .map((button) => asText(button['custom_id']))
      .filter((id) => id !== null),
  };
}

/** When the thing with this id was made, by Discord's clock. */
export function timeOfId(id: string): number {
  return Number((BigInt(id) >> 22n) + DISCORD_EPOCH_MS);
}

/** The smallest id of this moment: what `after=` takes to mean "since then". */
export function idAtTime(ms: number): string {
  const since = BigInt(Math.floor(ms)) - DISCORD_EPOCH_MS;
  return (since > 0n ? since << 22n : 0n).toString();
}

/** Sorts by age: ids are numbers too large for `Number`. */
export function compareIds(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

const FORWARD = 1;
const DISCORD_EPOCH_MS = 1_420_070_400_000n;

function readSnapshot(value: unknown): WireMessage['forwarded'] {
  const message = asObject(asObjects(value)[0]?.['message']);
  return {
    content: asText(message?.['content']) ?? '',
    attachments: readAttachments(message?.['attachments']),
  };
}

function readAttachments(value: unknown): readonly WireAttachment[] {
  return asObjects(value).map((file) => ({
    name: asText(file['filename']) ?? 'file',
    type: asText(file['content_type']),
    bytes: asNumber(file['size']),
  }));
}
