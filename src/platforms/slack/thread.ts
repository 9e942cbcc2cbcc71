/** The thread an answer belongs to: opening the one of an `/ask`, and reading what was said in it before. */
import type { ConversationsHistoryResponse } from '@slack/web-api';
import { idFrom } from '../../core/ids.ts';
import type { ThreadPart } from '../../core/ports.ts';
import type { MessageRef, Person, Question, ThreadRef, Turn } from '../../core/types.ts';
import { slackMarkdown } from '../../markdown/dialects.ts';
import { escapeText, plain } from '../../markdown/text.ts';
import { contextBlock, type MessageContent, markdownBlock } from './blocks.ts';
import { decodeText, questionText } from './decode-text.ts';
import { findOwn, metadataOf } from './find-messages.ts';
import type { Names } from './names.ts';
import { postMessage, postOnce } from './post-message.ts';
import { SPOKEN_SUBTYPES } from './questions.ts';
import { readMessage } from './read-message.ts';
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
/** Pages of a thread run from the oldest on. No answer waits for more than these. */
const MAX_PAGES = 5;
/** So many of the newest count, beside the first. */
const NEWEST = 200;

/** What was said in the question's thread, as `Platform.readThread`; for a direct message outside threads, beside the threads. */
export async function readThread(
  workspace: SlackWorkspace,
  question: Question,
  since: number | null,
  signal: AbortSignal,
): Promise<ThreadPart> {
  const { message, trigger, askedAt } = question;
  // A button and a shortcut are about a message that is older than they are.
  const isSaid = trigger !== 'button' && trigger !== 'shortcut';
  const end = isSaid && message ? Number(message.message) : Number.POSITIVE_INFINITY;
  try {
    const { messages, isComplete } = await readMessages(workspace, question, since, signal);
    const turns = messages
      .filter(({ subtype }) => SPOKEN_SUBTYPES.has(subtype) || OVERHEARD_SUBTYPES.has(subtype))
      .filter(({ ts }) => ts !== message?.message && Number(ts) < end)
      .map((entry) => toTurn(entry, workspace, question.channel))
      .filter(({ text, quotes, attachments }) => text !== '' || quotes || attachments)
      .filter(({ at }) => at >= (since ?? 0) && at <= askedAt);
    const kept = turns.length > NEWEST ? [...turns.slice(0, 1), ...turns.slice(-NEWEST)] : turns;
    return { turns: kept, isCut: !isComplete || kept.length < turns.length };
  } catch (error) {
    workspace.log.debug({ err: error }, 'could not read the thread');
    return { turns: [], isCut: false };
  }
}

async function readMessages(
  { client, limits }: SlackWorkspace,
  { thread, message, trigger }: Question,
  since: number | null,
  signal: AbortSignal,
): Promise<{ readonly messages: readonly Message[]; readonly isComplete: boolean }> {
  if (thread === null) return { messages: [], isComplete: true };
  const { channel, thread: ts } = thread;
  const isTopLevel = trigger === 'dm' && ts === message?.message;
  const method = isTopLevel ? 'conversations.history' : 'conversations.replies';
  const read: Message[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < MAX_PAGES && !signal.aborted; pages++) {
    if (limits.of(method).free() === 0) break;
    const oldest = since === null ? {} : { oldest: String((since - 1) / 1000) };
    const args = { channel, limit: PAGE_SIZE, ...oldest, ...(cursor && { cursor }) };
    const page: ConversationsHistoryResponse = await limits.call(
      method,
      () => (isTopLevel ? client.conversations.history(args) : client.conversations.replies({ ...args, ts })),
      'progress',
    );
    read.push(...(page.messages ?? []));
    cursor = page.response_metadata?.next_cursor;
    // The newest of a channel come first, of a thread the oldest.
    if (!cursor) return { messages: isTopLevel ? read.reverse() : read, isComplete: true };
  }
  return { messages: isTopLevel ? read.reverse() : read, isComplete: false };
}

function toTurn(message: Message, { self, names }: SlackWorkspace, channel: string): Turn {
  const at = Math.round(Number(message.ts) * 1000);
  const id = idFrom('slack', self.team, channel, message.ts ?? '');
  if (message.user === self.user || message.bot_id === self.bot) {
    return {
      id,
      role: 'assistant',
      author: null,
      text: decodeText(message.text ?? '', { self, names }).trim(),
      at,
    };
  }
  const { text, quotes, attachments } = readMessage(message, { self, names }, questionText);
  const beside = { ...(quotes.length > 0 && { quotes }), ...(attachments.length > 0 && { attachments }) };
  return { id, role: 'user', author: authorOf(message, names), text, ...beside, at };
}

/** Bots say their name; that of a person may have to be looked up. */
function authorOf({ bot_id, username, bot_profile, user }: Message, names: Names): Person | null {
  if (bot_id) return { id: bot_id, name: `${username || bot_profile?.name || 'an app'} (bot)` };
  return user ? { id: user, name: names.known(user) } : null;
}
