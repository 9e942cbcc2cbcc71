import { runInBackground, sleep } from '../concurrency.ts';
import { Failure } from '../failures.ts';
import type { ModelRateLimiter, RequestKind } from '../model-rate-limiter.ts';
import type { Log, Model } from '../ports.ts';
import { retry } from '../retry.ts';
import type { ModelRequest, View } from '../types.ts';
import { describeWait, formatDuration } from './messages.ts';
import { type Answer, applyEvent, EMPTY_ANSWER, progressView, queuedView } from './view.ts';
import { waitForRequest } from './wait-for-rate-limit.ts';

/** How a model request ended: complete, or with the text so far and the failure that ended it. */
export interface ModelOutcome {
  readonly answer: Answer;
  readonly failure: Failure | null;
  /** How often the model was asked. */
  readonly tries: number;
}

/** So long a question waits for the rate limit of the model's API, in all. */
const LONGEST_WAIT_MS = 10 * 60_000;
/** A Retry-After that is longer, or makes no sense, keeps everybody else from asking for so long. */
const LONGEST_BLOCK_MS = 60 * 60_000;
/** Faults before the first word are retried three times. */
const RETRY = { attempts: 4, baseMs: 2_000, capMs: 8_000, longestWaitMs: LONGEST_WAIT_MS };

/** A model that never ends would otherwise fill the thread. */
const MAX_ANSWER_CHARS = 200_000;

interface AskOptions {
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly limiter: ModelRateLimiter;
  /** Carried by the button that stops the answer. */
  readonly questionId: string;
  readonly show: (view: View) => void;
}

/**
 * Asks the model and reports every event as a view. Faults before the first word are retried, and every wait is shown; a later
 * fault keeps the text so far. An abort is a failure of kind `stopped`.
 * @throws what the rate limiter rejects with when the store cannot be reached
 */
export async function askModel(
  model: Model,
  request: ModelRequest,
  options: AskOptions,
): Promise<ModelOutcome> {
  const { signal, log, questionId, show } = options;
  const admission = createAdmission(options);
  let answer = EMPTY_ANSWER;
  let tries = 0;
  const once = async (): Promise<void> => {
    tries++;
    answer = EMPTY_ANSWER;
    for await (const event of model.answer(request, signal, admission.admit)) {
      answer = applyEvent(answer, event);
      if (event.type !== 'usage' && event.type !== 'done') show(progressView(answer, questionId));
      if (answer.text.length > MAX_ANSWER_CHARS) answer = { ...answer, end: 'length' };
      if (answer.end) break;
    }
    if (!answer.end) throw new Failure('cut-off', 'the stream ended without saying so');
    if (answer.text.trim() === '') throw new Failure('malformed', `an empty answer, ended by ${answer.end}`);
  };
  try {
    // A remedy is something that a person has to do first.
    // A wait that the rate limiter finds too long is none that the API asked for: it concerns this question alone.
    const canRetry = (failure: Failure): boolean =>
      answer.text === '' && failure.remedy === undefined && failure !== admission.fault();
    await retry({ ...RETRY, signal, wait: admission.wait, canRetry }, once);
    return { answer, failure: null, tries };
  } catch (error) {
    if (error instanceof Failure) {
      if (error !== admission.fault()) runInBackground(log, 'rate limit', admission.heed(error));
      return { answer, failure: error, tries };
    }
    if (error === admission.fault()) throw error;
    log.error({ err: error }, 'unexpected error while asking the model');
    return { answer, failure: new Failure('malformed', 'unexpected error', { cause: error }), tries };
  }
}

/** Lets the requests of one question go within the rate limit, and waits between its tries. */
function createAdmission({ signal, log, limiter, questionId, show }: AskOptions) {
  const until = performance.now() + LONGEST_WAIT_MS;
  const tell = (status: string): void => show(queuedView(status, questionId));
  let kind: RequestKind | null = null;
  let fault: unknown = null;
  return {
    /** What kept a request from being sent; null while nothing has. */
    fault: () => fault,
    async admit(asked: RequestKind): Promise<void> {
      kind = asked;
      try {
        const tellPlace = (ahead: number): void => tell(describeWait(ahead));
        await waitForRequest(limiter, asked, { holder: questionId, signal, until, tell: tellPlace });
      } catch (error) {
        fault = error;
        throw error;
      }
    },
    /** Has all others wait as long as the API asked, where this question does not. */
    async heed({ kind: failed, retryAfterMs }: Failure): Promise<void> {
      if (failed !== 'rate-limited' || !kind || retryAfterMs === undefined) return;
      await limiter.blockFor(kind, Math.min(retryAfterMs, LONGEST_BLOCK_MS));
    },
    async wait(failure: Failure, waitMs: number): Promise<void> {
      const { status } = failure;
      log.info({ kind: failure.kind, status, waitMs: Math.round(waitMs) }, 'model busy, waiting');
      // All others would be refused as well: everybody waits, this question behind those that came before.
      const isGuessed = failure.retryAfterMs === undefined;
      if (failure.kind === 'rate-limited' && kind && (await limiter.blockFor(kind, waitMs, isGuessed)))
        return;
      tell(`is busy, retrying in ${formatDuration(waitMs)}…`);
      await sleep(waitMs, signal);
    },
  };
}
