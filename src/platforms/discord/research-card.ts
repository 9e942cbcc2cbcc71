import { Failure } from '../../core/failures.ts';
import type { ResearchMessages } from '../../core/research/ports.ts';
import type { MessageRef } from '../../core/types.ts';
import { drawOne } from './drawing-one.ts';
import { CODE } from './errors.ts';
import { lookFor } from './look-up.ts';
import { type Draft, editMessage, nonceOf, postMessage } from './messages.ts';
import { findPlace, type Place } from './place.ts';
import type { ReplyDeps } from './reply.ts';
import { isCard } from './research-lookup.ts';
import { timeOfId } from './wire.ts';

type Card = Parameters<ResearchMessages['showCard']>[0];
type Shown = Awaited<ReturnType<ResearchMessages['showCard']>>;

/** Edits of messages older than an hour are limited (30046), and nobody says to how many: the last one may be such. */
export const EDITABLE_MS = 55 * 60_000;

/** As `ResearchMessages.showCard`. */
export async function showCard(deps: ReplyDeps, card: Card): Promise<Shown> {
  const draft = drawOne(card.view);
  if (card.card) {
    await edit(deps, card.card, draft, card.urgency);
    return { thread: card.thread ?? threadAt(card.card), card: card.card };
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
function placeOf(deps: ReplyDeps, { question, thread, isRepeat }: Card): Promise<Place> {
  const isThere = isRepeat && thread !== null && question.trigger === 'command';
  const placed = { ...question, thread: thread ?? question.thread };
  return findPlace(deps, { ...placed, ...(isThere && { trigger: 'button' }) }, []);
}

async function findEarlier(
  { rest, botId }: ReplyDeps,
  { question }: Card,
  { channel }: Place,
): Promise<MessageRef | null> {
  const isIt = (message: Parameters<typeof isCard>[0]): boolean => isCard(message, question);
  const found = await lookFor(rest, { channel, question, botId, mayBeEmpty: true, isIt });
  // A history that cannot be read leaves it to the nonce: a second card is no second notification.
  return typeof found === 'string' ? null : refOf(question.workspace, channel, found.id);
}

/** Null when the channel has no room for progress now. */
async function post(
  deps: ReplyDeps,
  { question, urgency }: Card,
  { channel, replyTo }: Place,
  draft: Draft,
): Promise<MessageRef | null> {
  const { create } = deps.rest.paces.of(channel);
  if (urgency === 'final') await create.acquire('final');
  else if (!create.tryAcquire('progress')) return null;
  const nonce = nonceOf(question.id, 'card', channel);
  const posted = await postMessage(deps.rest, draft, { channel, replyTo, nonce, urgency });
  deps.rest.paces.of(channel).wrote();
  const ref = refOf(question.workspace, channel, posted.id);
  // Under this nonce an earlier try may have posted an earlier state.
  if (posted.content.trim() !== draft.content.trim()) await edit(deps, ref, draft, urgency);
  return ref;
}

async function edit(
  deps: ReplyDeps,
  { channel, message }: MessageRef,
  draft: Draft,
  urgency: Card['urgency'],
): Promise<void> {
  const { rest } = deps;
  const pace = rest.paces.of(channel);
  const isOld = Date.now() - timeOfId(message) > EDITABLE_MS;
  if (urgency === 'progress' && (isOld || !pace.edit.tryAcquire('progress'))) return;
  if (urgency === 'final') await pace.edit.acquire('final');
  const target = { channel, message, urgency };
  try {
    await editMessage(rest, draft, target);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.code === CODE.threadArchived) return editArchived(deps, target, draft);
    if (!isGivenUp(error, urgency, isOld)) throw error;
    deps.log.debug({ err: error }, 'card not edited');
  }
  pace.wrote();
}

/** A thread that slept in keeps asleep for progress; the end is worth waking it. */
async function editArchived(
  { rest }: ReplyDeps,
  target: Parameters<typeof editMessage>[2],
  draft: Draft,
): Promise<void> {
  const { channel, urgency } = target;
  if (urgency === 'progress') return;
  await rest.patch(`/channels/${channel}`, { body: { archived: false }, urgency });
  await editMessage(rest, draft, target);
}

/** discord.js tells of a 429 without its code: a long wait for an old message is the limit of its edits. */
const LONG_WAIT_MS = 10_000;

function isGivenUp(
  { code, kind, retryAfterMs = 0 }: Failure,
  urgency: Card['urgency'],
  isOld: boolean,
): boolean {
  if (code === CODE.editedTooOften) return true;
  return kind === 'rate-limited' && (urgency === 'progress' || (isOld && retryAfterMs > LONG_WAIT_MS));
}

function refOf(workspace: string, channel: string, message: string): MessageRef {
  return { platform: 'discord', workspace, channel, message };
}

function threadAt({ workspace, channel }: MessageRef): Shown['thread'] {
  return { platform: 'discord', workspace, channel, thread: channel };
}
