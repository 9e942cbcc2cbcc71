import { idFrom } from '../ids.ts';
import type { Question, View } from '../types.ts';
import { ATTEMPT } from './card.ts';
import type { ResearchRecord } from './ports.ts';
import { questionInThread, type ResearchDeps } from './step.ts';

/**
 * Writes below the card, without a mention, in as many messages as it takes. Each `what` is said once per job: its messages
 * are recorded like an answer's, under a question of its own, and a repeat rewrites them.
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
  // The interaction that asked is long over, and what is said here answers no message.
  const question: Question = { ...asked, id: idFrom(what, asked.id), trigger: 'button', delivery: {} };
  const view: View = {
    state: 'done',
    status: '',
    text: '',
    sources: [],
    notices: [],
    footer: null,
    buttons: [],
    ...said,
  };
  const known = await answers.begin(question, ATTEMPT);
  if (!known || known.delivered) return;
  const reply = platform.reply(question, {
    messages: known.messages,
    // Messages may have been posted and not recorded: by an earlier step, whose number is not told from this one's.
    attempt: 2,
    posted: async (messages) => void (await answers.posted(question.id, ATTEMPT, messages)),
    isTaken: async (message) => (await answers.threadOf(message)) !== null,
  });
  try {
    await reply.open();
    await reply.acquire('final', signal);
    await reply.show(view);
    await answers.conclude(question.id, ATTEMPT, view, asked.thread);
    await answers.delivered(question.id, ATTEMPT);
  } finally {
    await reply.close();
  }
}
