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
  /** Takes down what is shown and Slack has not taken down by itself; resolves when nothing is under way any more. */
  clear(): Promise<void>;
}

/** What Slack itself knows of an answer's state. */
export interface Progress {
  /** The thread's agent session is `processing`: Slack shows its own button to stop it. */
  isSessionBusy: boolean;
  /** The line that stands under the thread: Slack takes it down when a message is sent after it. Null when none stands there. */
  line: object | null;
}

/** The assistant status of a thread, or 👀 on the question where that is not to be had. */
export function createStatus(
  desk: Desk,
  thread: ThreadRef,
  question: MessageRef | null,
  progress: Progress,
): Status {
  const eyes = createEyes(desk, question);
  let shown = '';
  let shownAt = 0;
  let hasEyes = false;
  let work: Promise<void> = Promise.resolve();
  const put = async (text: string): Promise<void> => {
    if (!progress.isSessionBusy) progress.isSessionBusy = await setSession(desk, thread, true);
    progress.line = null;
    try {
      hasEyes ||= desk.latches.noStatus || !(await setStatus(desk, thread, text));
    } finally {
      // A new one each time: whoever sends a message meanwhile does not know whether it came before.
      progress.line = hasEyes ? null : {};
    }
    if (hasEyes) await eyes(true);
  };
  const takeDown = async (): Promise<void> => {
    if (progress.isSessionBusy) await setSession(desk, thread, false);
    progress.isSessionBusy = false;
    if (hasEyes) await eyes(false);
    else if (progress.line !== null) await setStatus(desk, thread, '');
  };
  const enqueue = (text: string): void => {
    shown = text;
    shownAt = performance.now();
    work = work
      .then(() => (text === '' ? takeDown() : put(text)))
      .catch((error: unknown) => desk.log.debug({ err: error }, 'could not show the status'));
  };
  return {
    show(text) {
      const wanted = text.slice(0, STATUS_LIMIT);
      if (wanted === '' || (wanted === shown && performance.now() - shownAt <= REFRESH_MS)) return;
      enqueue(wanted);
    },
    async clear() {
      if (shown !== '') enqueue('');
      await work;
    },
  };
}

/** False where Slack does not take a status: in this thread, or (remembered) in this workspace. */
async function setStatus(desk: Desk, thread: ThreadRef, status: string): Promise<boolean> {
  if (!desk.budgets.of('assistant.threads.setStatus').tryAcquire('progress')) return true;
  try {
    const args = { channel_id: thread.channel, thread_ts: thread.thread, status };
    await send(desk, 'assistant.threads.setStatus', args, true);
    return true;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    desk.latches.noStatus ||= UNAVAILABLE.has(error.code ?? '');
    if (desk.latches.noStatus || error.kind === 'rejected') return false;
    throw error;
  }
}

/** False where Slack has no agent sessions, which is remembered, or no budget for one now. */
async function setSession(desk: Desk, thread: ThreadRef, isBusy: boolean): Promise<boolean> {
  const method = 'agents.sessions.setStatus';
  if (desk.latches.noSessions || !desk.budgets.of(method).tryAcquire('progress')) return false;
  try {
    const status = isBusy ? 'processing' : 'active';
    await send(desk, method, { channel_id: thread.channel, thread_ts: thread.thread, status }, true);
    return true;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    desk.latches.noSessions ||= UNAVAILABLE.has(error.code ?? '');
    desk.log.debug({ err: error }, 'no agent session');
    return false;
  }
}

/** Sets and removes 👀, each once. */
function createEyes(desk: Desk, question: MessageRef | null): (isWanted: boolean) => Promise<void> {
  let isOpen = false;
  return async (isWanted) => {
    if (question === null || isWanted === isOpen) return;
    const method = isWanted ? 'reactions.add' : 'reactions.remove';
    if (isWanted && !desk.budgets.of(method).tryAcquire('progress')) return;
    isOpen = isWanted;
    const args = { channel: question.channel, timestamp: question.message, name: EYES };
    await send(desk, method, args, isWanted);
  };
}
