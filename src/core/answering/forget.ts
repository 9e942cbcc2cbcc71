import { idFrom } from '../ids.ts';
import { orderKey } from './conversation.ts';
import { ANSWER_QUEUE, type AnsweringDeps } from './deps.ts';

/** A job of the queue `answer` that forgets a deleted question, in order, as each history has one writer. */
export interface ForgetJob {
  /** The id of the question. */
  readonly forget: string;
}

/** The data of a job whose question was deleted: there is nothing to be done. */
export interface ForgottenJob {
  readonly isForgotten: true;
}

const FORGOTTEN: ForgottenJob = { isForgotten: true };

type ForgetDeps = Pick<AnsweringDeps, 'answers' | 'history' | 'jobs'>;

/**
 * Forgets a question whose message was deleted: at once while it waits, else behind its answer. One that begins at this moment
 * finds the request to stop it, and is forgotten by its own job.
 */
export async function withdrawQuestion(deps: ForgetDeps, id: string): Promise<void> {
  const { answers, history, jobs } = deps;
  const [record, [remembered]] = await Promise.all([answers.find(id), history.find(id)]);
  if (!record && !remembered) return void (await jobs.replace(ANSWER_QUEUE, id, FORGOTTEN, 'waiting'));
  const thread = remembered ?? record?.thread ?? record?.question.thread;
  const job: ForgetJob = { forget: id };
  await jobs.enqueue(ANSWER_QUEUE, job, {
    id: idFrom('forget', id),
    key: thread ? orderKey(thread) : id,
  });
}

/** Takes a question, and what Retry and Continue made of it, out of history, records and jobs. Can be repeated. */
export async function forgetQuestion({ answers, history, jobs }: ForgetDeps, id: string): Promise<void> {
  for (const each of [id, idFrom('retry', id), idFrom('continue', id)]) {
    await history.forget(each);
    await answers.forget(each);
    await jobs.replace(ANSWER_QUEUE, each, FORGOTTEN, 'any');
  }
}
