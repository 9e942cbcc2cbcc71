/** What a research job writes on its platform besides the notification, and how its messages are recorded. */
import { finalView } from '../answering/view.ts';
import { Failure } from '../failures.ts';
import { idFrom } from '../ids.ts';
import type { Urgency } from '../ports.ts';
import type { Question, View } from '../types.ts';
import { composeCard } from './card.ts';
import type { ResearchRecord } from './ports.ts';
import { platformOf, type ResearchDeps } from './step.ts';

/**
 * Posts or edits the card to match the record, and records where it is. Resolves with the updated record.
 * @throws {Failure} as `ResearchPlatform.showCard`
 */
export async function showCard(
  deps: ResearchDeps,
  record: ResearchRecord,
  { urgency, isRepeat }: { readonly urgency: Urgency; readonly isRepeat: boolean },
): Promise<ResearchRecord> {
  const { id, question, card } = record;
  const view = await composeCard(deps, record);
  const shown = await platformOf(deps, question).showCard({ question, card, view, urgency, isRepeat });
  if (card !== null) return record;
  await deps.researches.note(id, shown);
  const noted = { ...record, card: shown.card, question: { ...question, thread: shown.thread } };
  await recordMessages(deps, noted);
  return noted;
}

/** Records the job's messages like an answer's, so that replies to them find their thread and buttons find their question. */
export async function recordMessages(
  { answers, threads }: ResearchDeps,
  { question, card, noticeMessage }: ResearchRecord,
): Promise<void> {
  const messages = [card, noticeMessage].filter((message) => message !== null);
  await answers.begin(question, ATTEMPT);
  if (messages.length > 0) await answers.posted(question.id, ATTEMPT, messages);
  if (question.thread) await threads.join(question.thread, question.asker.id, question.askedAt);
}

/** Research writes its answer records under one attempt: every run of a step writes the same. */
export const ATTEMPT = 1;

/** Whether the failure says that there is no place to write, or no longer one. */
export function hasNoPlace(error: unknown): error is Failure {
  return error instanceof Failure && PLACELESS.has(error.kind);
}

const PLACELESS: ReadonlySet<string> = new Set(['gone', 'undeliverable', 'rejected']);

/**
 * Posts below the card, without a mention, in as many messages as it takes. Each `what` is posted once per job: its messages
 * are recorded like an answer's, under a question id of its own, and a repeat rewrites them.
 * @throws {Failure} as `Reply`
 */
export async function postBelow(
  deps: ResearchDeps,
  { question: asked }: ResearchRecord,
  what: 'late' | 'report',
  said: Partial<View>,
  signal: AbortSignal,
): Promise<void> {
  const { answers } = deps;
  if (!asked.thread) return;
  // The interaction that asked has expired, and this post replies to no message.
  const question: Question = { ...asked, id: idFrom(what, asked.id), trigger: 'button', delivery: {} };
  const view = finalView(said);
  const known = await answers.begin(question, ATTEMPT);
  if (!known || known.delivered) return;
  const reply = platformOf(deps, question).reply(question, {
    messages: known.messages,
    // An earlier run of the step may have posted messages without recording them: look for them before posting.
    attempt: 2,
    posted: async (messages) => void (await answers.posted(question.id, ATTEMPT, messages)),
    isTaken: async (message) => (await answers.threadOf(message)) !== null,
  });
  try {
    await reply.open();
    await reply.show(() => view, signal);
    await answers.conclude(question.id, ATTEMPT, view);
    await answers.delivered(question.id, ATTEMPT);
  } finally {
    await reply.close();
  }
}
