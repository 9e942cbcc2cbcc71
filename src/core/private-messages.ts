import { idFrom } from './ids.ts';
import type { Jobs, JobsRequest, Log, Platform, ResearchCommands } from './ports.ts';
import type { PlatformName, Question } from './types.ts';

/** The queue for short messages that a person must get once: refusals, alerts and answers to typed commands. */
export const NOTIFICATION_QUEUE = 'notification';

/** What the queue `notification` carries: a private reply, the answer to `!jobs`, or a direct message. */
export type NotificationJob =
  | { readonly type: 'reply'; readonly question: Question; readonly text: string }
  | { readonly type: 'jobs'; readonly question: Question; readonly request: JobsRequest }
  | {
      readonly type: 'direct';
      readonly platform: PlatformName;
      readonly workspace: string;
      readonly person: string;
      readonly text: string;
    };

export interface NotificationDeps {
  readonly platforms: ReadonlyMap<PlatformName, Platform>;
  readonly researchCommands: ResearchCommands;
  readonly log: Log;
}

/**
 * Sends one job of the queue `notification`; rejects when it has to be run again.
 * @throws {Failure} as `Platform.replyPrivately` and `Platform.directMessage`
 */
export async function sendNotification(
  { platforms, researchCommands, log }: NotificationDeps,
  job: NotificationJob,
): Promise<void> {
  const name = job.type === 'direct' ? job.platform : job.question.platform;
  const platform = platforms.get(name);
  if (!platform) return log.error({ platform: name }, 'notification for a platform that is not configured');
  if (job.type === 'direct') return platform.directMessage(job.workspace, job.person, job.text);
  const text = job.type === 'jobs' ? await researchCommands.run(job.request) : job.text;
  await platform.replyPrivately(job.question, text);
}

/** Queues a private reply to the asker; `what` tells different replies to the same question apart. False when it was queued before. */
export function enqueueReply(jobs: Jobs, question: Question, what: string, text: string): Promise<boolean> {
  return enqueueNotification(jobs, { type: 'reply', question, text }, [what, question.id]);
}

/** Queues a notification under an id made from `idParts`. False when that id was queued before. */
export function enqueueNotification(
  jobs: Jobs,
  job: NotificationJob,
  idParts: readonly string[],
): Promise<boolean> {
  const id = idFrom(...idParts);
  return jobs.enqueue(NOTIFICATION_QUEUE, job, { id, key: id });
}

/** Creates the alert to every admin of a question's platform: at most once an hour for the same text, cluster-wide. */
export function createAdminAlerts(jobs: Jobs, admins: Readonly<Record<PlatformName, readonly string[]>>) {
  return async (question: Question, text: string): Promise<void> => {
    const { platform, workspace } = question;
    const hour = String(Math.floor(Date.now() / 3_600_000));
    for (const person of admins[platform]) {
      const job: NotificationJob = { type: 'direct', platform, workspace, person, text };
      await enqueueNotification(jobs, job, ['alert', platform, person, text, hour]);
    }
  };
}
