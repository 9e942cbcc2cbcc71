import { Failure } from '../../core/failures.ts';
import { retry } from '../../core/retry.ts';
import type { Question, ThreadRef } from '../../core/types.ts';
import { slackMarkdown } from '../../markdown/dialects.ts';
import { escapeText, plain } from '../../markdown/text.ts';
import { type Desk, patience } from './desk.ts';
import { findRoot, rootMetadata } from './lookup.ts';
import { post } from './writing.ts';

/** Escaping makes text longer; 12,000 is what a markdown block may hold. */
const QUESTION_LIMIT = 4_000;

/**
 * The thread to answer in. `/ask` has none: a message with the question becomes its root, once, also across attempts.
 * @throws {Failure} of kind `undeliverable` when there is no posting in that channel.
 */
export async function openThread(desk: Desk, question: Question, attempt: number): Promise<ThreadRef> {
  if (question.thread !== null) return question.thread;
  let mayExist = attempt > 1;
  const thread = await retry(patience(desk), async () => {
    const found = mayExist ? await findRoot(desk, question) : null;
    if (found !== null) return found;
    try {
      return await post(desk, {
        channel: question.channel,
        ...rootContent(question),
        metadata: rootMetadata(question),
      });
    } catch (error) {
      mayExist ||= error instanceof Failure && error.ambiguous;
      throw error;
    }
  });
  const { workspace, channel } = question;
  return { platform: 'slack', workspace, channel, thread };
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
