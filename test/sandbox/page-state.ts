/** What the page shows, as plain JSON: the same words for both platforms. `/api/state` returns all of it. */

export interface PageState {
  /** Grows with every change. */
  readonly version: number;
  readonly service: ServiceStatus;
  readonly model: ModelStatus;
  readonly slack: Side;
  readonly discord: Side;
}

export interface ServiceStatus {
  readonly state: 'starting' | 'ready' | 'down';
  /** How often it has been started. */
  readonly starts: number;
  /** Why it is down, in one line; null when there is nothing to say. */
  readonly note: string | null;
}

interface ModelStatus {
  readonly kind: 'stand-in' | 'real';
  readonly url: string;
  /** How long research takes upstream, and how many times faster it is here; null with the real API. */
  readonly research: { readonly takesMs: number; readonly speed: number } | null;
}

export interface Side {
  /** Whether the service holds a live connection. */
  readonly connected: boolean;
  readonly workspace: string;
  readonly bot: { readonly id: string; readonly name: string };
  readonly people: readonly PagePerson[];
  readonly channels: readonly PageChannel[];
  readonly threads: readonly PageThread[];
  /** Oldest first within each channel and thread. */
  readonly messages: readonly PageMessage[];
  /** "is searching the web…", "is typing…": where, and what. */
  readonly activities: readonly Activity[];
}

interface PagePerson {
  readonly id: string;
  readonly name: string;
}

export interface PageChannel {
  readonly id: string;
  readonly name: string;
  readonly kind: 'channel' | 'dm';
  /** The one person it belongs to, for a DM. */
  readonly owner: string | null;
  /** What is special about it. */
  readonly note: string | null;
}

/** A Discord thread; Slack's threads need no record. `id` is also the id of the message it was started from, if any. */
interface PageThread {
  readonly id: string;
  readonly channel: string;
  readonly name: string;
}

export interface Activity {
  readonly channel: string;
  readonly thread: string | null;
  readonly text: string;
}

export interface PageMessage {
  readonly id: string;
  readonly channel: string;
  /** The thread it is a reply in; null in the channel itself. A root's thread has the root's id. */
  readonly thread: string | null;
  readonly author: {
    readonly id: string;
    readonly name: string;
    readonly kind: 'person' | 'bot' | 'platform';
  };
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly pieces: readonly Piece[];
  readonly streaming: boolean;
  readonly edited: boolean;
  /** The one person who sees it; null for everybody. */
  readonly onlyFor: string | null;
  readonly reactions: readonly { readonly emoji: string; readonly count: number }[];
  /** The message it replies to (Discord). */
  readonly repliesTo: string | null;
  readonly files: readonly PageFile[];
  /** Ids of the people it notifies. */
  readonly pings: readonly string[];
}

/** A file's content is no part of the state: the page fetches it when somebody opens it. */
export interface PageFile {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Where the page finds its text; null when there is none. */
  readonly path: string | null;
  /** The platform's own address of it, as it may stand in the message; null without one. */
  readonly link: string | null;
}

/** A part of a message, in order. `dialect` says by whose rules the text is read. */
export type Piece =
  | { readonly type: 'text'; readonly dialect: Dialect; readonly text: string }
  | { readonly type: 'small'; readonly dialect: Dialect; readonly text: string }
  | { readonly type: 'heading'; readonly text: string }
  | { readonly type: 'divider' }
  | { readonly type: 'buttons'; readonly buttons: readonly PageButton[] };

/** Slack's Markdown, Slack's own mrkdwn, Discord's Markdown, or no mark-up at all. */
type Dialect = 'markdown' | 'mrkdwn' | 'discord' | 'plain';

export interface PageButton {
  readonly label: string;
  readonly action: string;
  readonly value: string | null;
}
