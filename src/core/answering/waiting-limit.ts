import type { Accepted, Jobs } from '../ports.ts';
import { enqueueRefusal, isWritten } from '../private-messages.ts';
import { ownerKey, ownerOf, type Question } from '../types.ts';
import { ANSWER_QUEUE } from './deps.ts';

/** How many questions may wait to be answered; 0 for any number. */
export interface WaitingLimits {
  readonly perPerson: number;
  readonly perWorkspace: number;
}

/** A person who goes on asking is not told twice within the same so many milliseconds, whichever process hears them. */
const TOLD_MS = 10 * 60_000;

/** How many questions wait of somebody, and of their workspace. */
type Waiting = Awaited<ReturnType<Jobs['waiting']>>;

export interface WaitingLimit {
  /** Counts what waits of the asker and of their workspace; zeros where nothing is limited. */
  count(question: Question): Promise<Waiting>;
  /**
   * Resolves with null when the question may wait as well, else with what became of it. Who is over the limit is told once,
   * until none of theirs waits any more; whoever gave a command, which is answered to them alone, every time.
   */
  check(question: Question, waiting: Waiting): Promise<Accepted | null>;
}

/** Creates the limit for questions that wait. */
export function createWaitingLimit(jobs: Jobs, { perPerson, perWorkspace }: WaitingLimits): WaitingLimit {
  const told = new Set<string>();
  const explain = (waiting: Waiting): string | null => {
    const more =
      "as many as may wait. I won't answer this one, nor further ones until there is room: ask again then.";
    if (perPerson > 0 && waiting.person >= perPerson)
      return `You have ${waiting.person} questions waiting here, ${more}`;
    if (perWorkspace > 0 && waiting.workspace >= perWorkspace)
      return `${waiting.workspace} questions are waiting in this workspace, ${more}`;
    return null;
  };
  const tell = async (question: Question, person: string, text: string): Promise<void> => {
    if (isWritten(question) && told.has(person)) return;
    await enqueueRefusal(jobs, question, 'limit', text, TOLD_MS);
    if (isWritten(question)) told.add(person);
  };
  return {
    async count(question) {
      if (perPerson === 0 && perWorkspace === 0) return { person: 0, workspace: 0 };
      return jobs.waiting(ANSWER_QUEUE, ownerOf(question));
    },
    async check(question, waiting) {
      const person = ownerKey(ownerOf(question));
      if (waiting.person === 0) told.delete(person);
      const text = explain(waiting);
      if (text === null) return null;
      if (await jobs.knows(ANSWER_QUEUE, question.id)) return 'duplicate';
      await tell(question, person, text);
      return 'over-limit';
    },
  };
}
