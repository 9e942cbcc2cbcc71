import type { APIPromise } from 'openai';
import type { Stream } from 'openai/core/streaming';
import type { AnswerEvent, Usage } from '../core/types.ts';
import { asRecord, type JsonObject } from '../core/untrusted.ts';
import { type Deadline, startDeadline, type Timeouts } from './deadline.ts';
import {
  createCutFailure,
  createNoStreamFailure,
  createReportedFailure,
  createThoughtOnlyFailure,
  translateRequestError,
  translateStreamError,
} from './errors.ts';
import { isEventStream, saidDone } from './response-body.ts';
import { createThoughtFilter, type ThoughtFilter } from './thinking.ts';

/** What one chunk of a stream says. */
export interface ParsedChunk {
  /** New text, thoughts included. */
  readonly text: string;
  /** Searches and sources, in order. */
  readonly events: readonly AnswerEvent[];
  /** The model thinks, without its thoughts being part of the text. */
  readonly isThinking: boolean;
  /** Replaces what earlier chunks said; null when this one says nothing. */
  readonly usage: Usage | null;
  /** How the answer ended, once the stream says so. */
  readonly finish: Finish | null;
  /** Nothing of interest comes after this chunk; an answer whose end has not been described is complete then. */
  readonly isLast: boolean;
  /** The error that the stream reports in place of an answer; empty when it gives no reason. */
  readonly error: JsonObject | null;
}

export type Finish = 'complete' | 'length' | 'filtered';

/** Reads the chunks of one answer of one API, in order. Never throws, whatever a chunk holds; leaves out what it lacks. */
export type ChunkParser = (chunk: JsonObject) => Partial<ParsedChunk>;

/** Makes a streamed request of one of the clients. */
export type Create = (options: {
  readonly signal: AbortSignal;
  readonly timeout: number;
}) => APIPromise<Stream<unknown>>;

/** What is known of an answer so far. */
interface Progress {
  /** A person has been given some of the text. */
  hasText: boolean;
  finish: Finish | null;
  usage: Usage | null;
  isThinkingTold: boolean;
}

/** The chunks of a stream, as openai gives them. */
interface Chunks extends AsyncIterator<unknown> {
  /** Whether the stream has said `[DONE]`; to openai that is the same as a connection that ends. */
  readonly saidDone: () => boolean;
}

/** How long the connection may take to end after the answer has, in milliseconds: one that ends can be used again. */
const DRAIN_MS = 250;

/** One request and how its stream is read. */
export interface AnswerStream {
  readonly create: Create;
  readonly parse: ChunkParser;
  readonly timeouts: Timeouts;
  /** The text may begin with thoughts whose opening tag is missing. */
  readonly mayBeginWithThoughts?: boolean;
}

/** Makes one request and reads its stream. @throws {Failure} of every kind; see `errors.ts`. */
export async function* streamAnswer(
  { create, parse, timeouts, mayBeginWithThoughts = false }: AnswerStream,
  caller: AbortSignal,
): AsyncGenerator<AnswerEvent, void, undefined> {
  const deadline = startDeadline(timeouts, caller);
  const progress: Progress = { hasText: false, finish: null, usage: null, isThinkingTold: false };
  const thoughts = createThoughtFilter(mayBeginWithThoughts);
  let chunks: Chunks | null = null;
  let isComplete = false;
  try {
    chunks = await openStream(create, timeouts, deadline);
    while (!isComplete) {
      const chunk = await nextChunk(chunks, deadline, progress);
      const parsed: Partial<ParsedChunk> = chunk === null ? { isLast: true } : parse(chunk);
      deadline.pause();
      for (const event of readChunk(parsed, progress, thoughts)) yield event;
      deadline.resume();
      isComplete = parsed.isLast === true;
    }
    if (!progress.hasText && progress.finish === 'length' && thoughts.hasThought())
      throw createThoughtOnlyFailure();
    if (progress.usage) yield { type: 'usage', usage: progress.usage };
    if (progress.finish) yield { type: 'done', reason: progress.finish };
  } finally {
    deadline.close();
    // Beside the consumer, who is not to wait for the end of a connection once the answer is complete.
    if (chunks !== null && isComplete) void drain(chunks, deadline);
    else deadline.abort();
  }
}

/** Sends the request; resolves once the stream has begun. */
async function openStream(create: Create, timeouts: Timeouts, deadline: Deadline): Promise<Chunks> {
  const refused = deadline.reason();
  if (refused) throw refused;
  try {
    const options = { signal: deadline.signal, timeout: timeouts.totalMs };
    const { data, response } = await create(options).withResponse();
    deadline.headersArrived();
    if (isEventStream(response)) {
      const chunks = data[Symbol.asyncIterator]();
      return { next: () => chunks.next(), saidDone: () => saidDone(response) };
    }
    throw createNoStreamFailure(response.headers.get('content-type'));
  } catch (error) {
    throw deadline.reason() ?? translateRequestError(error);
  }
}

/** The events of one chunk, and what it adds to the progress. @throws {Failure} when the stream reports an error */
function* readChunk(
  parsed: Partial<ParsedChunk>,
  progress: Progress,
  thoughts: ThoughtFilter,
): Generator<AnswerEvent, void, undefined> {
  const { isThinking = false, isLast = false } = parsed;
  const begun = isThinking ? thoughts.trustText() : '';
  const text = begun + thoughts.push(parsed.text ?? '') + (isLast ? thoughts.end() : '');
  if (!progress.isThinkingTold && (isThinking || thoughts.hasThought())) {
    progress.isThinkingTold = true;
    yield { type: 'thinking' };
  }
  yield* parsed.events ?? [];
  if (text !== '') yield { type: 'text', text };
  progress.hasText ||= text.trim() !== '';
  if (parsed.error) throw createReportedFailure(parsed.error, progress.hasText);
  progress.usage = parsed.usage ?? progress.usage;
  progress.finish = parsed.finish ?? progress.finish ?? (isLast ? 'complete' : null);
}

/** The next chunk; null when the stream has ended and the answer with it. */
async function nextChunk(
  chunks: Chunks,
  deadline: Deadline,
  { hasText, finish }: Progress,
): Promise<JsonObject | null> {
  try {
    for (;;) {
      const { done, value } = await chunks.next();
      // openai ends an aborted stream as if it were complete.
      const reason = deadline.reason();
      if (reason) throw reason;
      if (done === true) break;
      const chunk = asRecord(value);
      if (chunk !== null) return chunk;
    }
  } catch (error) {
    const reason = deadline.reason();
    if (reason?.kind === 'stopped') throw reason;
    // Once the answer is known to be complete, nothing that happens to the connection takes that back.
    if (finish !== null) return null;
    throw reason ?? translateStreamError(error, hasText);
  }
  if (finish === null && !chunks.saidDone()) throw createCutFailure('ended without a finish', hasText);
  return null;
}

/** Reads what little is left, so that the connection can be used again: to stop reading would close it. Never throws. */
async function drain(chunks: Chunks, deadline: Deadline): Promise<void> {
  const timer = setTimeout(deadline.abort, DRAIN_MS).unref();
  try {
    while ((await chunks.next()).done !== true);
  } catch {
    // The answer is complete; how its connection ends changes nothing.
  } finally {
    clearTimeout(timer);
  }
}
