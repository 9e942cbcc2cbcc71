import type { ModelRateLimiter } from '../model-rate-limiter.ts';
import type { AnswerRecord, Answers, Jobs, Log, Metrics, Model, Platform, Reply, Threads } from '../ports.ts';
import type { AnswerOptions, PlatformName, Question, ThreadRef, View } from '../types.ts';
import type { History } from './history.ts';
import type { LiveReply } from './live-reply.ts';
import type { Names } from './names.ts';
import type { FileReading } from './read-files.ts';
import type { Recalled } from './recall.ts';
import type { Stops, StopWatch } from './stop.ts';

/** What one question needs on its way to an answer, and what comes of it. */

export interface AnsweringDeps {
  readonly model: Model;
  readonly modelRateLimiter: ModelRateLimiter;
  readonly platforms: ReadonlyMap<PlatformName, Platform>;
  readonly jobs: Jobs;
  readonly answers: Answers;
  readonly history: History;
  readonly threads: Threads;
  readonly stops: Stops;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Whether this person may stop other people's answers. */
  readonly isAdmin: (platform: PlatformName, personId: string) => boolean;
  readonly settings: AnsweringSettings;
  readonly files: FileReading;
  /** Whether anybody would hear of an alert. */
  readonly hasAdmins: (platform: PlatformName) => boolean;
  /** Tells the admins of the question's platform that they must act; at most once an hour for the same thing. */
  readonly alertAdmins: (question: Question, text: string) => Promise<void>;
}

interface AnsweringSettings {
  readonly defaults: AnswerOptions;
  /** What the model is told about its task. */
  readonly systemPrompt: string;
  /** How much of the thread the model gets to see, in characters. */
  readonly contextChars: number;
}

/** The queue of questions to answer; its key is the thread, so that a thread's questions are answered in order. */
export const ANSWER_QUEUE = 'answer';

/** What the queue `answer` carries. */
export interface AnswerJob {
  readonly question: Question;
  /** Whether the question carries the mark that it waits behind another. */
  readonly isMarked: boolean;
  /** When the newest message before it was said, in milliseconds since the epoch; absent where that is not known. */
  readonly heardAt?: number;
}

/** One attempt to answer a question. */
export interface AnswerRun {
  readonly deps: AnsweringDeps;
  readonly question: Question;
  readonly record: AnswerRecord;
  /** As in its job. */
  readonly heardAt: number | undefined;
  readonly platform: Platform;
  readonly names: Names;
  readonly reply: Reply;
  readonly live: LiveReply;
  /** Opens the place to answer, once. The thread of a question that came without one is joined. @throws {Failure} as `Reply.open` */
  readonly open: () => Promise<ThreadRef>;
  readonly log: Log;
  /** Milliseconds on the monotonic clock. */
  readonly startedAt: number;
  /** Aborted when the job ends, when somebody stops the answer, or when its place is gone; the reason says which. */
  readonly signal: AbortSignal;
  /** Aborted when the process stops or another worker has the job. */
  readonly jobSignal: AbortSignal;
  readonly stops: StopWatch;
}

/** The final view, and what history keeps of it. */
export interface Conclusion {
  readonly view: View;
  /** What the model was given of the conversation; null where an earlier attempt has asked it. */
  readonly recalled: Recalled | null;
  readonly isTrimmed: boolean;
  readonly outcome: string;
}
