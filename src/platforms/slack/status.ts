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
 * What Slack itself shows of an answer while nothing is written yet, or no stream tells it: the thread's agent session, with
 * Slack's own button to stop it, and its assistant status, or 👀 on the question where Slack has no status. Cosmetic: nothing
 * here throws, and `show` is not waited for.
 */
export class Status {
  readonly #workspace: SlackWorkspace;
  readonly #place: { readonly channel_id: string; readonly thread_ts: string };
  readonly #question: MessageRef | null;
  #shown = '';
  #shownAt = 0;
  /** Slack has no status here. */
  #isPlain = false;
  #hasEyes = false;
  #work: Promise<void> = Promise.resolve();
  /** The thread's agent session is `processing`. */
  isBusy = false;
  /** The status under the thread; Slack takes it down when a message is sent after it. Null when there is none. */
  line: object | null = null;

  constructor(workspace: SlackWorkspace, { channel, thread }: ThreadRef, question: MessageRef | null) {
    this.#workspace = workspace;
    this.#place = { channel_id: channel, thread_ts: thread };
    this.#question = question;
  }

  show(text: string): void {
    const wanted = text.slice(0, STATUS_LIMIT);
    const isShown = wanted === this.#shown && performance.now() - this.#shownAt <= REFRESH_MS;
    if (wanted !== '' && !isShown) this.#enqueue(wanted);
  }

  /** Takes down what Slack has not taken down by itself; resolves when no call is under way any more. */
  async clear(): Promise<void> {
    if (this.#shown !== '') this.#enqueue('');
    await this.#work;
  }

  /** The session has ended with the answer's last stream. */
  endedByStream(): void {
    this.isBusy = false;
    this.#workspace.limits.of(SESSION).release();
  }

  #enqueue(text: string): void {
    this.#shown = text;
    this.#shownAt = performance.now();
    this.#work = this.#work
      .then(() => (text === '' ? this.#takeDown() : this.#put(text)))
      .catch((error: unknown) => this.#workspace.log.debug({ err: error }, 'could not show the status'));
  }

  async #put(text: string): Promise<void> {
    await this.#beginSession();
    this.line = null;
    this.#isPlain ||= !(await this.#setLine(text));
    // A new object each time: a message sent meanwhile may have come before this status or after it.
    this.line = this.#isPlain ? null : {};
    if (!this.#isPlain || this.#hasEyes || !this.#question) return;
    this.#hasEyes = true; // also if it fails: it may have been added
    this.#hasEyes = await setReaction(this.#workspace, this.#question, EYES, true);
  }

  async #takeDown(): Promise<void> {
    await this.#endSession();
    if (this.line !== null) await this.#setLine('');
    if (this.#hasEyes && this.#question) await setReaction(this.#workspace, this.#question, EYES, false);
    this.#hasEyes = false;
  }

  /** False where Slack takes no status: in this thread, or (remembered) in this workspace. */
  async #setLine(status: string): Promise<boolean> {
    if (this.#workspace.unsupported.status) return false;
    const set = ({ assistant }: SlackClient) => assistant.threads.setStatus({ ...this.#place, status });
    return (await tryCall(this.#workspace, 'assistant.threads.setStatus', 'status', set)) !== 'refused';
  }

  /** Does nothing where Slack has no sessions, which is remembered, or when the rate limit is used up. */
  async #beginSession(): Promise<void> {
    const { limits, unsupported } = this.#workspace;
    // None is begun that could not be ended: `processing` offers a Stop button, also for an answer that is over.
    if (this.isBusy || unsupported.sessions || !limits.of(SESSION).reserve()) return;
    const begin = ({ agents }: SlackClient) =>
      agents.sessions.setStatus({ ...this.#place, status: 'processing' });
    this.isBusy = (await tryCall(this.#workspace, SESSION, 'sessions', begin)) === 'done';
    if (!this.isBusy) limits.of(SESSION).release();
  }

  async #endSession(): Promise<void> {
    if (!this.isBusy) return;
    this.isBusy = false;
    const { client, limits, log } = this.#workspace;
    await limits
      .call(SESSION, () => client.agents.sessions.setStatus({ ...this.#place, status: 'active' }))
      .catch((error: unknown) => log.debug({ err: error }, 'could not end an agent session'));
  }
}

/** Makes a call now or, when its rate limit is used up, not at all; remembers features that Slack does not have here. */
async function tryCall(
  { client, limits, unsupported, log }: SlackWorkspace,
  method: LimitedMethod,
  feature: 'status' | 'sessions',
  run: (client: SlackClient) => Promise<unknown>,
): Promise<'done' | 'skipped' | 'refused'> {
  try {
    await limits.call(method, () => run(client), 'progress');
    return 'done';
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    log.debug({ err: error }, 'Slack shows no progress');
    unsupported[feature] ||= UNSUPPORTED.has(error.code ?? '');
    return unsupported[feature] || error.kind === 'rejected' ? 'refused' : 'skipped';
  }
}

/** Adds a reaction, unless the rate limit is used up, which is false then; or removes it: it must not stay. @throws {Failure} */
export async function setReaction(
  { client, limits }: SlackWorkspace,
  { channel, message: timestamp }: MessageRef,
  name: string,
  isWanted: boolean,
): Promise<boolean> {
  const args = { channel, timestamp, name };
  if (isWanted && limits.of('reactions.add').free() === 0) return false;
  if (isWanted) await limits.call('reactions.add', () => client.reactions.add(args), 'progress');
  else await limits.call('reactions.remove', () => client.reactions.remove(args));
  return true;
}
