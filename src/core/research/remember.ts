import { recallThread } from '../answering/history.ts';
import { questionTurn } from '../answering/prompt.ts';
import type { Job } from '../ports.ts';
import type { Turn } from '../types.ts';
import { questionInThread, type ResearchDeps } from './step.ts';

/** A job of the queue `answer` that appends a report to its thread's history, in order, as each history has one writer. */
export interface RememberJob {
  /** The id of the research job. */
  readonly remember: string;
}

/** Appends a whole report to its thread's history; the prompt bounds how much of it goes to the model. */
export async function rememberReport(
  { researches, history, platforms }: Pick<ResearchDeps, 'researches' | 'history' | 'platforms'>,
  { data, signal }: Job<RememberJob>,
): Promise<void> {
  const record = await researches.find(data.remember);
  if (record?.ending?.outcome !== 'done') return;
  const question = questionInThread(record);
  const platform = platforms.get(question.platform);
  if (!question.thread || !platform) return;
  const { backfill } = await recallThread({ history, platform }, question, signal);
  const { text } = record.ending.report;
  const reported: Turn = { role: 'assistant', author: null, text, at: record.endedAt ?? Date.now() };
  await history.append(question.thread, question.id, [...backfill, questionTurn(question), reported], false);
}
