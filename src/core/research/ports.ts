/** The ports of deep research; the others are in `core/ports.ts`. */
import type { NextJob, Urgency } from '../ports.ts';
import type {
  Effort,
  MessageRef,
  ModelRequest,
  Person,
  PlatformName,
  Question,
  Source,
  ThreadRef,
  Usage,
  View,
} from '../types.ts';

/** The API that a research job was handed to. */
export type ResearchApi = 'chat' | 'agent';

/** The requests that share one rate limit: an API's polls, on the Agent API its submissions too, which chat completions count apart. */
export type RequestKind = ResearchApi | 'chat-submit';

/** A finished report as the API gave it. */
export interface Report {
  readonly text: string;
  readonly sources: readonly Source[];
  readonly usage: Usage | null;
  /** Why the text does not go on; left out when it is complete. */
  readonly cut?: 'length' | 'filtered';
}

/** How a research job stands upstream. */
export type UpstreamState =
  | { readonly state: 'queued' | 'running' }
  | { readonly state: 'done'; readonly report: Report }
  /** Said to be complete, but without a report that could be read: worth another look, for a while. */
  | { readonly state: 'empty' }
  /** Over without a report. `remedy`: what to do about it in plain words; null when upstream's reason says nothing to a person. */
  | { readonly state: 'failed'; readonly remedy: string | null }
  | { readonly state: 'cancelled' }
  /** Not known there: not yet (a fresh job may need a while), or no longer. */
  | { readonly state: 'missing' };

/** A research job in upstream's own list. */
export interface UpstreamJob {
  readonly upstream: string;
  readonly state: 'queued' | 'running' | 'done' | 'failed';
  /** Milliseconds since the epoch; null when not said. */
  readonly createdAt: number | null;
}

/** The asynchronous side of the model: jobs that outlive the request and this process. */
export interface ResearchModel {
  /** The API a new job would be handed to now. */
  api(): ResearchApi;
  /**
   * Hands in one job, with exactly one request, and returns its id there; `retired` when this API is refused to our key for
   * good, nothing was begun, and `api()` now names another.
   * `key` is the same for every try of the same job. `notice`: what was asked for and this API lacks, in one sentence for
   * the person.
   * @throws {Failure}; one that is `ambiguous` may have begun the job nevertheless.
   */
  submit(job: {
    readonly api: ResearchApi;
    readonly request: ModelRequest;
    readonly effort: Effort;
    readonly key: string;
    readonly signal: AbortSignal;
  }): Promise<{ readonly upstream: string; readonly notice?: string } | 'retired'>;
  /** True when a submission with an unknown outcome may be repeated: the API takes the same key for the same job. */
  isRepeatable(api: ResearchApi): boolean;
  /** One look at a job. @throws {Failure} `rate-limited`, `unreachable`, `too-slow`, `not-authorised`. */
  poll(api: ResearchApi, upstream: string, signal: AbortSignal): Promise<UpstreamState>;
  /** Ends a job; false where the API cannot, true when it is being cancelled or was over already. @throws {Failure} */
  cancel(api: ResearchApi, upstream: string, signal: AbortSignal): Promise<boolean>;
  /** Every job upstream still knows, over all pages; null where the API has no list. @throws {Failure} */
  list(api: ResearchApi, signal: AbortSignal): Promise<readonly UpstreamJob[] | null>;
}

/** Where a research job's notification goes. */
export type NotificationPlace =
  | { readonly type: 'thread'; readonly thread: ThreadRef }
  /** To the asker; `link`: a message of the job that the text links to, null when there is none. */
  | { readonly type: 'dm'; readonly link: MessageRef | null }
  /** The channel the question was asked in, outside any thread. */
  | { readonly type: 'channel' };

/** The one message that tells somebody that their research is over. */
export interface ResearchNotification {
  readonly question: Question;
  readonly place: NotificationPlace;
  /** The job's card, wherever it is; it says where a thread that is only a chain of replies has its messages. Null for none. */
  readonly card?: MessageRef | null;
  /** Stands right behind the mention of the asker, who is the only one mentioned: `Research finished in 6 min`. Plain text. */
  readonly lead: string;
  readonly view: View;
  /** Null for none. */
  readonly file: { readonly name: string; readonly text: string } | null;
  /** An earlier try may have posted it: look for it before posting. */
  readonly isRepeat: boolean;
}

