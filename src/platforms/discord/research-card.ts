import { SnowflakeUtil } from 'discord.js';
import { Failure } from '../../core/failures.ts';
import type { ResearchMessages } from '../../core/research/ports.ts';
import type { MessageRef } from '../../core/types.ts';
import { CODE } from './errors.ts';
import { findMessage, isCard } from './find-messages.ts';
import { messageRef, threadRef } from './ids.ts';
import { type Call, editIn, postIn, type RateLimits } from './limits.ts';
import { type Draft, editInArchived, editMessage, nonceOf, postMessage } from './messages.ts';
import { renderOne } from './render.ts';
import { type AnswerPlace, findAnswerPlace, type OutboundDeps } from './thread.ts';

type Card = Parameters<ResearchMessages['showCard']>[0];
type Shown = Awaited<ReturnType<ResearchMessages['showCard']>>;

/** Edits of messages older than an hour are limited (30046), and nobody says to how many: the last one may be such. */
const EDITABLE_MS = 55 * 60_000;

/** As `ResearchMessages.showCard`. */
export async function showCard(deps: OutboundDeps, card: Card): Promise<Shown> {
  const draft = renderOne(card.view);
  if (card.card) {
    await edit(deps, card.card, draft, card.urgency);
    return { thread: card.thread ?? threadRef(card.card.workspace, card.card.channel), card: card.card };
  }
  const place = await placeOf(deps, card);
  const earlier = card.isRepeat ? await findEarlier(deps, card, place) : null;
  if (earlier) {
    await edit(deps, earlier, draft, card.urgency);
    return { thread: place.thread, card: earlier };
  }
  return { thread: place.thread, card: await post(deps, card, place, draft) };
}

/** An earlier try has seen to what stands above the thread it found; the first one waits for it. */
function placeOf(deps: OutboundDeps, { question, thread, isRepeat }: Card): Promise<AnswerPlace> {
  const isThere = isRepeat && thread !== null && question.trigger === 'command';
  const placed = { ...question, thread: thread ?? question.thread };
  return findAnswerPlace(deps, { ...placed, ...(isThere && { trigger: 'button' }) }, []);
}

async function findEarlier(
  { rest, botId }: OutboundDeps,
  { question }: Card,
  { channel }: AnswerPlace,
): Promise<MessageRef | null> {
  const isIt = (message: Parameters<typeof isCard>[0]): boolean => isCard(message, question);
  const found = await findMessage(rest, { channel, question, botId, mayBeEmpty: true, isIt });
  // A history that cannot be read leaves it to the nonce: a second card is no second notification.
  return typeof found === 'string' ? null : messageRef(question.workspace, channel, found.id);
}

/** Null when no call is free for progress. */
async function post(
  deps: OutboundDeps,
  { question, urgency }: Card,
  { channel, replyTo }: AnswerPlace,
  draft: Draft,
): Promise<MessageRef | null> {
  const { rest } = deps;
  const call = takeCall(rest.limits, postIn(channel), urgency);
  if (!call) return null;
  const nonce = nonceOf(question.id, 'card', channel);
  const posted = await postMessage(rest, draft, { channel, replyTo, nonce, urgency: call });
  const ref = messageRef(question.workspace, channel, posted.id);
  // Under this nonce an earlier try may have posted an earlier state.
  if (posted.content.trim() !== draft.content.trim()) await edit(deps, ref, draft, urgency);
  return ref;
}

async function edit(
  deps: OutboundDeps,
  { channel, message }: MessageRef,
  draft: Draft,
  urgency: Card['urgency'],
): Promise<void> {
  const { rest } = deps;
  const isOld = Date.now() - SnowflakeUtil.timestampFrom(message) > EDITABLE_MS;
  if (urgency === 'progress' && isOld) return;
  const call = takeCall(rest.limits, editIn(channel), urgency);
  if (!call) return;
  // A thread that slept in stays archived for progress; the end is worth opening it again.
  const write = urgency === 'final' ? editInArchived : editMessage;
  try {
    await write(rest, draft, { channel, message, urgency: call });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (!isGivenUp(error, urgency, isOld)) throw error;
    deps.log.debug({ err: error }, 'card not edited');
  }
}

/** discord.js reports a 429 without its code: a long wait for an old message is the limit of its edits. */
const LONG_WAIT_MS = 10_000;

function isGivenUp(
  { code, kind, retryAfterMs = 0 }: Failure,
  urgency: Card['urgency'],
  isOld: boolean,
): boolean {
  if (code === CODE.threadArchived && urgency === 'progress') return true;
  if (code === CODE.editedTooOften) return true;
  return kind === 'rate-limited' && (urgency === 'progress' || (isOld && retryAfterMs > LONG_WAIT_MS));
}

/** How to make a call. Progress acquires it; null when none is free. */
function takeCall(limits: RateLimits, call: Call, urgency: Card['urgency']): 'final' | 'acquired' | null {
  if (urgency === 'final') return 'final';
  return limits.tryAcquire(call, 'progress') ? 'acquired' : null;
}
