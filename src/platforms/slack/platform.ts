import { Failure } from '../../core/failures.ts';
import type { FileFetcher, Log } from '../../core/ports.ts';
import type { ResearchPlatform } from '../../core/research/ports.ts';
import { isRetryable } from '../../core/retry.ts';
import type { Question } from '../../core/types.ts';
import { escapeMrkdwn } from './decode-text.ts';
import { NOTICE_METADATA } from './find-messages.ts';
import { openDirectMessages, postMessage, UNPARSED } from './post-message.ts';
import { createReply } from './reply.ts';
import { showCard } from './research-card.ts';
import { notify } from './research-notification.ts';
import { setReaction } from './status.ts';
import { readThread } from './thread.ts';
import { callWithRetry, type SlackWorkspace } from './workspace.ts';

const WAITING = 'clock1';
const READ = '+1';
/** Slack cuts an ephemeral text at 40,000 characters; ours are a few sentences. */
const PRIVATE_LIMIT = 3_000;
const RESPOND_TIMEOUT_MS = 5_000;

/** The outbound side of Slack. There is one workspace: see `createApp`. */
export function createSlackPlatform(workspace: SlackWorkspace, fetchFile: FileFetcher): ResearchPlatform {
  return {
    name: 'slack',
    reply: (question, start) => createReply(workspace, question, start),
    markWaiting: (question, waiting) => markWaiting(workspace, question, waiting),
    acknowledge: (question) => acknowledge(workspace, question),
    replyPrivately: (question, text) => replyPrivately(workspace, question, text.slice(0, PRIVATE_LIMIT)),
    directMessage: (_, person, text) => sendDirectMessage(workspace, person, text),
    nameOf: (_, person) => workspace.names.lookUp(person),
    readThread: (question, since, signal) => readThread(workspace, question, since, signal),
    fetchFile,
    showCard: (card) => showCard(workspace, card),
    notify: (notice) => notify(workspace, notice),
  };
}

async function acknowledge(workspace: SlackWorkspace, { message }: Question): Promise<void> {
  try {
    if (message) await setReaction(workspace, message, READ, true);
  } catch (error) {
    workspace.log.debug({ err: error }, 'could not acknowledge a message');
  }
}

async function markWaiting(
  workspace: SlackWorkspace,
  { message }: Question,
  isWaiting: boolean,
): Promise<void> {
  try {
    if (message) await setReaction(workspace, message, WAITING, isWaiting);
  } catch (error) {
    workspace.log.debug({ err: error, isWaiting }, 'could not mark a waiting question');
  }
}

async function replyPrivately(workspace: SlackWorkspace, question: Question, text: string): Promise<void> {
  // Only a response_url reaches somebody who has asked where the bot is no member.
  if (await respondPrivately(question.delivery.responseUrl ?? null, text, workspace.log)) return;
  const channel = question.thread?.channel ?? question.channel;
  const thread = question.thread === null ? {} : { thread_ts: question.thread.thread };
  // Slack shows nobody an ephemeral message in a thread without replies.
  const isRoot = question.thread?.thread === question.message?.message;
  const message = { channel, text: escapeMrkdwn(text) };
  const ephemeral = { ...message, ...(isRoot ? {} : thread), user: question.asker.id, ...UNPARSED };
  const isTold =
    (await unlessRefused(workspace, () =>
      callWithRetry(workspace, 'chat.postEphemeral', ({ chat }) => chat.postEphemeral(ephemeral)),
    )) ||
    (await unlessRefused(workspace, () =>
      postMessage(workspace, { ...message, ...thread, metadata: NOTICE_METADATA }),
    ));
  // Where the bot may not write, there is no other way.
  if (!isTold) workspace.log.info({ question: question.id }, 'the asker cannot be told');
}

/** False when Slack refuses a call for good. @throws {Failure} when another try may help */
async function unlessRefused({ log }: SlackWorkspace, call: () => Promise<unknown>): Promise<boolean> {
  try {
    await call();
    return true;
  } catch (error) {
    if (!(error instanceof Failure) || isRetryable(error)) throw error;
    log.debug({ err: error }, 'could not tell the asker in this way');
    return false;
  }
}

/**
 * Tells one person something through an interaction's `response_url` (usable 5 times within 30 minutes). False when it
 * could not be said; never throws. The text is escaped here; `markdown` is shown in its place and is taken as it is.
 */
export async function respondPrivately(
  url: string | null,
  text: string,
  log: Log,
  markdown: string | null = null,
): Promise<boolean> {
  if (url === null) return false;
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        response_type: 'ephemeral',
        replace_original: false,
        text: escapeMrkdwn(text),
        ...(markdown !== null && { blocks: [{ type: 'markdown', text: markdown }] }),
      }),
      signal: AbortSignal.timeout(RESPOND_TIMEOUT_MS),
    });
    await response.body?.cancel();
    return response.ok;
  } catch (error) {
    log.debug({ err: error }, 'could not use a response_url');
    return false;
  }
}

/** @throws {Failure} `undeliverable` when the person takes no direct messages */
async function sendDirectMessage(workspace: SlackWorkspace, person: string, text: string): Promise<void> {
  const channel = await openDirectMessages(workspace, person);
  await postMessage(workspace, { channel, text: escapeMrkdwn(text), metadata: NOTICE_METADATA });
}
