import type OpenAI from 'openai';
import { Failure } from '../core/failures.ts';
import type { AnswerEvent } from '../core/types.ts';
import type { JsonObject } from '../core/untrusted.ts';
import type { TextStream } from '../http/text-stream.ts';
import { brokenStream, failureFrom } from './errors.ts';
import type { Interpreter } from './interpreter.ts';
import type { Pace } from './pace.ts';
import { createReading, type Reading } from './reading.ts';
import { startWatch, type Timers, type Watch } from './watch.ts';

/** One streamed request to one of the APIs. */
export interface Call {
  readonly client: OpenAI;
  /** The body of a response of that client; null when it is no stream. */
  readonly streamOf: (response: Response) => TextStream | null;
  readonly pace: Pace;
  readonly path: string;
  readonly body: JsonObject;
  readonly timers: Timers;
  readonly interpreter: Interpreter;
}

/** How long the connection may take to end after the answer has: one that ends in order can be used again. */
const LINGER_MS = 250;

/**
 * Makes one request and reads its stream. Events come at most one of a kind per read from the socket, however many tokens
 * that read brought.
 * @throws {Failure} of every kind; see `errors.ts`.
 */
export async function* streamAnswer(
  call: Call,
  caller: AbortSignal,
): AsyncGenerator<AnswerEvent, void, undefined> {
  const watch = startWatch(call.timers, caller);
  const reading = createReading(call.interpreter);
  const ended = call.pace.begin();
  let body: TextStream | null = null;
  try {
    body = await open(call, watch);
    watch.headers();
    while (!reading.isOver()) {
      const text = await read(body, watch, reading);
      if (text === null) break;
      // Comments alone do not move the idle clock on.
      if (!reading.take(text)) continue;
      watch.pause();
      for (const event of reading.emit()) yield event;
      watch.resume();
      const failure = reading.failure();
      if (failure) throw failure;
      await rest(body, call.pace, reading);
    }
    for (const event of reading.conclude()) yield event;
  } finally {
    ended();
    watch.close();
    // Beside the consumer, who is not to wait for the end of a connection once the answer is complete.
    if (body !== null && reading.isFinished()) void linger(body, watch);
    else watch.abort();
  }
}

/** Lets more of the text gather; neither the first words nor what follows the last wait for anything. */
async function rest(body: TextStream, pace: Pace, reading: Reading): Promise<void> {
  if (pace.restMs() === 0 || !reading.hasText() || reading.isFinished()) return;
  body.pause();
  // Too short for an abort to be heard in it.
  await pace.rest();
}

async function open(call: Call, watch: Watch): Promise<TextStream> {
  const refused = watch.verdict();
  if (refused) throw refused;
  let response: Response;
  try {
    const options = { body: call.body, stream: true, signal: watch.signal, timeout: call.timers.totalMs };
    response = await call.client.post(call.path, options).asResponse();
  } catch (error) {
    throw watch.verdict() ?? failureFrom(error);
  }
  const type = response.headers.get('content-type') ?? 'no content type';
  const body = call.streamOf(response);
  if (body === null) {
    // A web page with status 200 comes from something between us and Perplexity.
    throw new Failure('malformed', `Perplexity answered with ${type.slice(0, 60)} instead of a stream`);
  }
  return body;
}

/** What comes next; null when the stream has ended and the answer with it. */
async function read(body: TextStream, watch: Watch, reading: Reading): Promise<string | null> {
  try {
    const text = await body.read();
    const verdict = watch.verdict();
    if (verdict) throw verdict;
    if (text !== null) return text;
  } catch (error) {
    const verdict = watch.verdict();
    if (verdict?.kind === 'stopped') throw verdict;
    // Once the answer is known to be complete, nothing that happens to the connection takes that back.
    if (reading.isFinished()) return null;
    throw verdict ?? brokenStream('was cut', reading.hasText(), error);
  }
  if (!reading.isFinished()) throw brokenStream('ended without a finish', reading.hasText());
  return null;
}

/** Reads what little is left, so that the connection can be used again. Never throws; ends after `LINGER_MS`. */
async function linger(body: TextStream, watch: Watch): Promise<void> {
  const timer = setTimeout(() => watch.abort(), LINGER_MS).unref();
  try {
    while ((await body.read()) !== null);
  } catch {
    // The answer is complete; how its connection ends is nobody's concern.
  } finally {
    clearTimeout(timer);
  }
}
