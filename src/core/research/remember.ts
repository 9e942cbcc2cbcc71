import { type History, recallThread } from '../answering/history.ts';
import { questionText } from '../answering/prompt.ts';
import type { Job, Platform } from '../ports.ts';
import type { PlatformName, Turn } from '../types.ts';
import type { Researches } from './ports.ts';
import { questionInThread } from './step.ts';

/**
 * What the queue `answer` carries besides questions: a report to be remembered, in the thread's own order, since a thread's
 * history has one writer at a time.
 */
export interface RememberJob {
  /** The id of the research job. */
  readonly remember: string;
}

export interface RememberingDeps {
  readonly researches: Researches;
  readonly history: History;
  readonly platforms: ReadonlyMap<PlatformName, Platform>;
}

/** Remembers a report as a turn of its thread, whole: what the model gets to see of it is bounded when a question is composed. */
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
