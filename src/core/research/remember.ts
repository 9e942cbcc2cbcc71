import { type History, recallThread } from '../answering/history.ts';
import { questionText } from '../answering/prompt.ts';
import type { Job, Platform } from '../ports.ts';
import type { PlatformName, Turn } from '../types.ts';
import type { Researches } from './ports.ts';
import { questionInThread } from './step.ts';

/** A job of the queue `answer` that appends a report to its thread's history, in order, as each history has one writer. */
export interface RememberJob {
  /** The id of the research job. */
  readonly remember: string;
}

export interface RememberingDeps {
  readonly researches: Researches;
  readonly history: History;
  readonly platforms: ReadonlyMap<PlatformName, Platform>;
}

/** Appends a whole report to its thread's history; the prompt bounds how much of it goes to the model. */
export async function rememberReport(
  { researches, history, platforms }: RememberingDeps,
  { data, signal }: Job<RememberJob>,
): Promise<void> {
  const record = await researches.find(data.remember);
  if (record?.ending?.outcome !== 'done') return;
  const question = questionInThread(record);
  const platform = platforms.get(question.platform);
  if (!question.thread || !platform) return;
  const { backfill } = await recallThread({ history, platform }, question, signal);
  const asked: Turn = {
    role: 'user',
    author: question.asker,
    text: questionText(question),
    at: question.askedAt,
  };
  const reported: Turn = {
    role: 'assistant',
    author: null,
    text: record.ending.report.text,
    at: record.endedAt ?? Date.now(),
  };
  await history.append(question.thread, question.id, [...backfill, asked, reported], false);
}