/** `unknown`: an earlier try may have posted it and nobody can tell, so nothing was posted now. */
export type NotifyResult =
  | { readonly type: 'posted'; readonly message: MessageRef; readonly hasFile: boolean }
  | { readonly type: 'unknown' };

/**
 * The messages of research jobs on one platform. A job outlives interactions, streams and processes, so everything here is
 * an ordinary message, addressed by refs.
 */
export interface ResearchMessages {
  /**
   * Makes sure that the thread of the job exists and that its card shows the view: posts it where `card` is null, edits it
   * otherwise. A post is repeated without doubling: with `isRepeat` an earlier try's card is looked for first. `progress`
   * gives up, unwritten, when the platform's budgets are short: then the card is returned as it was.
   * @throws {Failure} `rate-limited`, `unreachable` (try again); `gone`, `undeliverable` when there is no place for it.
   */
  showCard(card: {
    readonly question: Question;
    readonly thread: ThreadRef | null;
    readonly card: MessageRef | null;
    readonly view: View;
    readonly urgency: Urgency;
    readonly isRepeat: boolean;
  }): Promise<{ readonly thread: ThreadRef; readonly card: MessageRef | null }>;
  /**
   * Posts the notification once. Reopens an archived thread where that is allowed.
   * @throws {Failure} `rate-limited`, `unreachable` (try again, with `isRepeat`); `gone`, `undeliverable`: try another place.
   */
  notify(notice: ResearchNotification): Promise<NotifyResult>;
  /** How long after its posting a card may still be edited, in ms; Infinity where there is no such limit. */
  readonly editableMs: number;
}

/**
 * Where a research job stands: `begun` = nothing has been handed in; `submitting` = it may have been, since the call is under
 * way or its outcome was lost; `running` = upstream has it; the others are its end.
 */
export type ResearchState = 'begun' | 'submitting' | 'running' | 'done' | 'failed' | 'stopped';

/** Why a research job ended without a report; `unknown` = it may have been begun and charged upstream. */
export type ResearchFault =
  | 'rejected'
  | 'not-authorised'
  | 'unreachable'
  | 'rate-limited'
  | 'unknown'
  | 'failed'
  | 'cancelled'
  | 'empty'
  | 'missing'
  | 'expired'
  | 'no-place'
  | 'given-up';

/** How a research job ended. `remedy` is as in `Failure`. */
export type Ending =
  | { readonly outcome: 'done'; readonly report: Report }
  | { readonly outcome: 'failed'; readonly fault: ResearchFault; readonly remedy: string | null }
  | { readonly outcome: 'stopped'; readonly reason: 'stopped' | 'deleted'; readonly by: Person | null };

/**
 * The one message to the asker: `none` = there will be none; `sending` is written before the call; `unknown` = it may have
 * been posted and nobody can tell; `undeliverable` = every place refused it.
 */
export type NotificationState = 'none' | 'pending' | 'sending' | 'sent' | 'unknown' | 'undeliverable';

/** The durable record of one research job. Times are milliseconds since the epoch, by the database's clock. */
export interface ResearchRecord {
  readonly id: string;
  /** What people call it: `R-4F2K`. */
  readonly name: string;
  readonly question: Question;
  readonly state: ResearchState;
  readonly api: ResearchApi | null;
  readonly upstream: string | null;
  /** What the person should know about how it is done: what they asked for and the API lacks. */
  readonly remark: string | null;
  /** What upstream said last; null before the first look. */
  readonly phase: 'queued' | 'running' | null;
  readonly begunAt: number;
  readonly submittedAt: number | null;
  readonly endedAt: number | null;
  readonly thread: ThreadRef | null;
  readonly card: MessageRef | null;
  readonly cardPostedAt: number | null;
  readonly cardShownAt: number | null;
  /** Somebody deleted the card, or there is no place for one. */
  readonly isCardGone: boolean;
  /** People have been told that it takes longer than usual. */
  readonly isLateTold: boolean;
  readonly ending: Ending | null;
  /** Of a stopped job: whether it was ended upstream too; null while that is not known. */
  readonly isCancelled: boolean | null;
  readonly notice: NotificationState;
  /** Which of the places in turn the notice goes to, from 0. */
  readonly noticePlace: number;
  readonly noticeMessage: MessageRef | null;
  /** Whether the report's file came with the notice. */
  readonly hasFile: boolean | null;
  /** Nothing is left to be done for it. */
  readonly isDelivered: boolean;
}

