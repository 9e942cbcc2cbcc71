import { Failure } from '../failures.ts';
import type { Log, Model } from '../ports.ts';
import { retry } from '../retry.ts';
import type { ModelRequest, View } from '../types.ts';
import { formatDuration } from './messages.ts';
import { type Answer, applyEvent, EMPTY_ANSWER, progressView } from './view.ts';

/** How a model request ended: complete, or with the text so far and the failure that ended it. */
export interface ModelOutcome {
  readonly answer: Answer;
  readonly failure: Failure | null;
  /** How often the model was asked. */
  readonly tries: number;
}

/** Faults before the first word are retried three times; the longest wait is one that a person does not take for a hang. */
const RETRY = { attempts: 4, baseMs: 2_000, capMs: 8_000, longestWaitMs: 60_000 };

/** A model that never ends would otherwise fill the thread. */
const MAX_ANSWER_CHARS = 200_000;

/**
 * Asks the model and reports every event as a view. Faults before the first word are retried, and the wait is shown; a later
 * fault keeps the text so far. Never throws: an abort is a failure of kind `stopped`.
 */
export async function askModel(
  model: Model,
  request: ModelRequest,
  options: {
    readonly signal: AbortSignal;
    readonly log: Log;
    /** Carried by the button that stops the answer. */
    readonly questionId: string;
    readonly show: (view: View) => void;
  },
): Promise<ModelOutcome> {
  const { signal, log, questionId, show } = options;
  let answer = EMPTY_ANSWER;
  let tries = 0;
  const once = async (): Promise<void> => {
    tries++;
    answer = EMPTY_ANSWER;
    for await (const event of model.answer(request, signal)) {
      answer = applyEvent(answer, event);
      if (event.type !== 'usage' && event.type !== 'done') show(progressView(answer, questionId));
      if (answer.text.length > MAX_ANSWER_CHARS) answer = { ...answer, end: 'length' };
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
    show({
      ...progressView(EMPTY_ANSWER, questionId),
      status: `is busy, retrying in ${formatDuration(waitMs)}…`,
    });
  };
  try {
    // A remedy is something that a person has to do first.
    const canRetry = ({ remedy }: Failure): boolean => answer.text === '' && remedy === undefined;
    await retry({ ...RETRY, signal, onWait, canRetry }, once);
    return { answer, failure: null, tries };
  } catch (error) {
    if (error instanceof Failure) return { answer, failure: error, tries };
    log.error({ err: error }, 'unexpected error while asking the model');
    return { answer, failure: new Failure('malformed', 'unexpected error', { cause: error }), tries };
  }
}
