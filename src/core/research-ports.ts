/** The ports of deep research; the others are in `ports.ts`. */
import type { Urgency } from './ports.ts';
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
} from './types.ts';

/** What people do with the research jobs there are. */
export interface JobsDesk {
  /** Lists, shows or stops research jobs; resolves with what the person alone should read, in plain text. */
  jobs(request: JobsRequest): Promise<string>;
  /** The asker's own jobs whose short id or question begins with `prefix`, newest first, at most 25: for autocompletion. */
  choices(request: Omit<JobsRequest, 'action' | 'job'>, prefix: string): Promise<readonly JobChoice[]>;
}

/** `/jobs` and `!jobs`, from either platform. */
export interface JobsRequest {
  readonly platform: PlatformName;
  readonly workspace: string;
  readonly person: Person;
  readonly action: 'list' | 'status' | 'stop';
  /** The short id (`R-4F2K`) as typed; null for `list`. */
  readonly job: string | null;
}

export interface JobChoice {
  /** The short id, `R-4F2K`. */
  readonly job: string;
  /** The short id, state and question in one line of at most 100 characters. */
  readonly label: string;
}

/** The API that a research job was handed to. */
export type ResearchApi = 'chat' | 'agent';

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
  look(api: ResearchApi, upstream: string, signal: AbortSignal): Promise<UpstreamState>;
  /** Ends a job; false where the API cannot, true when it is being cancelled or was over already. @throws {Failure} */
  cancel(api: ResearchApi, upstream: string, signal: AbortSignal): Promise<boolean>;
  /** Every job upstream still knows, over all pages; null where the API has no list. @throws {Failure} */
  list(api: ResearchApi, signal: AbortSignal): Promise<readonly UpstreamJob[] | null>;
}

/** Where a research job's notification goes. */
export type NoticePlace =
  | { readonly type: 'thread'; readonly thread: ThreadRef }
  /** To the asker; `link`: a message of the job that the text links to, null when there is none. */
  | { readonly type: 'dm'; readonly link: MessageRef | null }
  /** The channel the question was asked in, outside any thread. */
  | { readonly type: 'channel' };

/** The one message that tells somebody that their research is over. */
export interface Notice {
  readonly question: Question;
  readonly place: NoticePlace;
  /** Stands right behind the mention of the asker, who is the only one mentioned: `Research finished in 6 min`. Plain text. */
  readonly lead: string;
  readonly view: View;
  /** Null for none. */
  readonly file: { readonly name: string; readonly text: string } | null;
  /** An earlier try may have posted it: look for it before posting. */
  readonly isRepeat: boolean;
}

/** `unknown`: an earlier try may have posted it and nobody can tell, so nothing was posted now. */
export type Noticed =
  | { readonly type: 'posted'; readonly message: MessageRef; readonly hasFile: boolean }
  | { readonly type: 'unknown' };

/**
 * The messages of research jobs on one platform. A job outlives interactions, streams and processes, so everything here is
 * an ordinary message, addressed by refs.
 */
export interface ResearchBoard {
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
  notify(notice: Notice): Promise<Noticed>;
  /** How long after its posting a card may still be edited, in ms; Infinity where there is no such limit. */
  readonly editableMs: number;
}
