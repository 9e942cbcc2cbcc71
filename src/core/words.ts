import { idFrom } from './ids.ts';
import { WORD_QUEUE, type WordJob } from './intake.ts';
import type { Jobs, Log, Platform } from './ports.ts';
import type { PlatformName, Question } from './types.ts';

/** Says a short word from the queue `word`. A person who cannot be reached is a log line. */
export async function sayWord(
  platforms: ReadonlyMap<PlatformName, Platform>,
  log: Log,
  word: WordJob,
): Promise<void> {
  const name = word.type === 'whisper' ? word.question.platform : word.platform;
  const platform = platforms.get(name);
  if (!platform) return log.error({ platform: name }, 'word for a platform that is not configured');
  if (word.type === 'whisper') await platform.whisper(word.question, word.text);
  else await platform.directMessage(word.workspace, word.person, word.text);
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
