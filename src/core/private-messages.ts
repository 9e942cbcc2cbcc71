import { idFrom } from './ids.ts';
import type { Jobs, JobsRequest, Log, Platform, ResearchCommands } from './ports.ts';
import { type JobOwner, ownerKey, ownerOf, type PlatformName, type Question } from './types.ts';

/** The queue for short messages that a person must get once: refusals, alerts and answers to typed commands. */
export const PRIVATE_MESSAGE_QUEUE = 'notification';

/** A private reply, the answer to `!jobs`, or a direct message. */
export type PrivateMessage =
  | { readonly type: 'reply'; readonly question: Question; readonly text: string }
  | { readonly type: 'jobs'; readonly question: Question; readonly request: JobsRequest }
  | {
      readonly type: 'direct';
      readonly platform: PlatformName;
      readonly workspace: string;
      readonly person: string;
      readonly text: string;
    };

/**
 * Sends a private message; rejects when it has to be sent again.
 * @throws {Failure} as `Platform.replyPrivately` and `Platform.directMessage`
 */
export async function sendPrivateMessage(
  { platforms, log }: { readonly platforms: ReadonlyMap<PlatformName, Platform>; readonly log: Log },
  commands: ResearchCommands,
  message: PrivateMessage,
): Promise<void> {
  const name = message.type === 'direct' ? message.platform : message.question.platform;
  const platform = platforms.get(name);
  if (!platform)
    return log.error({ platform: name }, 'private message for a platform that is not configured');
  if (message.type === 'direct')
    return platform.directMessage(message.workspace, message.person, message.text);
  const text = message.type === 'jobs' ? await commands.run(message.request) : message.text;
  await platform.replyPrivately(message.question, text);
}

/** Where others may read the reply, and whoever asks expects none from us but the answer. */
const WRITTEN: ReadonlySet<Question['trigger']> = new Set(['mention', 'dm', 'reply', 'thread']);

/** Whether a question was written where others read, not given as a command that is answered to its person alone. */
export function isWritten({ trigger }: Question): boolean {
  return WRITTEN.has(trigger);
}

/** Queues a refusal: whoever writes reads it once in each `everyMs`, whoever gave a command every time. */
export async function enqueueRefusal(
  jobs: Jobs,
  question: Question,
  what: string,
  text: string,
  everyMs: number,
): Promise<void> {
  const person = ownerKey(ownerOf(question));
  const period = String(Math.floor(Date.now() / everyMs));
  const whom = isWritten(question) ? [person, period] : [question.id];
  await enqueuePrivateMessage(jobs, { type: 'reply', question, text }, [what, ...whom]);
}

/** Queues a private message under an id made from `idParts`. False when that id was queued before. */
export function enqueuePrivateMessage(
  jobs: Jobs,
  message: PrivateMessage,
  idParts: readonly string[],
): Promise<boolean> {
  const id = idFrom(...idParts);
  return jobs.enqueue(PRIVATE_MESSAGE_QUEUE, message, { id, key: id, owner: readerOf(message) });
}

function readerOf(message: PrivateMessage): JobOwner {
  return message.type === 'direct' ? message : ownerOf(message.question);
}

/** Creates the alert to every admin of a question's platform: at most once an hour for the same text, cluster-wide. */
export function createAdminAlerts(jobs: Jobs, admins: Readonly<Record<PlatformName, readonly string[]>>) {
  return async (question: Question, text: string): Promise<void> => {
    const { platform, workspace } = question;
    const hour = String(Math.floor(Date.now() / 3_600_000));
    for (const person of admins[platform]) {
      const alert: PrivateMessage = { type: 'direct', platform, workspace, person, text };
      await enqueuePrivateMessage(jobs, alert, ['alert', platform, person, text, hour]);
    }
  };
}
