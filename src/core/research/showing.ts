import { Failure } from '../failures.ts';
import type { Urgency } from '../ports.ts';
import type { View } from '../types.ts';
import { cardView } from './card.ts';
import type { ResearchBoard, ResearchRecord } from './ports.ts';
import { researchOptions } from './request.ts';
import { placed, type ResearchDeps } from './run.ts';
import { usualTime } from './timing.ts';

/** Typical times are made of so many finished jobs. */
const DURATIONS = 20;

/**
 * Brings the card to what the record says, posting it if there is none yet, and records where it is. Resolves with the
 * record as it then stands.
 * @throws {Failure} as `ResearchBoard.showCard`
 */
export async function showCard(
  deps: ResearchDeps,
  record: ResearchRecord,
  { urgency, isRepeat }: { readonly urgency: Urgency; readonly isRepeat: boolean },
): Promise<ResearchRecord> {
  const { id, question } = record;
  const view = await viewOf(deps, record);
  const board = boardOf(deps, record);
  const thread = record.thread ?? question.thread;
  const shown = await board.showCard({ question, thread, card: record.card, view, urgency, isRepeat });
  const now = deps.now();
  const isNew = record.card === null && shown.card !== null;
  // A progress view that was given up has not been shown.
  const note = {
    thread: shown.thread,
    ...(isNew && { card: shown.card, cardPostedAt: now }),
    ...(shown.card && { cardShownAt: now }),
  };
  await deps.researches.note(id, note);
  const noted: ResearchRecord = { ...record, ...note };
  if (isNew) await index(deps, noted);
  return noted;
}

/** @throws when the job's platform is not configured */
export function boardOf({ boards }: ResearchDeps, { question }: ResearchRecord): ResearchBoard {
  const board = boards.get(question.platform);
  if (!board) throw new Error(`the platform ${question.platform} is not configured`);
  return board;
}

async function viewOf(deps: ResearchDeps, record: ResearchRecord): Promise<View> {
  const { question } = record;
  const options = researchOptions(deps.settings.defaults, question);
  const durations = await deps.researches.durations(question.research?.effort ?? 'medium', DURATIONS);
  return cardView(record, { options, usually: usualTime(durations), now: deps.now() });
}

/**
 * Makes the job's messages known as an answer's, so that replies to them find the thread and their buttons the question.
 * There is one attempt: what is written for it is the same whoever writes it.
 */
export async function index({ answers, threads }: ResearchDeps, record: ResearchRecord): Promise<void> {
  const question = placed(record);
  const messages = [record.card, record.noticeMessage].filter((message) => message !== null);
  await answers.begin(question, ATTEMPT);
  if (messages.length > 0) await answers.posted(question.id, ATTEMPT, messages);
  if (question.thread) await threads.join(question.thread, question.asker.id);
}

export const ATTEMPT = 1;

/** True for a failure that says that there is no place to write, or none any more. */
export function isPlaceless(error: unknown): error is Failure {
  return error instanceof Failure && PLACELESS.has(error.kind);
}

const PLACELESS: ReadonlySet<string> = new Set(['gone', 'undeliverable', 'rejected']);
