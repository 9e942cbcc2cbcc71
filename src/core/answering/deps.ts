import type { AnswerRecord, Answers, Jobs, Log, Metrics, Model, Platform, Reply, Threads } from '../ports.ts';
import type { AnswerOptions, PlatformName, Question, ThreadRef, Turn, View } from '../types.ts';
import type { History } from './history.ts';
import type { LiveReply } from './live-reply.ts';
import type { Stops } from './stop.ts';

/** What one question needs on its way to an answer, and what comes of it. */

export interface AnsweringDeps {
  readonly model: Model;
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
  /** Whether anybody would hear of an alert. */
  readonly hasAdmins: (platform: PlatformName) => boolean;
  /** Tells the admins of the question's platform that they must act; at most once an hour for the same thing. */
  readonly alertAdmins: (question: Question, text: string) => Promise<void>;
}

export interface AnsweringSettings {
  readonly defaults: AnswerOptions;
  /** What the model is told about its task. */
  readonly systemPrompt: string;
  /** How much of the thread the model gets to see, in characters. */
  readonly contextChars: number;
}

/** The queue that answers are made from; its key is the thread. */
export const ANSWER_QUEUE = 'answer';

/** What the queue `answer` carries. */
export interface AnswerJob {
  readonly question: Question;
  /** True when the question was marked as waiting behind another. */
  readonly isMarked: boolean;
}

/** One question on its way to an answer. */
export interface Run {
  readonly deps: AnsweringDeps;
  readonly question: Question;
  readonly record: AnswerRecord;
  readonly platform: Platform;
  readonly reply: Reply;
  readonly live: LiveReply;
  readonly log: Log;
  /** On the monotonic clock. */
  readonly startedAt: number;
  /** Ends with the job, by somebody's wish, or when there is no place to answer any more; the reason says which. */
  readonly signal: AbortSignal;
  /** Ends the watch for somebody's wish. */
  readonly unwatch: () => void;
}

/** A conclusion ready to be shown, and what is to be remembered of it. */
export interface Conclusion {
  readonly view: View;
  readonly thread: ThreadRef;
  /** What was said in the thread before we knew it. */
  readonly backfill: readonly Turn[];
  readonly isTrimmed: boolean;
  readonly outcome: string;
}
