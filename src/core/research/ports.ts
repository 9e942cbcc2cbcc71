/**
 * What deep research needs from the outside: the model's asynchronous API, a platform that shows jobs, the records of jobs. What it
 * shares with answers is in `core/ports.ts`.
 */
import type { NextJob, Platform, Urgency } from '../ports.ts';
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

/** The API that a research job was submitted to. */
export type ResearchApi = 'chat' | 'agent';

/** A finished report as the API gave it. */
export interface Report {
  readonly text: string;
  readonly sources: readonly Source[];
  readonly usage: Usage | null;
  /** Why the text ends early; absent when it is complete. */
  readonly cut?: 'length' | 'filtered';
}

/** How a research job stands upstream. */
export type UpstreamState =
  | { readonly state: 'queued' | 'running' }
  | { readonly state: 'done'; readonly report: Report }
  /** Complete, but without a readable report: polled again for a while. */
  | { readonly state: 'empty' }
  /** Ended without a report. `remedy`: what a person can do, in plain words; null when upstream's reason does not say. */
  | { readonly state: 'failed'; readonly remedy: string | null }
  | { readonly state: 'cancelled' }
  /** Unknown upstream: not yet, or no longer. */
  | { readonly state: 'missing' };

/** A research job in Perplexity's own list. */
export interface UpstreamJob {
  readonly upstream: string;
  readonly state: 'queued' | 'running' | 'done' | 'failed';
  /** Milliseconds since the epoch; null when unknown. */
  readonly createdAt: number | null;
}

/** The model's asynchronous API: jobs that outlive the request and this process. */
export interface ResearchModel {
  /** The API that the next job goes to. */
  api(): ResearchApi;
  /**
   * Submits one job with exactly one request and returns its upstream id. `key` is the idempotency key, the same for every
   * try of a job. `notice` tells the person which options the API lacks.
   * @throws {Failure}; an `ambiguous` one may have submitted the job. `unreachable` also where our key may no longer use this
   * API: then `api()` names the other one from now on.
   */
  submit(job: {
    readonly api: ResearchApi;
    readonly request: ModelRequest;
    readonly effort: Effort;
    readonly key: string;
    readonly signal: AbortSignal;
  }): Promise<{ readonly upstream: string; readonly notice?: string }>;
  /** Whether a submission with an unknown outcome may be repeated: the API supports idempotency keys. */
  isRepeatable(api: ResearchApi): boolean;
  /** Polls a job once. @throws {Failure} `rate-limited`, `unreachable`, `too-slow`, `not-authorised`. */
  poll(api: ResearchApi, upstream: string, signal: AbortSignal): Promise<UpstreamState>;
  /** Cancels a job: false where the API has no such call, true when it is being cancelled or had ended. @throws {Failure} */
  cancel(api: ResearchApi, upstream: string, signal: AbortSignal): Promise<boolean>;
  /** Lists every job that chat completions still know; the Agent API has no list. @throws {Failure} */
  list(signal: AbortSignal): Promise<readonly UpstreamJob[]>;
}

/** Where a research job's notification goes. */
export type NotificationPlace =
  | { readonly type: 'thread'; readonly thread: ThreadRef }
  /** A direct message to the asker; `link` is a message of the job to link to, or null. */
  | { readonly type: 'dm'; readonly link: MessageRef | null }
  /** The channel the question was asked in, outside any thread. */
  | { readonly type: 'channel' };

/** The one message that tells the asker that their research has ended. */
export interface ResearchNotification {
  readonly question: Question;
  readonly place: NotificationPlace;
  /** The job's card. In a reply chain it tells where the messages of the thread are. */
  readonly card?: MessageRef | null;
  /** Follows the mention of the asker, the only mention: `Research finished in 6 min`. Plain text. */
  readonly lead: string;
  readonly view: View;
  /** Null for none. */
  readonly file: { readonly name: string; readonly text: string } | null;
  /** An earlier try may have posted it: look for it before posting. */
  readonly isRepeat: boolean;
}

/** `unknown`: an earlier try may have posted it, which cannot be checked, so nothing was posted. */
export type NotifyResult =
  | { readonly type: 'posted'; readonly message: MessageRef; readonly hasFile: boolean }
  | { readonly type: 'unknown' };

/**
 * A platform that shows research jobs too. They outlive interactions, streams and processes, so their messages are ordinary ones,
 * addressed by refs.
 */
export interface ResearchPlatform extends Platform {
  /**
   * Opens the job's thread if necessary and shows the view on its card: posts it when `card` is null, else edits it. With
   * `isRepeat` the card of an earlier try is looked for first, so that none is posted twice. An edit for `progress` is
   * skipped when the rate limit is exhausted.
   * @throws {Failure} for which `hasNoPlace` holds, or one to try again after.
   */
  showCard(card: {
    readonly question: Question;
    readonly card: MessageRef | null;
    readonly view: View;
    readonly urgency: Urgency;
    readonly isRepeat: boolean;
  }): Promise<{ readonly thread: ThreadRef; readonly card: MessageRef }>;
  /**
   * Posts the notification once. Reopens an archived thread where that is allowed.
   * @throws {Failure} for which `hasNoPlace` holds: try another place; or one to try again after, with `isRepeat`.
   */
  notify(notice: ResearchNotification): Promise<NotifyResult>;
}

