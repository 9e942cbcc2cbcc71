import { Failure } from '../failures.ts';
import type { Log, Model } from '../ports.ts';
import { retry } from '../retry.ts';
import type { ModelRequest, View } from '../types.ts';
import { duration } from './messages.ts';
import { type Answer, EMPTY_ANSWER, extend, progressView } from './view.ts';

/** How asking the model ended: complete, or with what there is and why it is not more. */
export interface Asked {
  readonly answer: Answer;
  readonly failure: Failure | null;
  /** How often the model was asked. */
  readonly tries: number;
}

/** Before the first word a fault is worth another try; three more, and no wait a person would take for a hang. */
const RETRY = { attempts: 4, baseMs: 1_000, capMs: 8_000, longestWaitMs: 60_000 };

/** No answer is worth more than this; a model that never ends would otherwise fill the thread. */
const LONGEST_ANSWER_CHARS = 200_000;

/**
 * Asks the model and reports every step as a view. Before the first word faults are tried again, with the wait shown;
 * after it a fault keeps what has come. Never throws: an abort is a failure of kind `stopped`.
 */
export async function ask(
  model: Model,
  request: ModelRequest,
  options: {
    readonly signal: AbortSignal;
    readonly log: Log;
    /** Carried by the button that stops the answer. */
    readonly questionId: string;
    readonly show: (view: View) => void;
  },
): Promise<Asked> {
  const { signal, log, questionId, show } = options;
  let answer = EMPTY_ANSWER;
  let tries = 0;
  const once = async (): Promise<void> => {
    tries++;
    answer = EMPTY_ANSWER;
    for await (const event of model.answer(request, signal)) {
      answer = extend(answer, event);
      if (event.type !== 'usage' && event.type !== 'done') show(progressView(answer, questionId));
      if (answer.text.length > LONGEST_ANSWER_CHARS) answer = { ...answer, end: 'length' };
      if (answer.end) break;
    }
    if (!answer.end) throw new Failure('cut-off', 'the stream ended without saying so');
    if (answer.text.trim() === '') throw new Failure('malformed', `an empty answer, ended by ${answer.end}`);
  };
  const onWait = (failure: Failure, waitMs: number): void => {
    log.info(
      { kind: failure.kind, status: failure.status, waitMs: Math.round(waitMs) },
      'model busy, waiting',
    );
    show({ ...progressView(EMPTY_ANSWER, questionId), status: `is busy, retrying in ${duration(waitMs)}…` });
  };
  try {
    await retry({ ...RETRY, signal, onWait, canRetry: () => answer.text === '' }, once);
    return { answer, failure: null, tries };
  } catch (error) {
    if (error instanceof Failure) return { answer, failure: error, tries };
    log.error({ err: error }, 'unexpected error while asking the model');
    return { answer, failure: new Failure('malformed', 'unexpected error', { cause: error }), tries };
  }
}
