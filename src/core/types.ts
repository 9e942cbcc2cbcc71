/**
 * The product's words. Every other file speaks in these; a concept has one name here and nowhere another.
 *
 * All of it is plain data: it is stored as JSON, read back after a restart and handled by any replica.
 */

/** Slack or Discord, as the core sees it. */
export type PlatformName = 'slack' | 'discord';

/** The workspace of Discord's direct messages: one for everybody. */
export const DIRECT_WORKSPACE = '@me';

/**
 * A conversation. `thread` is Slack's root `ts`; on Discord it is the id of the channel the conversation lives in
 * (a thread or a DM), which equals the id of the message a thread was started from, and `channel` is that same id.
 * `workspace` is Slack's team id, Discord's guild id, or `@me` in Discord DMs.
 */
export interface ThreadRef {
  readonly platform: PlatformName;
  readonly workspace: string;
  readonly channel: string;
  readonly thread: string;
}

/** One message on a platform: Slack's channel and `ts`, Discord's channel and message ids. */
export interface MessageRef {
  readonly platform: PlatformName;
  readonly workspace: string;
  readonly channel: string;
  readonly message: string;
}

/** A human on a platform. `name` is null where the platform's event carries only an id: no look-up is made for it. */
export interface Person {
  readonly id: string;
  readonly name: string | null;
}

/** A file that came with a message. */
export interface Attachment {
  readonly name: string;
  /** The media type that the platform gives it. */
  readonly type: string | null;
  readonly bytes: number | null;
  /** Where the platform serves it; null where it does not say. */
  readonly url: string | null;
}

/**
 * How a message reached us. `thread` is a message in a thread without any call for us (a follow-up if we take part there);
 * `reply` answers one of our messages; `command` is `/ask` or `/research`; `shortcut` is "Ask about this"; `button` is
 * Retry, Continue, Dig deeper or Try again.
 */
export type Trigger = 'mention' | 'dm' | 'reply' | 'thread' | 'command' | 'shortcut' | 'button';

/** Another message the question is about: the target of "Ask about this", what was replied to, or what was shared along with it. */
export interface Quote {
  readonly author: string | null;
  readonly text: string;
  readonly attachments: readonly Attachment[];
  /** What it holds instead of words that can be read, such as "a sticker"; only where `text` is empty and no file came with it. */
  readonly unreadable?: string;
}

/** One thing a person asked. `id` is derived from the platform's own message or interaction id (`ids.ts`). */
export interface Question {
  readonly id: string;
  readonly platform: PlatformName;
  readonly workspace: string;
  /** Where it was said. On Discord this is the parent channel while `thread` names the thread still to be started. */
  readonly channel: string;
  /** Null until the reply has opened one: Slack's `/ask` has no message that could be a root. */
  readonly thread: ThreadRef | null;
  /** Null for slash commands. */
  readonly message: MessageRef | null;
  /** The earlier message this one replies to, where the platform says so (Discord reply chains). */
  readonly repliesTo: MessageRef | null;
  readonly trigger: Trigger;
  readonly asker: Person;
  /** Without the leading mention, platform mark-up decoded. May be empty. */
  readonly text: string;
  readonly quotes: readonly Quote[];
  readonly attachments: readonly Attachment[];
  /** The title of the thread or forum post it was said in, where the platform has one that people write. */
  readonly title: string | null;
  /** Somebody else is spoken to, and we are not: it mentions a person, a group, a role or everybody here. */
  readonly addressesOthers: boolean;
  readonly overrides: AnswerOptions;
  /** Nobody has written it where it is answered: the answer begins with it. */
  readonly isRestated?: boolean;
  /** Present when a deep-research job is asked for instead of an answer. */
  readonly research?: ResearchWish;
  /** What the platform alone needs to answer (Slack recipients, a Discord interaction token); opaque to the core. */
  readonly delivery: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch, by the platform's clock. */
  readonly askedAt: number;
}

/** How thorough a deep-research job is to be. */
export const EFFORTS = ['low', 'medium', 'high'] as const;

export type Effort = (typeof EFFORTS)[number];

/** How a deep-research job is to be done, and where its asker is to be told. */
export interface ResearchWish {
  readonly effort: Effort;
  /** `here`: in the job's thread; `dm`: in a direct message. */
  readonly notify: 'here' | 'dm';
}

/** One remembered contribution to a thread. */
export interface Turn {
  /** The id that a question in its message has; absent where it came in no message. */
  readonly id?: string;
  readonly role: 'user' | 'assistant';
  readonly author: Person | null;
  readonly text: string;
  /** The messages it is about, as in `Question.quotes`. */
  readonly quotes?: readonly Quote[];
  /** The files that came with it. */
  readonly attachments?: readonly Attachment[];
  readonly at: number;
}

/** A web page the answer rests on. `number` is what `[n]` in the text refers to. */
export interface Source {
  readonly number: number;
  readonly url: string;
  readonly title: string;
  /** As the API gives it, `YYYY-MM-DD` or a full ISO time; null when unknown. */
  readonly date: string | null;
  readonly snippet: string | null;
}

export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** US dollars; null when the API did not say. */
  readonly cost: number | null;
}

