import { sleep } from '../concurrency.ts';
import { Failure } from '../failures.ts';
import { idFrom } from '../ids.ts';
import type { Answers, Job, Reply } from '../ports.ts';
import type { ThreadRef } from '../types.ts';
import { orderKey } from './conversation.ts';
import { ANSWER_QUEUE, type AnswerRun } from './deps.ts';

/**
 * A job of the queue `answer` that holds the place of a command in its thread's order. The command runs under a key of its
 * own, because its thread did not exist when it was queued; questions in the thread wait behind this job.
 */
export interface WaitJob {
  /** The id of the question whose answer is waited for. */
  readonly behind: string;
}

/** Opens the thread of a command and joins it: questions asked there are answered after the command. */
export async function joinOpenedThread(
  { deps, question, record }: Pick<AnswerRun, 'deps' | 'question' | 'record'>,
  reply: Reply,
): Promise<ThreadRef> {
  const thread = await reply.open();
  const wait: WaitJob = { behind: question.id };
  await deps.jobs.enqueue(ANSWER_QUEUE, wait, { id: idFrom('behind', question.id), key: orderKey(thread) });
  await deps.threads.join(thread, question.asker.id, question.askedAt);
  const isOurs = await deps.answers.opened(question.id, record.attempt, thread);
  if (!isOurs) throw new Failure('stopped', 'overtaken by a later attempt');
  return thread;
}

const POLL_INTERVAL_MS = 300;
/** No answer takes longer; an answer that was given up must not block its thread. */
const MAX_WAIT_MS = 25 * 60_000;

/** Resolves once that answer has been delivered. @throws {Failure} `stopped` when the process stops first. */
export async function waitBehind(
  answers: Answers,
  { data, signal, releaseSlot }: Job<WaitJob>,
): Promise<void> {
  releaseSlot();
  const end = performance.now() + MAX_WAIT_MS;
  while (performance.now() < end) {
    const record = await answers.find(data.behind);
    if (!record || record.delivered) return;
    await sleep(POLL_INTERVAL_MS, signal);
    if (signal.aborted) throw new Failure('stopped', 'stopped while waiting for an earlier answer');
  }
}
