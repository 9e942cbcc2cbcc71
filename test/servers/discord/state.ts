/** Everything the stand-in remembers, as plain JSON: it survives a snapshot and a restart. */

export type Json = Record<string, unknown>;

export type Permission =
  | 'ADD_REACTIONS'
  | 'VIEW_CHANNEL'
  | 'SEND_MESSAGES'
  | 'EMBED_LINKS'
  | 'ATTACH_FILES'
  | 'READ_MESSAGE_HISTORY'
  | 'CREATE_PUBLIC_THREADS'
  | 'SEND_MESSAGES_IN_THREADS';

export type ChannelKind = 'text' | 'forum' | 'dm' | 'thread';

export interface Person {
  readonly id: string;
  readonly username: string;
  readonly globalName: string;
  /** Messages to this person fail with 50007, as with closed DMs. */
  refusesDms: boolean;
  /** What the guild calls them instead of their own name. */
  nick?: string;
}

export interface Author {
  readonly id: string;
  readonly username: string;
  readonly globalName: string | null;
  readonly bot: boolean;
  readonly webhook: boolean;
}

interface ThreadState {
  readonly owner: string;
  archived: boolean;
  locked: boolean;
  autoArchiveMinutes: number;
  /** When `archived` last changed. */
  archiveAt: number;
  /** Whether the bot is a member: it started the thread, joined it or wrote in it. */
  joined: boolean;
}

export interface ChannelState {
  readonly id: string;
  name: string;
  readonly kind: ChannelKind;
  /** The channel a thread hangs under. */
  readonly parent: string | null;
  /** The other person of a DM. */
  readonly recipient: string | null;
  /** What the bot may not do here; threads follow their parent. */
  denied: readonly Permission[];
  /** Hidden from everybody but the bot and those let in. */
  readonly isPrivate?: boolean;
  readonly createdAt: number;
  lastMessage: string | null;
  readonly thread: ThreadState | null;
}

export interface AttachmentState {
  readonly id: string;
  readonly filename: string;
  readonly contentType: string | null;
  readonly size: number;
  /** The content, where it is text. */
  readonly text: string;
  /** The content of what somebody attached, in Base64. */
  readonly data?: string;
  /** What else Discord says of it: a title, a description, the length of a voice message. */
  readonly more?: Json;
}

/** What a forward shows of the message it forwards. */
export interface SnapshotState {
  readonly content: string;
  readonly type: number;
  readonly timestamp: number;
  readonly attachments: readonly AttachmentState[];
  // States saved earlier have none of these.
  readonly flags?: number;
  readonly embeds?: readonly Json[];
  readonly components?: readonly Json[];
  readonly stickers?: readonly Json[];
  readonly mentions?: readonly string[];
}

export interface MessageState {
  readonly id: string;
  readonly channel: string;
  readonly author: Author;
  readonly type: number;
  readonly createdAt: number;
  content: string;
  embeds: readonly Json[];
  components: readonly Json[];
  attachments: readonly AttachmentState[];
  readonly stickers?: readonly Json[];
  readonly poll?: Json | null;
  flags: number;
  readonly reference: { readonly type: 0 | 1; readonly channel: string; readonly message: string } | null;
  readonly snapshots: readonly SnapshotState[];
  editedAt: number | null;
  readonly nonce: string | number | null;
  /** Users mentioned and allowed to be. */
  mentions: readonly string[];
  mentionRoles: readonly string[];
  mentionEveryone: boolean;
  reactions: { readonly emoji: string; readonly users: string[] }[];
  /** The interaction a message answers. */
  readonly interaction: {
    readonly id: string;
    readonly user: string;
    readonly type: number;
    readonly name?: string;
  } | null;
  /** The one person who sees it; null for a message everybody sees. */
  readonly ephemeralTo: string | null;
  /** Edits made after the message was an hour old. */
  lateEdits: number;
}

export interface InteractionState {
  readonly id: string;
  readonly token: string;
  /** 2 command, 3 component, 4 autocomplete, 5 modal. */
  readonly type: 2 | 3 | 4 | 5;
  readonly user: string;
  readonly channel: string;
  /** The command's name or the component's custom id. */
  readonly name: string;
  /** The type of the message that answers: 20 for a slash command, 23 for a message command, 0 for others. */
  readonly answerType: 0 | 20 | 23;
  readonly createdAt: number;
  acknowledged: number | null;
  responseType: number | null;
  /** The message that `@original` means. */
  original: string | null;
  /** The message a pressed component sits on. */
  readonly source: string | null;
  readonly followups: string[];
  modal: Json | null;
  choices: readonly Json[] | null;
}

export interface DiscordState {
  readonly version: 1;
  readonly token: string;
  readonly applicationId: string;
  readonly botUser: Author;
  readonly guild: {
    readonly id: string;
    readonly name: string;
    readonly botRole: string;
    readonly role: string;
  };
  readonly people: readonly Person[];
  lastId: string;
  readonly channels: ChannelState[];
  /** By channel, oldest first. */
  readonly messages: Record<string, MessageState[]>;
  readonly interactions: InteractionState[];
  /** Registered commands by scope: `global` or a guild id. */
  readonly commands: Record<string, Json[]>;
}
