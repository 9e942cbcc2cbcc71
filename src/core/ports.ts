/**
 * What the core needs from the outside: a model, the platforms, a queue and a store. The ports of model and store have one contract
 * suite each in `test/contracts/`, run against every implementation.
 */
import type { RequestKind } from './model-rate-limiter.ts';
import type {
  AnswerEvent,
  Attachment,
  ButtonAction,
  JobOwner,
  MessageRef,
  ModelRequest,
  Person,
  PlatformName,
  Question,
  Source,
  ThreadRef,
  Turn,
  View,
} from './types.ts';

/** A structured logger (pino's shape). Message texts of people are never logged above trace. */
export interface Log {
  trace(fields: object, message: string): void;
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: Readonly<Record<string, unknown>>): Log;
}

/**
 * What became of a message: `accepted` = it is on disk and will be answered; `duplicate` = it already was;
 * `ignored` = not for us, or nothing to answer; refused (the asker is told by the core): `busy` = too many wait in its thread, `over-limit` = too many
 * of its asker or workspace wait.
 */
export type Accepted = 'accepted' | 'duplicate' | 'ignored' | 'busy' | 'over-limit';

/** Somebody pressed a button under one of our messages. */
export interface ButtonPress {
  readonly action: ButtonAction;
  /** The question id the button carries. */
  readonly question: string;
  readonly presser: Person;
  /** The platform's id of this press (interaction id, trigger id). */
  readonly press: string;
  /** As in `Question.delivery`, for the question that the press becomes. */
  readonly delivery: Readonly<Record<string, string>>;
}

/** What pressing a button shows to the presser alone; null when the answer itself is the reply. */
export type Pressed =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'sources'; readonly sources: readonly Source[] }
  | null;

/** The core's side of inbound traffic. Platforms acknowledge an event only after the promise has resolved. */
export interface Intake {
  /** Resolves once the question is durable, or known not to be one. Rejects when the store cannot take it: do not acknowledge. */
  accept(question: Question): Promise<Accepted>;
  press(press: ButtonPress): Promise<Pressed>;
  /** Somebody used the platform's own way to stop what is being answered in a thread. */
  stop(thread: ThreadRef, by: Person): Promise<void>;
  /** The message of this question was deleted: its answer ends, or never begins, and all of it is forgotten. */
  withdraw(questionId: string): Promise<void>;
  /** The message of this question was edited: it is asked as it is now, if its answer has not begun. */
  revise(question: Question): Promise<void>;
  /** Somebody else's bot said something in a thread, at this time in milliseconds since the epoch. */
  overhear(thread: ThreadRef, at: number): Promise<void>;
}

/** Research's side of the intake: what a question, a press or a deletion means for a research job. */
export interface ResearchIntake {
  /** Resolves once the research question is durable; false when it was already. Rejects when the store cannot take it. */
  accept(question: Question): Promise<boolean>;
  /** The research question that "Dig deeper" or "Try again" asks; null while there is a job for it already. */
  followUp(press: ButtonPress, record: AnswerRecord): Promise<Question | null>;
  /** Stop on a card: what to tell the presser, null when the card shows it; undefined when it is no research job. */
  pressStop(press: ButtonPress): Promise<Pressed | undefined>;
  /** The message of this question was deleted: its job ends, behind whatever step of it is under way. */
  withdraw(questionId: string): Promise<void>;
}

/** What `/jobs` and `!jobs` do: list, show and stop research jobs. */
export interface ResearchCommands {
  /** Lists, shows or stops research jobs. Resolves with what the person alone should read, in plain text. */
  run(request: JobsRequest): Promise<string>;
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
  /** Others may read the answer too: an admin is not shown what others asked. Left out where it is for the person alone. */
  readonly isOpen?: true;
}

export interface JobChoice {
  /** The short id, `R-4F2K`. */
  readonly job: string;
  /** The short id, state and question in one line of at most 100 characters. */
  readonly label: string;
}

/** Awaited before every request to the model's API; what it rejects with is thrown in place of the answer. */
export type Admit = (kind: RequestKind) => Promise<void>;

/** The model behind every answer. */
export interface Model {
  /**
   * Streams one answer. Makes exactly one upstream request (two when `auto` finds the first API retired) and never
   * retries by itself. Each waits for `admit`, if given.
   * @throws {Failure} for every fault upstream; after an abort by `signal` it throws `Failure` of kind `stopped`.
   */
  answer(request: ModelRequest, signal: AbortSignal, admit?: Admit): AsyncIterable<AnswerEvent>;
}

/** How urgently a reply wants to be written: the final state is never kept waiting behind somebody's progress. */
export type Urgency = 'progress' | 'final';