/** What grows while the model writes. `text` carries only what is new; `sources` and `usage` replace earlier ones. */
export type AnswerEvent =
  | { readonly type: 'thinking' }
  | { readonly type: 'searching'; readonly queries: readonly string[] }
  | { readonly type: 'sources'; readonly sources: readonly Source[] }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'usage'; readonly usage: Usage }
  /** What somebody may want to ask next; it replaces earlier ones. */
  | { readonly type: 'related'; readonly questions: readonly string[] }
  /** A fact the person should know about how the answer was made, such as an option the API in use lacks. */
  | { readonly type: 'notice'; readonly text: string }
  /** The stream said it is over. Without it an answer is not complete. */
  | { readonly type: 'done'; readonly reason: 'complete' | 'length' | 'filtered' };

/** The user-facing model names; what is sent upstream for each is a table in `perplexity/profiles.ts`. */
export const PROFILE_NAMES = ['sonar', 'sonar-pro', 'sonar-reasoning-pro'] as const;

export type ProfileName = (typeof PROFILE_NAMES)[number];

/** The name of deep research among them. It is never chosen for an answer. */
export const RESEARCH_PROFILE = 'sonar-deep-research';

/** How old a source may be. */
export const RECENCIES = ['hour', 'day', 'week', 'month', 'year'] as const;

/** How an answer is to be made. Every field may be left out: Settings are layered, later ones win. */
export interface AnswerOptions {
  readonly profile?: ProfileName;
  readonly maxTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly presencePenalty?: number;
  readonly frequencyPenalty?: number;
  readonly recency?: (typeof RECENCIES)[number];
  /** Host names; one with a leading `-` is excluded. At most 20. */
  readonly domains?: readonly string[];
  readonly maxSearchResults?: number;
  readonly searchContextSize?: 'low' | 'medium' | 'high';
  readonly searchMode?: 'web' | 'academic' | 'sec';
  readonly relatedQuestions?: boolean;
}

/** A file that the model is given as it is. */
export interface ModelFile {
  readonly name: string;
  readonly type: 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp' | 'application/pdf';
  /** In Base64. */
  readonly data: string;
  /** What a PDF says, for an API that takes no PDFs; null of an image. */
  readonly text: string | null;
}

/** One message to the model; roles alternate and the last is the user's. */
export interface ModelMessage {
  readonly role: 'user' | 'assistant';
  readonly text: string;
  /** Those of the last message: an API may not take them from the assistant, or twice. */
  readonly files?: readonly ModelFile[];
}

export interface ModelRequest {
  readonly system: string | null;
  readonly messages: readonly ModelMessage[];
  readonly options: AnswerOptions;
}

/** Ask one of the related questions of an answer: where there are several buttons, no two may have the same action. */
export const RELATED_ACTIONS = ['related-1', 'related-2', 'related-3'] as const;

/**
 * What a button can do: ask again, go on where it was cut off, end what is being written or researched, show every source,
 * research the question, ask a related one.
 */
export const BUTTON_ACTIONS = [
  'retry',
  'continue',
  'stop',
  'sources',
  'research',
  ...RELATED_ACTIONS,
] as const;

export type ButtonAction = (typeof BUTTON_ACTIONS)[number];

/** A button under a message. It carries only the question's id; everything else is read from the store when pressed. */
export interface Button {
  readonly action: ButtonAction;
  readonly label: string;
  readonly question: string;
  /** The whole related question, where the label has only its beginning. Kept in the store, not in the button. */
  readonly asks?: string;
}

/** What a message should show now. Platforms draw it; the core never writes platform mark-up. */
export interface View {
  /** `queued`: the model cannot be asked yet, for longer than a moment. */
  readonly state: 'waiting' | 'queued' | 'searching' | 'thinking' | 'writing' | 'done' | 'failed';
  /** A few words for the platform's status place ("is searching the web…"). Where it has none, a `queued` question is told in a message. */
  readonly status: string;
  /** The model's Markdown so far, `[n]` markers included. Within one attempt it only ever grows. */
  readonly text: string;
  readonly sources: readonly Source[];
  /** Our own sentences, shown under the text, one a line. Plain text. */
  readonly notices: readonly string[];
  /** One small line under a finished answer; null for none. */
  readonly footer: string | null;
  readonly buttons: readonly Button[];
}

/** A view that will not change any more. */
export function isFinal(view: View): boolean {
  return view.state === 'done' || view.state === 'failed';
}

/** One string per thread: the key of its order in the queue and of its history in the store. */
export function threadKey(ref: ThreadRef): string {
  return [ref.platform, ref.workspace, ref.channel, ref.thread].join(':');
}

/** One string per message. */
export function messageKey(ref: MessageRef): string {
  return [ref.platform, ref.workspace, ref.channel, ref.message].join(':');
}

/** Whom a job is for. */
export interface JobOwner {
  readonly platform: PlatformName;
  readonly workspace: string;
  readonly person: string;
  /** The channel of the question: what is posted there has one rate limit. */
  readonly channel?: string;
}

/** Whom a question's jobs are for. */
export function ownerOf({ platform, workspace, asker, channel }: Question): JobOwner {
  return { platform, workspace, person: asker.id, channel };
}

/** One string per person, from the widest to the narrowest; no platform has spaces in its ids. */
export function ownerKey({ platform, workspace, person }: JobOwner): string {
  return [platform, workspace, person].join(' ');
}
