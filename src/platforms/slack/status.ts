import { Failure } from '../../core/failures.ts';
import type { MessageRef, ThreadRef } from '../../core/types.ts';
import type { SlackClient } from './client.ts';
import type { LimitedMethod } from './limits.ts';
import type { SlackWorkspace } from './workspace.ts';

/** Slack takes a status down by itself after two minutes. */
const REFRESH_MS = 100_000;
const SESSION = 'agents.sessions.setStatus';
const EYES = 'eyes';
/** Slack's limit is not published; a status is a few words. */
const STATUS_LIMIT = 100;
const UNSUPPORTED = new Set(['missing_scope', 'unknown_method', 'feature_not_enabled', 'feature_disabled']);

/**
 * What Slack itself shows of an answer while nothing is written yet, or no stream tells it. Cosmetic: nothing here throws, and
 * `show` is not waited for.
 */
export interface Status {
  readonly session: Session;
  /** The status under the thread; Slack takes it down when a message is sent after it. Null when there is none. */
  line: object | null;
  show(text: string): void;
  /** Takes down what Slack has not taken down by itself; resolves when no call is under way any more. */
  clear(): Promise<void>;
}

/** The thread's agent session. While it is `processing`, Slack shows its own button to stop it. */
interface Session {
  isBusy: boolean;
  /** Does nothing where Slack has no sessions, which is remembered, or when the rate limit is used up. */
  begin(): Promise<void>;
  end(): Promise<void>;
  /** It has ended with the answer's last stream. */
  endedByStream(): void;
}

/** The assistant status of a thread, or 👀 on the question where Slack has no status. */
export function createStatus(
  workspace: SlackWorkspace,
  thread: ThreadRef,
  question: MessageRef | null,
): Status {
  const session = createSession(workspace, thread);
  let shown = '';
  let shownAt = 0;
  /** Slack has no status here. */
  let isPlain = false;
  let hasEyes = false;
  let work: Promise<void> = Promise.resolve();
  const put = async (text: string): Promise<void> => {
    await session.begin();
    status.line = null;
    isPlain ||= !(await setStatus(workspace, thread, text));
    // A new object each time: a message sent meanwhile may have come before this status or after it.
    status.line = isPlain ? null : {};
    if (!isPlain || hasEyes || !question) return;
    hasEyes = true; // also if it fails: it may have been added
    hasEyes = await setReaction(workspace, question, EYES, true);
  };
  const takeDown = async (): Promise<void> => {
    await session.end();
    if (status.line !== null) await setStatus(workspace, thread, '');
    if (hasEyes && question) await setReaction(workspace, question, EYES, false);
    hasEyes = false;
  };
  const enqueue = (text: string): void => {
    shown = text;
    shownAt = performance.now();
    work = work
      .then(() => (text === '' ? takeDown() : put(text)))
      .catch((error: unknown) => workspace.log.debug({ err: error }, 'could not show the status'));
  };
  const status: Status = {
    session,
    line: null,
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
  return status;
}

/** False where Slack takes no status: in this thread, or (remembered) in this workspace. */
async function setStatus(workspace: SlackWorkspace, { channel, thread }: ThreadRef, status: string) {
  if (workspace.unsupported.status) return false;
  const args = { channel_id: channel, thread_ts: thread, status };
  const result = await tryCall(workspace, 'assistant.threads.setStatus', 'status', ({ assistant }) =>
    assistant.threads.setStatus(args),
  );
  return result !== 'refused';
}

function createSession(workspace: SlackWorkspace, { channel, thread }: ThreadRef): Session {
  const { client, limits, unsupported, log } = workspace;
  const limiter = limits.of(SESSION);
  const args = { channel_id: channel, thread_ts: thread };
  const session: Session = {
    isBusy: false,
    async begin() {
      // None is begun that could not be ended: `processing` offers a Stop button, also for an answer that is over.
      if (session.isBusy || unsupported.sessions || !limiter.reserve()) return;
      const result = await tryCall(workspace, SESSION, 'sessions', ({ agents }) =>
        agents.sessions.setStatus({ ...args, status: 'processing' }),
      );
      session.isBusy = result === 'done';
      if (!session.isBusy) limiter.release();
    },
    async end() {
      if (!session.isBusy) return;
      session.isBusy = false;
      await limits
        .call(SESSION, () => client.agents.sessions.setStatus({ ...args, status: 'active' }))
        .catch((error: unknown) => log.debug({ err: error }, 'could not end an agent session'));
    },
    endedByStream() {
      session.isBusy = false;
      limiter.release();
    },
  };
  return session;
}

/** Makes a call now or, when its rate limit is used up, not at all; remembers features that Slack does not have here. */
async function tryCall(
  { client, limits, unsupported, log }: SlackWorkspace,
  method: LimitedMethod,
  feature: 'status' | 'sessions',
  run: (client: SlackClient) => Promise<unknown>,
): Promise<'done' | 'skipped' | 'refused'> {
  if (!limits.of(method).tryAcquire('progress')) return 'skipped';
  try {
    await limits.call(method, () => run(client), true);
    return 'done';
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    log.debug({ err: error }, 'Slack shows no progress');
    unsupported[feature] ||= UNSUPPORTED.has(error.code ?? '');
    return unsupported[feature] || error.kind === 'rejected' ? 'refused' : 'skipped';
  }
}

/**
 * Adds or removes a reaction. When the rate limit is used up, it is not added, which is false then; but once there it must not
 * stay. @throws {Failure}
 */
export async function setReaction(
  { client, limits }: SlackWorkspace,
  { channel, message: timestamp }: MessageRef,
  name: string,
  isWanted: boolean,
): Promise<boolean> {
  const args = { channel, timestamp, name };
  if (isWanted && !limits.of('reactions.add').tryAcquire('progress')) return false;
  if (isWanted) await limits.call('reactions.add', () => client.reactions.add(args), true);
  else await limits.call('reactions.remove', () => client.reactions.remove(args));
  return true;
}
