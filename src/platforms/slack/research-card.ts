import { Failure } from '../../core/failures.ts';
import type { ReplyStart } from '../../core/ports.ts';
import type { ResearchMessages } from '../../core/research/ports.ts';
import type { MessageRef, ThreadRef } from '../../core/types.ts';
import { content, contentWithoutBlocks } from './blocks.ts';
import { type Desk, send, sendSurely } from './desk.ts';
import { findResearch, researchMetadata } from './lookup.ts';
import { post, postOnce } from './posting.ts';
import { drawOne } from './research-content.ts';
import { openThread } from './root.ts';
import { hasCode } from './web.ts';
import { isRejected, NOT_EDITABLE } from './writing.ts';

type Card = Parameters<ResearchMessages['showCard']>[0];
type Shown = Awaited<ReturnType<ResearchMessages['showCard']>>;

/** Posts or edits a card; see the port. */
export async function showCard(desk: Desk, card: Card): Promise<Shown> {
  const thread = card.thread ?? (await rootOf(desk, card));
  if (card.card === null) return { thread, card: await postCard(desk, thread, card) };
  await editCard(desk, card.card, card);
  return { thread, card: card.card };
}

/**
 * Without history scopes nothing tells of a root or card that a crash left unrecorded: there it is posted again, as the
 * messages of answers are.
 */
async function rootOf(desk: Desk, { question, isRepeat }: Card): Promise<ThreadRef> {
  const start: ReplyStart = {
    messages: [],
    attempt: isRepeat ? 2 : 1,
    posted: async () => {},
    isTaken: async () => false,
  };
  return (await openThread(desk, question, start)).thread;
}

async function postCard(desk: Desk, thread: ThreadRef, card: Card): Promise<MessageRef | null> {
  const { question, urgency, isRepeat, view } = card;
  const { platform, workspace, channel } = thread;
  const isPaid = urgency === 'progress' && desk.budgets.tryTakePost(channel, 'progress');
  if (urgency === 'progress' && !isPaid) return null;
  const drawn = drawOne(view);
  const metadata = researchMetadata(question, 'card', false);
  const args = { channel, thread_ts: thread.thread, metadata };
  const message = await postOnce(desk, {
    mayStand: isRepeat,
    async find() {
      const left = await findResearch(desk, question, 'card', { channel, thread: thread.thread });
      return left === 'unknown' ? null : (left?.ts ?? null);
    },
    async write(attempt) {
      try {
        return await post(desk, { ...args, ...content(drawn.body, drawn.extras) }, isPaid && attempt === 1);
      } catch (error) {
        if (!isRejected(error)) throw error;
        return post(desk, { ...args, ...contentWithoutBlocks(drawn.body, drawn.extras) });
      }
    },
  });
  return { platform, workspace, channel, message };
}

/** A workspace may forbid late edits; then the card stays as it is, and the notice says the rest. */
async function editCard(desk: Desk, { channel, message }: MessageRef, card: Card): Promise<void> {
  const { question, urgency, view } = card;
  const isProgress = urgency === 'progress';
  if (isProgress && !desk.budgets.of('chat.update').tryAcquire('progress')) return;
  const { body, extras } = drawOne(view);
  const metadata = researchMetadata(question, 'card', false);
  // Left out, Slack would parse the text as if a person had typed it.
  const args = { channel, ts: message, parse: 'none', link_names: false, metadata };
  const whole = { ...args, ...content(body, extras) };
  try {
    if (isProgress) await send(desk, 'chat.update', whole, true);
    else await sendSurely(desk, 'chat.update', whole);
  } catch (error) {
    if (hasCode(error, NOT_EDITABLE)) desk.log.info({ err: error }, 'a research card cannot be edited');
    else if (isRejected(error))
      await sendSurely(desk, 'chat.update', { ...args, ...contentWithoutBlocks(body, extras) });
    else if (!(isProgress && error instanceof Failure && error.kind === 'rate-limited')) throw error;
  }
}
