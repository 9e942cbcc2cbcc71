import { Failure } from '../../core/failures.ts';
import type { MessageRef, ThreadRef } from '../../core/types.ts';
import type { SlackWorkspace } from './workspace.ts';

/** Slack takes a status down by itself after two minutes. */
const REFRESH_MS = 100_000;
const EYES = 'eyes';
/** Slack's limit is not published; a status is a few words. */
const STATUS_LIMIT = 100;
const UNSUPPORTED = new Set(['missing_scope', 'unknown_method', 'feature_not_enabled', 'feature_disabled']);

/** The status under a thread while nothing is written yet. Cosmetic: nothing here throws, and `show` is not waited for. */
export interface Status {
  show(text: string): void;
  /** Takes down what Slack has not taken down by itself; resolves when no call is under way any more. */
  clear(): Promise<void>;
}

/** What Slack itself knows about the state of an answer. */
export interface Progress {
  /** The thread's agent session is `processing`: Slack shows its own button to stop it. */
  isSessionBusy: boolean;
  /** The status under the thread; Slack takes it down when a message is sent after it. Null when there is none. */
  line: object | null;
}

/** The assistant status of a thread, or 👀 on the question where Slack has no status. */
export function createStatus(
  workspace: SlackWorkspace,
  thread: ThreadRef,
  question: MessageRef | null,
  progress: Progress,
): Status {
  const setEyes = createEyes(workspace, question);
  let shown = '';
  let shownAt = 0;
  let hasEyes = false;
  let work: Promise<void> = Promise.resolve();
  const put = async (text: string): Promise<void> => {
    if (!progress.isSessionBusy) progress.isSessionBusy = await setSession(workspace, thread, true);
    progress.line = null;
    try {
      hasEyes ||= workspace.unsupported.status || !(await setStatus(workspace, thread, text));
    } finally {
      // A new object each time: a message sent meanwhile may have come before this status or after it.
      progress.line = hasEyes ? null : {};
    }
    if (hasEyes) await setEyes(true);
  };
  const takeDown = async (): Promise<void> => {
    if (progress.isSessionBusy) await setSession(workspace, thread, false);
    progress.isSessionBusy = false;
    if (hasEyes) await setEyes(false);
    else if (progress.line !== null) await setStatus(workspace, thread, '');
  };
  const enqueue = (text: string): void => {
    shown = text;
    shownAt = performance.now();
    work = work
      .then(() => (text === '' ? takeDown() : put(text)))
      .catch((error: unknown) => workspace.log.debug({ err: error }, 'could not show the status'));
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

/** False where Slack takes no status: in this thread, or (remembered) in this workspace. */
async function setStatus(
  { client, limits, unsupported }: SlackWorkspace,
  { channel, thread }: ThreadRef,
  status: string,
): Promise<boolean> {
  const method = 'assistant.threads.setStatus';
  if (!limits.of(method).tryAcquire('progress')) return true;
  const args = { channel_id: channel, thread_ts: thread, status };
  try {
    await limits.call(method, () => client.assistant.threads.setStatus(args), true);
    return true;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    unsupported.status ||= UNSUPPORTED.has(error.code ?? '');
    if (unsupported.status || error.kind === 'rejected') return false;
    throw error;
  }
}

/** False where Slack has no agent sessions, which is remembered, or when the rate limit is used up. */
async function setSession(
  { client, limits, unsupported, log }: SlackWorkspace,
  { channel, thread }: ThreadRef,
  isBusy: boolean,
): Promise<boolean> {
  const method = 'agents.sessions.setStatus';
  if (unsupported.sessions || !limits.of(method).tryAcquire('progress')) return false;
  const args = { channel_id: channel, thread_ts: thread, status: isBusy ? 'processing' : 'active' };
  try {
    await limits.call(method, () => client.agents.sessions.setStatus(args), true);
    return true;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    unsupported.sessions ||= UNSUPPORTED.has(error.code ?? '');
    log.debug({ err: error }, 'no agent session');
    return false;
  }
}

/** Sets and removes 👀, each once. */
function createEyes(
  { client, limits }: SlackWorkspace,
  question: MessageRef | null,
): (isWanted: boolean) => Promise<void> {
  let isSet = false;
  return async (isWanted) => {
    if (question === null || isWanted === isSet) return;
    const args = { channel: question.channel, timestamp: question.message, name: EYES };
    if (isWanted) {
      if (!limits.of('reactions.add').tryAcquire('progress')) return;
      isSet = true;
      await limits.call('reactions.add', () => client.reactions.add(args), true);
    } else {
      isSet = false;
      await limits.call('reactions.remove', () => client.reactions.remove(args));
    }
  };
}
