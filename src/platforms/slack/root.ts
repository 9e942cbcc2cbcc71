import type { ReplyStart } from '../../core/ports.ts';
import type { Question, ThreadRef } from '../../core/types.ts';
import { slackMarkdown } from '../../markdown/dialects.ts';
import { escapeText, plain } from '../../markdown/text.ts';
import type { Desk } from './desk.ts';
import { findRoot, rootMetadata } from './lookup.ts';
import { post, postOnce } from './posting.ts';

/** Escaping makes text longer; 12,000 is what a markdown block may hold. */
const QUESTION_LIMIT = 4_000;

/** The thread to answer in, and the start of an answer that has only its own messages among the recorded ones. */
interface Opening {
  readonly thread: ThreadRef;
  readonly start: ReplyStart;
}

/**
 * The thread to answer in. `/ask` has none: a message with the question becomes its root, once, also across attempts. It is
 * recorded as the first of the answer's messages: where we may not read the channel, nothing else tells of it.
 * @throws {Failure} of kind `undeliverable` when there is no posting in that channel.
 */
export async function openThread(desk: Desk, question: Question, start: ReplyStart): Promise<Opening> {
  if (question.thread !== null) return { thread: question.thread, start };
  const { platform, workspace, channel } = question;
  const recorded = start.messages[0]?.message;
  const thread = recorded ?? (await postRoot(desk, question, start.attempt));
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

async function postRoot(desk: Desk, question: Question, attempt: number): Promise<string> {
  return postOnce(desk, {
    mayStand: attempt > 1,
    find: () => findRoot(desk, question),
    write: () =>
      post(desk, { channel: question.channel, ...rootContent(question), metadata: rootMetadata(question) }),
  });
}

function rootContent({ asker, text }: Question): {
  readonly text: string;
  readonly blocks: readonly object[];
} {
  const cut = text.length > QUESTION_LIMIT ? `${text.slice(0, QUESTION_LIMIT)}…` : text;
  const quoted = escapeText(slackMarkdown, cut)
    .split('\n')
    .map((line) => `> ${line}`)
    .join('\n');
  return {
    text: `Question by <@${asker.id}>: ${plain(cut)}`,
    blocks: [
      { type: 'context', elements: [{ type: 'mrkdwn', text: `Question by <@${asker.id}>` }] },
      { type: 'markdown', text: quoted },
    ],
  };
}
