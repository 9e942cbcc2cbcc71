import type { AttachmentState, InteractionState, Json, MessageState } from './state.ts';
import { findMessage, threadOf, type World } from './world.ts';

/** A message as somebody looking at the channel sees it. */
export interface VisibleMessage {
  readonly id: string;
  readonly channel: string;
  readonly author: { readonly id: string; readonly name: string; readonly bot: boolean };
  readonly type: number;
  readonly content: string;
  readonly embeds: readonly Json[];
  readonly components: readonly Json[];
  readonly attachments: readonly AttachmentState[];
  readonly flags: number;
  /** The "is thinking…" of a deferred response. */
  readonly loading: boolean;
  /** The id of the message it replies to. */
  readonly referencedMessage: string | null;
  /** The texts of a forwarded message. */
  readonly forwarded: readonly string[];
  readonly createdAt: number;
  readonly editedAt: number | null;
  /** The thread started from it. */
  readonly thread?: string;
  readonly reactions: readonly { readonly emoji: string; readonly users: readonly string[] }[];
  /** Whom it mentioned, `allowed_mentions` applied: user ids, and `everyone`. */
  readonly mentions: readonly string[];
}

const LOADING = 1 << 7;

export function viewMessage(world: World, message: MessageState): VisibleMessage {
  const { author, reference, mentions, mentionEveryone, snapshots } = message;
  const thread = threadOf(world, message);
  const { id, channel, type, content, embeds, components, attachments, flags, createdAt, editedAt } = message;
  return {
    id,
    channel,
    type,
    content,
    embeds,
    components,
    attachments,
    flags,
    createdAt,
    editedAt,
    author: {
      id: author.id,
      name: author.globalName ?? author.username,
      bot: author.bot,
    },
    loading: (flags & LOADING) !== 0,
    referencedMessage: reference?.type === 0 && message.type === 19 ? reference.message : null,
    forwarded: snapshots.map((snapshot) => snapshot.content),
    ...(thread ? { thread: thread.id } : {}),
    reactions: message.reactions.map(({ emoji, users }) => ({
      emoji,
      users: [...users],
    })),
    mentions: [...mentions, ...(mentionEveryone ? ['everyone'] : [])],
  };
}

/** An interaction and what the bot made of it so far; the getters follow the state. */
export interface VisibleInteraction {
  readonly id: string;
  readonly token: string;
  readonly type: 2 | 3 | 4 | 5;
  readonly user: string;
  readonly channel: string;
  readonly name: string;
  readonly createdAt: number;
  /** When the callback came, in milliseconds since the epoch. */
  readonly acknowledged: number | null;
  /** The callback's type. */
  readonly responseType: number | null;
  /** What `@original` means now. */
  readonly response: VisibleMessage | null;
  readonly followups: readonly VisibleMessage[];
  /** Those of its messages that only its user sees. */
  readonly ephemeral: readonly VisibleMessage[];
  readonly modal: Json | null;
  readonly choices: readonly Json[] | null;
}

export function viewInteraction(world: World, interaction: InteractionState): VisibleInteraction {
  const { id, token, type, user, channel, name, createdAt } = interaction;
  const find = (message: string | null): MessageState | undefined =>
    message === null ? undefined : findMessage(world, channel, message);
  const views = (messages: readonly (MessageState | undefined)[]): VisibleMessage[] =>
    messages.filter((message) => message !== undefined).map((message) => viewMessage(world, message));
  const all = (): (MessageState | undefined)[] => [interaction.original, ...interaction.followups].map(find);
  return {
    id,
    token,
    type,
    user,
    channel,
    name,
    createdAt,
    get acknowledged() {
      return interaction.acknowledged;
    },
    get responseType() {
      return interaction.responseType;
    },
    get response() {
      return views([find(interaction.original)])[0] ?? null;
    },
    get followups() {
      return views(interaction.followups.map(find));
    },
    get ephemeral() {
      return views(all().filter((message) => (message?.ephemeralTo ?? null) !== null));
    },
    get modal() {
      return interaction.modal;
    },
    get choices() {
      return interaction.choices;
    },
  };
}
