import { Failure } from '../../core/failures.ts';
import type { MessageRef, ThreadRef } from '../../core/types.ts';
import { type Desk, send } from './desk.ts';

/** Slack takes a status down by itself after two minutes. */
const REFRESH_MS = 100_000;
const EYES = 'eyes';
/** Slack's limit is not published; a status is a few words. */
const STATUS_LIMIT = 100;
const UNAVAILABLE = new Set(['missing_scope', 'unknown_method', 'feature_not_enabled', 'feature_disabled']);

/** What stands at the bottom of a thread while nothing is written yet. Cosmetic: nothing here throws or is waited for. */
export interface Status {
  show(text: string): void;
  /** Takes down what is shown; resolves when nothing is under way any more. */
  clear(): Promise<void>;
}

/** The assistant status of a thread, or 👀 on the question where that is not to be had. */
export function createStatus(desk: Desk, thread: ThreadRef, question: MessageRef | null): Status {
  let shown = '';
  let shownAt = 0;
  let hasEyes = false;
  let work: Promise<void> = Promise.resolve();
  const react = async (method: 'reactions.add' | 'reactions.remove'): Promise<void> => {
    if (question === null) return;
    await send(desk, method, { channel: question.channel, timestamp: question.message, name: EYES }, true);
  };
  const write = async (text: string): Promise<void> => {
    if (!desk.latches.noStatus) {
      const args = { channel_id: thread.channel, thread_ts: thread.thread, status: text };
      try {
        return void (await send(desk, 'assistant.threads.setStatus', args, true));
      } catch (error) {
        desk.latches.noStatus = error instanceof Failure && UNAVAILABLE.has(error.code ?? '');
        if (!desk.latches.noStatus) throw error;
      }
    }
    const wantsEyes = text !== '';
    if (wantsEyes === hasEyes) return;
    hasEyes = wantsEyes;
    if (desk.budgets.of(wantsEyes ? 'reactions.add' : 'reactions.remove').tryTake('progress')) {
      await react(wantsEyes ? 'reactions.add' : 'reactions.remove');
    }
  };
  const enqueue = (text: string): void => {
    if (!desk.budgets.of('assistant.threads.setStatus').tryTake('progress')) return;
    shown = text;
    shownAt = performance.now();
    work = work
      .then(() => write(text))
      .catch((error: unknown) => desk.log.debug({ err: error }, 'could not show the status'));
  };
  return {
    show(text) {
      const wanted = text.slice(0, STATUS_LIMIT);
      if (wanted !== '' && (wanted !== shown || performance.now() - shownAt > REFRESH_MS)) enqueue(wanted);
    },
    async clear() {
      if (shown !== '') enqueue('');
      await work;
    },
  };
}
