/** The words of the Slack stand-in. Everything in `SlackState` is plain JSON. */

/** A Block Kit block as it came over the wire, checked by `blocks.ts`. */
export type Block = { readonly type: string } & Readonly<Record<string, unknown>>;

export interface Person {
  readonly id: string;
  readonly name: string;
  /** Differs from the bot's team for people who come through Slack Connect. */
  readonly team: string;
}

export interface Channel {
  readonly id: string;
  readonly name: string;
  readonly kind: 'channel' | 'im';
  /** User ids; the bot's among them where it is a member. */
  readonly members: readonly string[];
  readonly archived: boolean;
  /** Shared with another workspace (Slack Connect). */
  readonly shared: boolean;
}

export interface StoredFile {
  readonly id: string;
  readonly name: string;
  readonly mimetype: string;
  readonly size: number;
  /** What is in it, where the app uploaded it. */
  readonly content?: string;
  /** Where it is served, as the app is told; an address that leads nowhere when left out. */
  readonly url?: string;
}

/** A file that somebody shares. */
export interface SharedFile extends Partial<StoredFile> {
  /** What is served; left out, there is nothing to be had. */
  readonly bytes?: Uint8Array;
}

export interface Metadata {
  readonly event_type: string;
  readonly event_payload: Readonly<Record<string, unknown>>;
}

/** A `task_update` chunk's latest state in a streamed message. */
export interface Task {
  readonly id: string;
  readonly title: string;
  readonly status: string;
  readonly sources: readonly { readonly url: string; readonly text: string }[];
}

/** One message as the stand-in keeps it. `text` is escaped as Slack stores it; `markdown` was given as `markdown_text`. */
export interface StoredMessage {
  readonly ts: string;
  readonly channel: string;
  readonly user: string | null;
  readonly botId: string | null;
  readonly threadTs: string | null;
  readonly broadcast: boolean;
  readonly files: readonly StoredFile[];
  readonly unfurls: boolean;
  text: string;
  markdown: string | null;
  blocks: readonly Block[];
  metadata: Metadata | null;
  editedTs: string | null;
  /** A deleted root whose thread lives on. */
  tombstone: boolean;
  /** How Slack shows it, where it was posted in Slack's own shape; null for what people type. */
  readonly shape: Readonly<Record<string, unknown>> | null;
  stream: { readonly startedAt: number; chars: number; open: boolean; tasks: Task[] } | null;
  reactions: { readonly name: string; users: string[] }[];
}

/** A message only one person sees. `from` is `slack` for what Slack itself tells (a command that was not acknowledged). */
export interface Ephemeral {
  readonly ts: string;
  readonly channel: string;
  readonly user: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  readonly threadTs: string | null;
  readonly from: 'bot' | 'slack';
}

/** One recorded `assistant.threads.setStatus` or `agents.sessions.setStatus`; an empty `status` clears it. */
export interface StatusRecord {
  readonly method: 'assistant.threads.setStatus' | 'agents.sessions.setStatus';
  readonly channel: string;
  readonly threadTs: string | null;
  readonly status: string;
  readonly loadingMessages: readonly string[];
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** All a restart needs to continue the conversations. */
export interface SlackState {
  readonly messages: readonly StoredMessage[];
  readonly ephemerals: readonly Ephemeral[];
  readonly statuses: readonly StatusRecord[];
  /** The newest `ts` given out, in microseconds. */
  readonly lastTs: number;
}

/** A message as a person sees it now. */
export interface VisibleMessage {
  readonly ts: string;
  readonly user: string | null;
  readonly bot: boolean;
  /** What is read: the Markdown followed by the flattened blocks, or the blocks, or the text. */
  readonly text: string;
  /** What a notification or a screen reader says: the `text` argument, or the Markdown. */
  readonly fallback: string;
  readonly blocks: readonly Block[];
  readonly threadTs: string | null;
  readonly edited: boolean;
  readonly streaming: boolean;
  readonly deleted: false;
  readonly reactions: readonly { readonly name: string; readonly users: readonly string[] }[];
  readonly metadata: Metadata | null;
  readonly tasks: readonly Task[];
  readonly files: readonly StoredFile[];
  /** Whether Slack may add previews of links. Stream methods have no flag against it. */
  readonly unfurls: boolean;
}

/** One Web API call or post to a `response_url` (method `response_url`), recorded when it arrives. */
export interface RecordedCall {
  readonly method: string;
  /** Decoded: JSON in fields is parsed, booleans and numbers are typed. */
  readonly args: Readonly<Record<string, unknown>>;
  readonly token: string | null;
  /** Milliseconds since the epoch, on arrival. */
  readonly at: number;
  /** `pending` until answered; then `ok`, Slack's error code, or the name of the injected fault. */
  result: string;
  /** HTTP status of the answer; 0 when there was none. */
  status: number;
  /** Seconds, when the answer was a 429. */
  retryAfter?: number;
  /** How much of a body without end has been taken, in bytes. */
  sentBytes?: number;
  /** The call came although an earlier 429 for the same budget had not run out. */
  insideRetryAfter: boolean;
}

/**
 * A fault for one or more calls: an HTTP status, a platform error at status 200 (`{ error: 'ratelimited' }`), a broken
 * connection before or after the call took effect, no answer at all, a page of HTML, a body without end, or a delay (the
 * call then succeeds).
 */
export type Fault =
  | { readonly status: number; readonly retryAfter?: number }
  | { readonly error: string }
  | { readonly slowMs: number }
  | 'reset-before'
  | 'commit-then-reset'
  | 'commit-then-500'
  | 'commit-then-hang'
  | 'hang'
  | 'html'
  | 'endless';

export type DisconnectReason = 'warning' | 'refresh_requested' | 'link_disabled' | 'too_many_websockets';

/** Something that was sent over a socket and has not been acknowledged, or waits for a socket (`kept`). */
export interface Unacked {
  /** Event id, or trigger id for commands, shortcuts and buttons. */
  readonly id: string;
  readonly type: string;
  readonly envelopeId: string | null;
  /** 0 for the first delivery. */
  readonly retryAttempt: number;
  readonly kept: boolean;
}

export interface SlackServerOptions {
  readonly port?: number;
  /** So many more people and channels; all Slack servers of a process have them then. */
  readonly crowd?: { readonly people: number; readonly channels: number };
  /** The host in the addresses of sockets; its own unless given. */
  readonly socketHost?: string;
  /** `real`: Slack's tiers as sliding 60 s windows. Default `off`. */
  readonly limits?: 'real' | 'off';
  /** Added to every Web API call, half before it takes effect and half after. */
  readonly latencyMs?: number;
  readonly botToken?: string;
  readonly appToken?: string;
  /** What the bot token may do; every scope when left out. */
  readonly scopes?: readonly string[];
  /** How long a stream may live in all. Default 300,000. */
  readonly streamMaxAgeMs?: number;
  readonly state?: SlackState;
  readonly random?: () => number;
  /** Events that are not acknowledged are sent again at once, after 1 min and after 5 min. Default true. */
  readonly autoRetry?: boolean;
  /** Multiplies the retry intervals and the 3 s acknowledgement deadline. Default 1. */
  readonly retryScale?: number;
}

/** A method's refusal: becomes `{ ok: false, error }` at status 200. */
export class SlackError extends Error {
  readonly code: string;
  readonly details: readonly string[];

  constructor(code: string, ...details: readonly string[]) {
    super([code, ...details].join(': '));
    this.code = code;
    this.details = details;
  }
}