/**
 * The state of a research job: `begun` = not submitted; `submitting` = perhaps submitted, as the call is running or its
 * outcome is unknown; `running` = submitted; the others are final.
 */
type ResearchState = 'begun' | 'submitting' | 'running' | 'done' | 'failed' | 'stopped';

/** Why a research job ended without a report; `unknown` = it may have been submitted and charged. */
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
 * The state of the notification: `none` = none is due; `sending` is recorded before the call; `unknown` = it may have been
 * posted, which cannot be checked; `undeliverable` = every place refused it.
 */
type NotificationState = 'none' | 'pending' | 'sending' | 'sent' | 'unknown' | 'undeliverable';

/** The durable record of one research job. Times are milliseconds since the epoch, by the database's clock. */
export interface ResearchRecord {
  readonly id: string;
  /** What people call it: `R-4F2K`. */
  readonly name: string;
  /** With the thread that its card has opened. */
  readonly question: Question;
  readonly state: ResearchState;
  readonly api: ResearchApi | null;
  readonly upstream: string | null;
  /** Tells the person which of their options the API lacks. */
  readonly remark: string | null;
  /** The state that upstream reported last; null before the first poll. */
  readonly phase: 'queued' | 'running' | null;
  readonly begunAt: number;
  readonly submittedAt: number | null;
  readonly endedAt: number | null;
  readonly card: MessageRef | null;
  /** The card was deleted, or there is no place for one. */
  readonly isCardGone: boolean;
  readonly ending: Ending | null;
  /** Whether a stopped job was cancelled upstream; null while unknown. */
  readonly isCancelled: boolean | null;
  readonly notice: NotificationState;
  /** The index of the place that the notification goes to. */
  readonly noticePlace: number;
  readonly noticeMessage: MessageRef | null;
  /** Whether the notification carries the report's file. */
  readonly hasFile: boolean | null;
  /** Nothing is left to be done for it. */
  readonly isDelivered: boolean;
}

/** What `Researches.note` may change: how the job is shown, never its state. */
export type ResearchNote = Partial<
  Pick<ResearchRecord, 'phase' | 'card' | 'isCardGone' | 'isCancelled'> & Pick<Question, 'thread'>
>;

/** Filters jobs; an absent field matches all. */
export interface ResearchFilter {
  readonly platform?: PlatformName;
  readonly workspace?: string;
  readonly person?: string;
  readonly name?: string;
}

/** How many jobs may run at once. */
export interface ResearchLimits {
  readonly perPerson: number;
  readonly perWorkspace: number;
}

/** The result of creating a job; `refused` names the running jobs. */
export type Created =
  | { readonly type: 'new' | 'known'; readonly record: ResearchRecord }
  | {
      readonly type: 'refused';
      readonly by: 'person' | 'workspace';
      readonly running: readonly ResearchRecord[];
    };

/**
 * The durable records of research jobs. Each call is atomic, cluster-wide; a change that does not fit the job's current state
 * changes nothing, enqueues nothing and reports that.
 */
export interface Researches {
  /** Creates the record unless too many jobs run; simultaneous calls are counted one after the other. */
  create(question: Question, name: string, limits: ResearchLimits): Promise<Created>;
  find(id: string): Promise<ResearchRecord | null>;
  /** Lists matching jobs, newest first, without the texts and sources of their reports. */
  list(filter: ResearchFilter, most: number): Promise<readonly ResearchRecord[]>;
  /** Recorded before the call: `begun` → `submitting`. */
  submitting(id: string, api: ResearchApi): Promise<boolean>;
  /** The call has submitted nothing: `submitting` → `begun`, and the API is cleared. */
  unsubmitted(id: string): Promise<boolean>;
  /**
   * The call has submitted the job: records its upstream id in any state; `submitting` → `running` enqueues `next`. Resolves
   * with the updated record: the job may have been stopped meanwhile.
   */
  submitted(
    id: string,
    upstream: { readonly upstream: string; readonly notice?: string },
    next: readonly NextJob[],
  ): Promise<ResearchRecord | null>;
  /** Changes how it is shown. */
  note(id: string, note: ResearchNote): Promise<void>;
  /** Ends a job and enqueues `next`; null when it has already ended. Every end but a stop makes a notification due. */
  end(id: string, ending: Ending, next: readonly NextJob[]): Promise<ResearchRecord | null>;
  /** Recorded before the call: the place of the notification. False when its outcome is already known. */
  noticing(id: string, place: number): Promise<boolean>;
  /** Records the outcome of the notification. */
  noticed(
    id: string,
    state: 'sent' | 'unknown' | 'undeliverable',
    message: MessageRef | null,
    hasFile: boolean,
  ): Promise<void>;
  /** Nothing is left to be done. */
  delivered(id: string): Promise<void>;
  /** Empties the question, and the report if there is one; the rest of the record stays. */
  forget(id: string): Promise<void>;
  /** The durations of the newest finished jobs of this effort, in ms. */
  durations(effort: Effort, most: number): Promise<readonly number[]>;
}
