import { idFrom } from './ids.ts';
import type { Jobs, Log, Platform } from './ports.ts';
import type { JobsDesk, JobsRequest } from './research/ports.ts';
import type { PlatformName, Question } from './types.ts';

/** The queue for short words to a person that must be said once: refusals, alerts and what a typed command asks for. */
export const WORD_QUEUE = 'word';

/** What the queue `word` carries: a whisper to an asker, what the desk says to one, or a direct message. */
export type WordJob =
  | { readonly type: 'whisper'; readonly question: Question; readonly text: string }
  | { readonly type: 'jobs'; readonly question: Question; readonly request: JobsRequest }
  | {
      readonly type: 'direct';
      readonly platform: PlatformName;
      readonly workspace: string;
      readonly person: string;
      readonly text: string;
    };

export interface WordDeps {
  readonly platforms: ReadonlyMap<PlatformName, Platform>;
  readonly desk: JobsDesk;
  readonly log: Log;
}

/** Says a short word from the queue `word`. A person who cannot be reached is a log line. */
export async function sayWord({ platforms, desk, log }: WordDeps, word: WordJob): Promise<void> {
  const name = word.type === 'direct' ? word.platform : word.question.platform;
  const platform = platforms.get(name);
  if (!platform) return log.error({ platform: name }, 'word for a platform that is not configured');
  if (word.type === 'direct') return platform.directMessage(word.workspace, word.person, word.text);
  const text = word.type === 'jobs' ? await desk.jobs(word.request) : word.text;
  await platform.whisper(word.question, text);
}

/** Tells every admin of the question's platform, at most once an hour for the same text, cluster-wide. */
export function createAdminAlerts(jobs: Jobs, admins: Readonly<Record<PlatformName, readonly string[]>>) {
  return async (question: Question, text: string): Promise<void> => {
    const hour = Math.floor(Date.now() / 3_600_000);
    for (const person of admins[question.platform]) {
      const word: WordJob = {
        type: 'direct',
        platform: question.platform,
        workspace: question.workspace,
        person,
        text,
      };
      const id = idFrom('alert', question.platform, person, text, String(hour));
      await jobs.enqueue(WORD_QUEUE, word, { id, key: id });
    }
  };
}
