/** The thread an answer belongs to: opening the one of an `/ask`, and reading what was said in it before. */
import type { ConversationsHistoryResponse } from '@slack/web-api';
import type { MessageRef, Person, Question, ThreadRef, Turn } from '../../core/types.ts';
import { slackMarkdown } from '../../markdown/dialects.ts';
import { escapeText, plain } from '../../markdown/text.ts';
import { contextBlock, type MessageContent, markdownBlock } from './blocks.ts';
import { decodeText, questionText } from './decode-text.ts';
import { findOwn, metadataOf } from './find-messages.ts';
import type { Names } from './names.ts';
import { postMessage, postOnce } from './post-message.ts';
import { SPOKEN_SUBTYPES } from './questions.ts';
import { allWords, readMessage } from './read-message.ts';
import type { SlackWorkspace } from './workspace.ts';

/** Escaping makes text longer, and a `markdown` block holds 12,000 characters. */
const QUESTION_LIMIT = 4_000;

/**
 * The thread to answer in. An `/ask` has none: a message with the question becomes its root, once, also over several attempts.
 * `recorded`: the root that an earlier attempt has recorded. @throws {Failure} `undeliverable` when we may not post there
 */
export async function openThread(
  slack: SlackWorkspace,
  question: Question,
  isRepeat: boolean,
  recorded?: MessageRef,
): Promise<ThreadRef> {
  if (question.thread !== null) return question.thread;
  const { platform, workspace, channel } = question;
  const place = { channel, thread: null };
  const message = { channel, metadata: metadataOf('question', question), ...rootContent(question) };
  const find = async () => (await findOwn(slack, question, 'question', place))?.[0]?.ts ?? null;
  const thread =
    recorded?.message ?? (await postOnce(slack, isRepeat, find, () => postMessage(slack, message)));
  return { platform, workspace, channel, thread };
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

/** What others have said that asks nothing: apps, and what Slack keeps of a comment on a file. */
const OVERHEARD_SUBTYPES: ReadonlySet<unknown> = new Set([
  'bot_message',
  'slackbot_response',
  'file_comment',
]);
/** Slack's maximum; where it restricts an app to 15 messages a call, it gives 15 whatever is asked for. */
const PAGE_SIZE = 999;
/** Pages run from the oldest on. No answer waits for more than these. */
const MAX_PAGES = 5;
/** Of a thread longer than a page, so many of the newest count beside the root. */
const NEWEST = 100;

/**
 * What was said in the question's thread before it, oldest first. Empty when there is nothing, or when it
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
    const all = await readMessages(workspace, thread);
    const messages = all.length > PAGE_SIZE ? [...all.slice(0, 1), ...all.slice(-NEWEST)] : all;
    const before = message === null ? Number.POSITIVE_INFINITY : Number(message.message);
    const isShortcut = question.trigger === 'shortcut';
    return messages
      .filter(({ ts }) => Number(ts) < before || (isShortcut && Number(ts) > before))
      .filter(({ subtype }) => SPOKEN_SUBTYPES.has(subtype) || OVERHEARD_SUBTYPES.has(subtype))
      .map((entry) => toTurn(entry, workspace))
      .filter(({ text }) => text !== '');
  } catch (error) {
    workspace.log.debug({ err: error }, 'could not read the thread');
    return [];
  }
}

async function readMessages(
  { client, limits }: SlackWorkspace,
  { channel, thread: ts }: ThreadRef,
): Promise<readonly Message[]> {
  const method = 'conversations.replies';
  const read: Message[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    if (limits.of(method).free() === 0) break;
    const args = { channel, ts, limit: PAGE_SIZE, ...(cursor && { cursor }) };
    const page = await limits.call(method, () => client.conversations.replies(args), 'progress');
    read.push(...(page.messages ?? []));
    cursor = page.response_metadata?.next_cursor;
    if (!cursor) break;
  }
  return read;
}

function toTurn(message: Message, { self, names }: SlackWorkspace): Turn {
  const at = Math.round(Number(message.ts) * 1000);
  if (message.user === self.user || message.bot_id === self.bot) {
    return {
      role: 'assistant',
      author: null,
      text: decodeText(message.text ?? '', { self, names }).trim(),
      at,
    };
  }
  const read = readMessage(message, { self, names }, questionText);
  const attachments = [...read.attachments, ...read.quotes.flatMap((quote) => quote.attachments)];
  const author = authorOf(message, names);
  return { role: 'user', author, text: allWords(read), ...(attachments.length > 0 && { attachments }), at };
}

/** Bots say their name; that of a person may have to be looked up. */
function authorOf({ bot_id, username, bot_profile, user }: Message, names: Names): Person | null {
  if (bot_id) return { id: bot_id, name: `${username || bot_profile?.name || 'an app'} (bot)` };
  return user ? { id: user, name: names.known(user) } : null;
}
