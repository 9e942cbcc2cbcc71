/** The thread an answer belongs to: opening the one of an `/ask`, and reading what was said in it before. */
import type { ConversationsHistoryResponse } from '@slack/web-api';
import type { ReplyStart } from '../../core/ports.ts';
import type { Person, Question, ThreadRef, Turn } from '../../core/types.ts';
import { slackMarkdown } from '../../markdown/dialects.ts';
import { escapeText, plain } from '../../markdown/text.ts';
import { contextBlock, type MessageContent, markdownBlock } from './blocks.ts';
import { decodeText, questionText, type SlackSelf } from './decode-text.ts';
import { findOwn, metadataOf } from './find-messages.ts';
import { postMessage, postOnce } from './post-message.ts';
import type { SlackWorkspace } from './workspace.ts';

/** Escaping makes text longer, and a `markdown` block holds 12,000 characters. */
const QUESTION_LIMIT = 4_000;

/**
 * The thread to answer in. An `/ask` has none: a message with the question becomes its root, once, also over several
 * attempts. It is recorded as the first of the answer's messages, because nothing else tells of it where we may not read
 * the channel. The `start` returned has the others of the recorded messages.
 * @throws {Failure} of kind `undeliverable` when we may not post in that channel.
 */
export async function openThread(
  slack: SlackWorkspace,
  question: Question,
  start: ReplyStart,
): Promise<{ readonly thread: ThreadRef; readonly start: ReplyStart }> {
  if (question.thread !== null) return { thread: question.thread, start };
  const { platform, workspace, channel } = question;
  const recorded = start.messages[0]?.message;
  const thread = recorded ?? (await postRoot(slack, question, start.attempt));
  const root = { platform, workspace, channel, message: thread };
  if (recorded === undefined) await start.posted([root]);
  return {
    thread: { platform, workspace, channel, thread },
    start: {
      ...start,
      messages: start.messages.slice(1),
      posted: (messages) => start.posted([root, ...messages]),
    },
  };
}

async function postRoot(workspace: SlackWorkspace, question: Question, attempt: number): Promise<string> {
  const message = {
    channel: question.channel,
    metadata: metadataOf('question', question),
    ...rootContent(question),
  };
  const find = async () =>
    (await findOwn(workspace, question, 'question', { channel: question.channel, thread: null }))?.[0]?.ts ??
    null;
  return postOnce(workspace, attempt > 1, find, () => postMessage(workspace, message));
}

function rootContent({ asker, text }: Question): MessageContent {
  const cut = text.length > QUESTION_LIMIT ? `${text.slice(0, QUESTION_LIMIT)}…` : text;
  const quoted = escapeText(slackMarkdown, cut)
    .split('\n')
    .map((line) => `> ${line}`)
    .join('\n');
  return {
    text: `Question by <@${asker.id}>: ${plain(cut)}`,
    blocks: [contextBlock(`Question by <@${asker.id}>`), markdownBlock(quoted)],
  };
}

/** A message of a thread. The SDK's type for `conversations.replies` lacks `subtype` and `username`, which are the same there. */
type Message = NonNullable<ConversationsHistoryResponse['messages']>[number];

/** One page; where Slack restricts an app to 15 messages a call, it gives 15 whatever is asked for. */
const PAGE_SIZE = 200;
/** Slack's maximum. */
const LARGEST_PAGE = 999;
/** Of a thread longer than a page, about this many of the newest are read beside the root. */
const NEWEST = 100;
const SPOKEN: ReadonlySet<string | undefined> = new Set([
  undefined,
  'file_share',
  'thread_broadcast',
  'bot_message',
]);

/**
 * What was said in the question's thread before it, oldest first; at most two calls. Empty when there is nothing, or when it
 * cannot be read (no history scope, rate limit): the answer does without.
 */
export async function readThread(
  workspace: SlackWorkspace,
  question: Question,
  signal: AbortSignal,
): Promise<readonly Turn[]> {
  const { thread, message } = question;
  if (thread === null || message?.message === thread.thread || signal.aborted) return [];
  try {
    const page = await readPage(workspace, thread.channel, thread.thread, null);
    const root = page[0];
    const isWhole = (root?.reply_count ?? 0) < page.length;
    const messages = isWhole || !root ? page : [root, ...(await readNewest(workspace, thread.channel, root))];
    const before = message === null ? Number.POSITIVE_INFINITY : Number(message.message);
    const isShortcut = question.trigger === 'shortcut';
    return messages
      .filter(({ ts }) => Number(ts) < before || (isShortcut && Number(ts) > before))
      .filter(({ subtype }) => SPOKEN.has(subtype))
      .map((entry) => toTurn(entry, workspace.self))
      .filter(({ text }) => text !== '');
  } catch (error) {
    workspace.log.debug({ err: error }, 'could not read the thread');
    return [];
  }
}

async function readPage(
  { client, limits }: SlackWorkspace,
  channel: string,
  ts: string,
  oldest: string | null,
): Promise<readonly Message[]> {
  const method = 'conversations.replies';
  if (!limits.of(method).tryAcquire('progress')) return [];
  const range = oldest === null ? { limit: PAGE_SIZE } : { limit: LARGEST_PAGE, oldest };
  const args = { channel, ts, ...range };
  const { messages } = await limits.call(method, () => client.conversations.replies(args), true);
  return messages ?? [];
}

/**
 * Pages run from the oldest on, so where the newest begin is estimated from how fast the thread grew. The large page makes
 * up for threads that grew in bursts.
 */
async function readNewest(
  workspace: SlackWorkspace,
  channel: string,
  root: Message,
): Promise<readonly Message[]> {
  const first = Number(root.ts);
  const last = Number(root.latest_reply ?? root.ts);
  const share = Math.min(1, NEWEST / (root.reply_count ?? NEWEST));
  const oldest = (last - (last - first) * share).toFixed(6);
  const page = await readPage(workspace, channel, root.ts ?? '', oldest);
  return page.filter(({ ts }) => ts !== root.ts).slice(-NEWEST);
}

function toTurn(message: Message, self: SlackSelf): Turn {
  const text = message.text ?? '';
  const at = Math.round(Number(message.ts) * 1000);
  if (message.user === self.user || message.bot_id === self.bot) {
    return { role: 'assistant', author: null, text: decodeText(text, self).trim(), at };
  }
  return { role: 'user', author: authorOf(message), text: questionText(text, self), at };
}

/** Bots say their name; of a person only the id is known without a look-up. */
function authorOf({ bot_id, username, bot_profile, user }: Message): Person | null {
  if (bot_id) return { id: bot_id, name: `${username || bot_profile?.name || 'an app'} (bot)` };
  return user ? { id: user, name: null } : null;
}
