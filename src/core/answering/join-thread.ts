import { sleep } from '../concurrency.ts';
import { Failure } from '../failures.ts';
import type { Answers, Job } from '../ports.ts';

/**
 * What the queue `answer` carries besides questions: a place in a thread's order for an answer that is made under another
 * key, because its thread did not exist when it was asked (`/ask`). What is asked in the thread queues up behind it.
 */
export interface WaitJob {
  /** The id of the question whose answer is waited for. */
  readonly behind: string;
}

const LOOK_EVERY_MS = 300;
/** An answer takes no longer; one that was given up must not hold its thread for ever. */
const LONGEST_MS = 25 * 60_000;

/** Returns once that answer has been delivered. @throws {Failure} `stopped` when the process stops first. */
export async function waitBehind(answers: Answers, { data, signal }: Job<WaitJob>): Promise<void> {
  const end = performance.now() + LONGEST_MS;
  while (performance.now() < end) {
    const record = await answers.find(data.behind);
    if (!record || record.delivered) return;
    await sleep(LOOK_EVERY_MS, signal);
    if (signal.aborted) throw new Failure('stopped', 'stopped while waiting for an earlier answer');
  }
}