/** What `Researches.note` may change: how the job is shown, never how it stands. */
export type ResearchNote = Partial<
  Pick<
    ResearchRecord,
    'phase' | 'thread' | 'card' | 'cardPostedAt' | 'cardShownAt' | 'isCardGone' | 'isLateTold' | 'isCancelled'
  >
>;

/** Whose jobs are meant; what is left out matches all. */
export interface ResearchFilter {
  readonly platform?: PlatformName;
  readonly workspace?: string;
  readonly person?: string;
  readonly name?: string;
  readonly isLive?: boolean;
}

/** How many jobs may be under way at once. */
export interface ResearchLimits {
  readonly perPerson: number;
  readonly perWorkspace: number;
}

/** What came of creating a job: `refused` names what is under way instead. */
export type Created =
  | { readonly type: 'new' | 'known'; readonly record: ResearchRecord }
  | {
      readonly type: 'refused';
      readonly by: 'person' | 'workspace';
      readonly running: readonly ResearchRecord[];
    };

/**
 * The durable record of every research job. Each call is atomic, cluster-wide; a change that no longer fits how the job
 * stands changes nothing, enqueues nothing and says so.
 */
export interface Researches {
  /** Creates the record unless as many as allowed are under way; two at the same moment are formatSourceCount one after the other. */
  create(question: Question, name: string, limits: ResearchLimits): Promise<Created>;
  find(id: string): Promise<ResearchRecord | null>;
  /** The newest that match, newest first; without the texts and sources of their reports. */
  list(filter: ResearchFilter, most: number): Promise<readonly ResearchRecord[]>;
  /** How many jobs this API is working on. */
  countRunning(api: ResearchApi): Promise<number>;
  /** Before the call: `begun` → `submitting`. */
  submitting(id: string, api: ResearchApi): Promise<boolean>;
  /** The call is known to have begun nothing: `submitting` → `begun`, and no API has it. */
  unsubmitted(id: string): Promise<boolean>;
  /**
   * Upstream has it: remembers its id there in any state, `submitting` → `running`; with `next` in that case. Resolves with
   * the record as it then stands: a stop may have come first.
   */
  submitted(
    id: string,
    upstream: { readonly upstream: string; readonly notice?: string },
    next: readonly NextJob[],
  ): Promise<ResearchRecord | null>;
  /** Changes how it is shown. */
  note(id: string, note: ResearchNote): Promise<void>;
  /** Ends a job under way, with `next`; null when it has ended already. A notice is due for all but stopped ones. */
  end(id: string, ending: Ending, next: readonly NextJob[]): Promise<ResearchRecord | null>;
  /** Before the call: the notice goes to this place. False when its outcome is known already. */
  noticing(id: string, place: number): Promise<boolean>;
  /** The outcome of the notice. */
  noticed(
    id: string,
    state: 'sent' | 'unknown' | 'undeliverable',
    message: MessageRef | null,
    hasFile: boolean,
  ): Promise<void>;
  /** Nothing is left to be done. */
  delivered(id: string): Promise<void>;
  /** How long the newest finished jobs of this effort took, in ms. */
  durations(effort: Effort, most: number): Promise<readonly number[]>;
  /**
   * Reserves the next request of this kind, `gapMs` after the one before, cluster-wide; resolves with the milliseconds until
   * it may be sent.
   * @param gapMs at least 1
   */
  reserveSlot(kind: RequestKind, gapMs: number): Promise<number>;
}
