import { runInBackground, sleep } from '../concurrency.ts';
import { Failure } from '../failures.ts';
import { type AnswerOptions, type Button, type Question, type View } from '../types.ts';
import { askModel, type ModelOutcome } from './ask-model.ts';
import { type AnswerRun, type Conclusion } from './deps.ts';
import { describeForAdmins, explainFailure, needsAdmin } from './messages.ts';
import { composeWithNames } from './names.ts';
import { type Prompt, questionTurn, withFraming } from './prompt.ts';
import { type FilesRead, readFilesOf } from './read-files.ts';
import { recallThread } from './recall.ts';
import { readStop, type Stop } from './stop.ts';
import { type Answer, doneView, EMPTY_ANSWER, finalView, progressView, restateQuestion } from './view.ts';

/** After this many interrupted attempts the person is told, and no further request is paid for. */
export const MAX_ATTEMPTS = 5;

/**
 * Produces the final view of a question: the one an earlier attempt has stored, else the model's answer, with progress shown
 * meanwhile. The view is stored before it is returned and before a place has to be opened, so that neither a crash nor a refused
 * place has the model asked, and paid, again.
 * @throws {Failure} when the place to answer is gone, or the job was stopped.
 */
export async function concludeAnswer(run: AnswerRun): Promise<Conclusion> {
  const { record } = run;
  if (record.conclusion)
    return { view: record.conclusion, recalled: null, isTrimmed: false, outcome: 'redelivered' };
  if (record.attempt > MAX_ATTEMPTS) {
    const failure = new Failure('stopped', 'too many interrupted attempts');
    const view = failedView(run, { answer: EMPTY_ANSWER, failure, tries: 0 }, failure);
    return storeConclusion(run, { view, recalled: null, isTrimmed: false, outcome: 'stopped' });
  }
  return storeConclusion(run, await produceAnswer(run));
}

async function produceAnswer(run: AnswerRun): Promise<Conclusion> {
  const { deps, question, platform, names, live, log, signal, stops } = run;
  // What was deleted while it waited for its turn is not to be paid for.
  await stops.caughtUp;
  if (readStop(signal)?.reason === 'deleted') throw new Failure('gone', 'the question was deleted');
  live.update(progressView(EMPTY_ANSWER, question.id));
  // Follow-ups in the thread that a command opens must be heard while its answer is still being written.
  if (!question.thread) runInBackground(log, 'join', run.open());
  void names.complete([questionTurn(question)], 0);
  const recalled = await recallThread({ ...deps, platform }, question, run.heardAt, signal);
  const { systemPrompt, contextChars } = deps.settings;
  const reader = { ...deps.files, fetchFile: platform.fetchFile };
  const files = await readFilesOf(question, recalled, reader, signal);
  const composed = await composeWithNames(names, question, recalled, contextChars, files);
  const options: AnswerOptions = { ...deps.settings.defaults, ...question.overrides };
  const request = { system: withFraming(systemPrompt, composed), messages: composed.messages, options };
  const asked = await askModel(deps.model, request, {
    signal,
    log,
    limiter: deps.modelRateLimiter,
    questionId: question.id,
    show: (view) => live.update(restateQuestion(view, question)),
  });
  const stop = readStop(signal);
  if (!stop) signal.throwIfAborted();
  // Nothing has been written, and nobody is left to read it.
  if (stop?.reason === 'deleted' && asked.answer.text === '')
    throw new Failure('gone', 'the question was deleted');
  if (asked.failure && !stop) reportFailure(run, asked.failure);
  const { history, said } = recalled;
  const isPart = composed.isTrimmed || said.isCut || history.trimmed.isCut;
  const isTrimmed = isPart && !history.trimmed.isTold;
  const view = restateQuestion(composeFinalView(run, asked, options, stop), question);
  const notices = [...composeNotices(files, isTrimmed ? composed : null), ...view.notices];
  return {
    view: { ...view, notices },
    recalled,
    isTrimmed,
    outcome: stop?.reason ?? asked.failure?.kind ?? 'done',
  };
}

function composeFinalView(
  run: AnswerRun,
  asked: ModelOutcome,
  options: AnswerOptions,
  stop: Stop | null,
): View {
  const { question, startedAt } = run;
  if (!asked.failure)
    return doneView(asked.answer, options, performance.now() - startedAt, Date.now(), question.id);
  return stop ? stoppedView(question, asked.answer, stop) : failedView(run, asked, asked.failure);
}

/** The longest wait before a view that could not be stored is stored again, in milliseconds. */
const STORE_AGAIN_MS = 5_000;

/** Does not give up while the job is ours: the answer is nowhere else, and asking for it again would be paid again. */
async function storeConclusion(run: AnswerRun, conclusion: Conclusion): Promise<Conclusion> {
  const { deps, question, record, log, jobSignal } = run;
  for (let waitMs = 250; ; waitMs = Math.min(2 * waitMs, STORE_AGAIN_MS)) {
    try {
      const isOurs = await deps.answers.conclude(question.id, record.attempt, conclusion.view);
      if (!isOurs) throw new Failure('stopped', 'overtaken by a later attempt');
      return conclusion;
    } catch (error) {
      if (error instanceof Failure || jobSignal.aborted) throw error;
      log.warn({ err: error, waitMs }, 'the final view cannot be stored; trying again');
      await sleep(waitMs, jobSignal);
    }
  }
}

function failedView({ deps, question }: AnswerRun, asked: ModelOutcome, failure: Failure): View {
  const { answer, tries } = asked;
  const { notice, buttons } = explainFailure(failure, question, {
    tries,
    hasText: answer.text !== '',
    hasAdmins: deps.hasAdmins(question.platform),
  });
  const { text, sources } = answer;
  return finalView({ state: 'failed', text, sources, notices: [...answer.notices, notice], buttons });
}

function stoppedView(question: Question, answer: Answer, { reason, by }: Stop): View {
  const who = by?.name ?? (by === null || by.id === question.asker.id ? 'the person who asked' : 'an admin');
  const notice = reason === 'deleted' ? '⏹ Stopped: the question was deleted' : `⏹ Stopped by ${who}`;
  const actions: readonly Button[] = [
    ...(answer.text === ''
      ? []
      : [{ action: 'continue' as const, label: 'Continue', question: question.id }]),
    { action: 'retry', label: 'Retry', question: question.id },
  ];
  const { text, sources } = answer;
  const buttons = reason === 'deleted' ? [] : actions;
  return finalView({ text, sources, notices: [...answer.notices, notice], buttons });
}

function composeNotices(files: FilesRead, trimmed: Prompt | null): string[] {
  const notices = [...files.notices];
  if (trimmed)
    notices.push(`Using the beginning and the newest part of this thread (${trimmed.turns} messages).`);
  return notices;
}

function reportFailure({ deps, question, log }: AnswerRun, failure: Failure): void {
  const { kind, status, code, remedy } = failure;
  const isForAdmins = needsAdmin(failure);
  log[isForAdmins ? 'error' : 'warn']({ kind, status, code, remedy, err: failure }, 'answer failed');
  // What was written before the failure is paid: it is not to be lost where the alert cannot be stored.
  if (isForAdmins) runInBackground(log, 'alert', deps.alertAdmins(question, describeForAdmins(failure)));
}