/** One answer's presence on its platform: the messages it consists of, drawn from Views. */
export interface Reply {
  /**
   * Makes sure the thread to answer in exists (root message, Discord thread) and returns it. Idempotent; runs beside the
   * model request, and `show` waits for it.
   * @throws {Failure} of kind `undeliverable` when there is no place to answer.
   */
  open(): Promise<ThreadRef>;
  /**
   * Brings the messages to what the view says: posts, edits, splits into parts, ends streams. One call at a time; a later
   * call may skip states in between. Views without text draw only the platform's status (typing, "is searching…").
   * @param latest is asked for the view when the platform's rate limits allow the write, so that the newest words are written;
   *   null when there is to be no more progress.
   * @param signal ends the waiting for the rate limits.
   * @throws {Failure} `rate-limited`, `unreachable` (try again), `gone` (somebody deleted it), `undeliverable`, `stopped`.
   * @throws {StopRequested} when the platform itself says, of progress, that somebody has stopped the answer.
   */
  show(latest: () => View | null, signal: AbortSignal): Promise<void>;
  /** Citation markers in the text that lead to none of the sources; they were left as text. */
  unresolved(): number;
  /** Ends timers and clears the status; idempotent, never throws. */
  close(): Promise<void>;
}

/** What an earlier attempt at the same question left behind. */
export interface ReplyStart {
  /** Messages already posted, in order; they are rewritten, and the ones no longer needed are deleted. */
  readonly messages: readonly MessageRef[];
  /** 1 for the first. From 2 on, messages may exist that were posted but never recorded: look before posting. */
  readonly attempt: number;
  /** Called with the whole list after every post, before anything else is written; throws when fenced off. */
  readonly posted: (messages: readonly MessageRef[]) => Promise<void>;
  /** Whether the message is recorded as part of any answer: what looks left behind may be another question's. */
  readonly isTaken: (message: MessageRef) => Promise<boolean>;
}

/** The outbound side of Slack or Discord. REST only, by refs: any replica can use it. */
export interface Platform {
  readonly name: PlatformName;
  /** Prepares a reply; writes nothing yet. */
  reply(question: Question, start: ReplyStart): Reply;
  /** Shows or removes a mark (🕐) that the question waits behind others in its thread. Cosmetic: never throws. */
  markWaiting(question: Question, waiting: boolean): Promise<void>;
  /** Shows a mark (👍) that the message was read and needs no answer. Cosmetic: never throws. */
  acknowledge(question: Question): Promise<void>;
  /** A short word to the asker alone where the platform can (Slack: ephemeral), else a plain reply. */
  replyPrivately(question: Question, text: string): Promise<void>;
  /** A direct message to one person. @throws {Failure} `undeliverable` when DMs are refused. */
  directMessage(workspace: string, personId: string, text: string): Promise<void>;
  /** The name of a person that came without one; at once where it is known. Null when it cannot be had: never throws. */
  nameOf(workspace: string, personId: string): Promise<string | null>;
  /**
   * Reads what was said in the question's thread from `since` (milliseconds since the epoch; null for its beginning) until it
   * was asked, without its own message. Empty when it cannot be read: never rejects.
   */
  readThread(question: Question, since: number | null, signal: AbortSignal): Promise<ThreadPart>;
  readonly fetchFile: FileFetcher;
}

/** A part of a thread as its platform has it. */
export interface ThreadPart {
  /** Oldest first. */
  readonly turns: readonly Turn[];
  /** There was more than is read, in the middle or at the beginning. */
  readonly isCut: boolean;
}

/**
 * Fetches a file from its platform's own hosts, with the platform's token and no redirect. Resolves with its bytes, or with why
 * it cannot be had, in a few words; never rejects.
 */
export type FileFetcher = (
  attachment: Attachment,
  maxBytes: number,
  signal: AbortSignal,
) => Promise<{ readonly bytes: Uint8Array } | { readonly problem: string }>;

/** How much of a PDF is read. */
interface PdfLimits {
  readonly pages: number;
  readonly chars: number;
}

/** What a PDF says. */
export interface PdfText {
  readonly text: string;
  /** How many it has. */
  readonly pages: number;
  readonly pagesRead: number;
  /** The last page that was read is cut at the limit of characters. */
  readonly isCut: boolean;
}

/** Reads the text of a PDF; null when it cannot be read. Never rejects, whatever the bytes are. */
export type PdfReader = (
  bytes: Uint8Array,
  limits: PdfLimits,
  signal: AbortSignal,
) => Promise<PdfText | null>;

/** A unit of work taken from the queue. */
export interface Job<T> {
  readonly id: string;
  readonly data: T;
  /** 1 for the first run; one more after every crash or failure. */
  readonly attempt: number;
  /** Aborted when the process stops or another worker has taken the job over. */
  readonly signal: AbortSignal;
  /** From here on it only waits for others: its slot is given to another job, while it goes on. */
  readonly releaseSlot: () => void;
}

export interface EnqueueOptions {
  /** A UUID. The same id twice is one job, cluster-wide, for at least 24 hours. */
  readonly id: string;
  /** Jobs of one key run strictly one after the other, in the order they came. */
  readonly key: string;
  /**
   * Not to be taken before so many milliseconds from now; at once when left out. Until then it neither holds up other jobs of
   * its key nor waits for them.
   */
  readonly delayMs?: number;
  /** Owners share a queue's slots fairly, and have a limit of their own, where the queue has one. */
  readonly owner?: JobOwner;
}

