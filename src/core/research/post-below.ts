import { finalView } from '../answering/view.ts';
import { idFrom } from '../ids.ts';
import type { Question, View } from '../types.ts';
import { ATTEMPT } from './card.ts';
import type { ResearchRecord } from './ports.ts';
import { questionInThread, type ResearchDeps } from './step.ts';

/**
 * Posts below the card, without a mention, in as many messages as it takes. Each `what` is posted once per job: its messages
 * are recorded like an answer's, under a question id of its own, and a repeat rewrites them.
 * @throws {Failure} as `Reply`
 */
export async function postBelow(
  deps: ResearchDeps,
  record: ResearchRecord,
  what: 'late' | 'report',
  said: Partial<View>,
  signal: AbortSignal,
): Promise<void> {
  const { answers, platforms } = deps;
  const asked = questionInThread(record);
  const platform = platforms.get(asked.platform);
  if (!platform || !asked.thread) return;
  // The interaction that asked has expired, and this post replies to no message.
  const question: Question = { ...asked, id: idFrom(what, asked.id), trigger: 'button', delivery: {} };
  const view = finalView(said);
  const known = await answers.begin(question, ATTEMPT);
  if (!known || known.delivered) return;
  const reply = platform.reply(question, {
    messages: known.messages,
    // An earlier run of the step may have posted messages without recording them: look for them before posting.
    attempt: 2,
    posted: async (messages) => void (await answers.posted(question.id, ATTEMPT, messages)),
    isTaken: async (message) => (await answers.threadOf(message)) !== null,
  });
  try {
    await reply.open();
    await reply.acquire('final', signal);
    await reply.show(view);
    await answers.conclude(question.id, ATTEMPT, view);
    await answers.delivered(question.id, ATTEMPT);
  } finally {
    await reply.close();
  }
}