/** A job to be put into the queue together with a change of the store: both, or neither. */
export interface NextJob {
  readonly queue: string;
  readonly data: object;
  readonly options: EnqueueOptions;
}

/** The durable queue, as whoever puts something into it sees it. */
export interface Jobs {
  /** Returns once the job is on disk; false when the id is already known. */
  enqueue(queue: string, data: object, options: EnqueueOptions): Promise<boolean>;
  /** How many jobs of this key are waiting or running. */
  depth(queue: string, key: string): Promise<number>;
  /** How many jobs of this person, and how many of their workspace, wait. */
  waiting(queue: string, owner: JobOwner): Promise<{ readonly person: number; readonly workspace: number }>;
  /** Replaces what a job carries: one that was never begun, or any that is still remembered. False when there is none. */
  replace(queue: string, id: string, data: object, which: 'waiting' | 'any'): Promise<boolean>;
  /** Whether a job of this id is waiting, running, or still remembered. */
  knows(queue: string, id: string): Promise<boolean>;
}

/** Plain key-value storage (Keyv). Nothing is read and written in one: used only where one writer per key is certain. */
export interface KeyValue {
  get<T>(key: string): Promise<T | undefined>;
  getMany<T>(keys: readonly string[]): Promise<readonly (T | undefined)[]>;
  set(key: string, value: unknown, ttlMs?: number): Promise<void>;
  /** Sets values of different keys, all of them or, when it fails, none. `ttlMs` is above 0. */
  setMany(entries: readonly (readonly [key: string, value: unknown])[], ttlMs: number): Promise<void>;
  delete(key: string): Promise<void>;
}

/** Where an answer stands. */
export interface AnswerRecord {
  readonly question: Question;
  readonly attempt: number;
  readonly messages: readonly MessageRef[];
  /** Where a question that came without a thread is answered; null until that is open, and where the question has one. */
  readonly thread: ThreadRef | null;
  /** The final view, written before it is first shown: a later attempt delivers it without asking the model again. */
  readonly conclusion: View | null;
  readonly delivered: boolean;
}

/** The durable record of every answer, fenced by attempt: a write by an overtaken attempt changes nothing. */
export interface Answers {
  /** Creates the record or moves it to this attempt; null when a later attempt has already begun. */
  begin(question: Question, attempt: number): Promise<AnswerRecord | null>;
  /** Remembers the messages the reply consists of, in order. False when fenced off. */
  posted(questionId: string, attempt: number, messages: readonly MessageRef[]): Promise<boolean>;
  /** Remembers the thread that was opened for a question without one. False when fenced off. */
  opened(questionId: string, attempt: number, thread: ThreadRef): Promise<boolean>;
  /** Remembers the final view. False when fenced off. */
  conclude(questionId: string, attempt: number, conclusion: View): Promise<boolean>;
  /** Marks the final view as shown. False when fenced off. */
  delivered(questionId: string, attempt: number): Promise<boolean>;
  /** A record by question id; null when unknown or older than the retention. */
  find(questionId: string): Promise<AnswerRecord | null>;
  /** Deletes the record of a question. Its messages still lead to their thread. */
  forget(questionId: string): Promise<void>;
  /** The thread that one of our messages belongs to; null when the message is not ours. */
  threadOf(message: MessageRef): Promise<ThreadRef | null>;
}

/** A thread that the bot takes part in, at the moment a message is heard there. */
export interface Heard {
  /** How many different humans have spoken, the speaker included; counting stops at 50. */
  readonly humans: number;
  /** The speaker was the first of them. */
  readonly isFirst: boolean;
  /** When the newest message heard before this one was said, or later if one came late; milliseconds since the epoch. */
  readonly before: number;
  /** Somebody was told that a mention is needed now. */
  readonly isTold: boolean;
}

/** Who speaks in the threads the bot takes part in. `at`: when, in milliseconds since the epoch, by the platform's clock. */
export interface Threads {
  /** From now on the bot takes part; `personId` is counted as a speaker. */
  join(thread: ThreadRef, personId: string, at: number): Promise<void>;
  /** Counts a message, and its speaker unless null (a bot). Null when the bot does not take part there. */
  hear(thread: ThreadRef, personId: string | null, at: number): Promise<Heard | null>;
  /** From now on `isTold`. */
  told(thread: ThreadRef): Promise<void>;
}

/** What the operator's dashboards count. */
export interface Metrics {
  /** A message reached the intake. */
  heard(platform: PlatformName, result: Accepted): void;
  /** Citation markers of a complete answer that lead to no source. */
  unresolvedCitations(platform: PlatformName, count: number): void;
  /** An answer ended; `outcome` is `done`, `redelivered`, `deleted`, `given-up` or a failure's kind. */
  answered(platform: PlatformName, outcome: string, ms: number): void;
  /** A research job was handed to Perplexity. */
  researchStarted(platform: PlatformName, api: string): void;
  /** A research job ended; `outcome` is `done`, `stopped` or why it failed; `ms` since it was asked for. */
  researchEnded(platform: PlatformName, outcome: string, ms: number): void;
  /** A research job's notification; `outcome` is its final state. */
  researchNoticed(platform: PlatformName, outcome: string): void;
}
