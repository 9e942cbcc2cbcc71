/** The messages of research jobs on Discord: a card that is edited while the job runs, and one that tells of its end. */
import { type APIMessage, Routes, SnowflakeUtil } from 'discord.js';
import { Failure } from '../../core/failures.ts';
import type { NotifyResult, ResearchNotification, ResearchPlatform } from '../../core/research/ports.ts';
import { retry } from '../../core/retry.ts';
import type { MessageRef } from '../../core/types.ts';
import { DIRECT_WORKSPACE } from '../../core/types.ts';
import { asRecord, asText } from '../../core/untrusted.ts';
import { discordMarkdown } from '../../markdown/dialects.ts';
import { escapeText } from '../../markdown/text.ts';
import { CODE } from './errors.ts';
import { askedSince, isCard, isNotification, readSince } from './find-messages.ts';
import { messageRef, threadRef } from './ids.ts';
import { editIn } from './limits.ts';
import { type Draft, editInArchived, editMessage, nonceOf, openDirect, postMessage } from './messages.ts';
import { clipText, renderOne } from './render.ts';
import type { DiscordRest } from './rest.ts';
import { type AnswerPlace, findAnswerPlace, type OutboundDeps } from './thread.ts';

type Card = Parameters<ResearchPlatform['showCard']>[0];
type Shown = Awaited<ReturnType<ResearchPlatform['showCard']>>;

/** Edits of messages older than an hour are limited (30046), and nobody says to how many: the last one may be such. */
const EDITABLE_MS = 55 * 60_000;

/** Posts or edits a card; see the port. With the bot's own token: an interaction's is dead long before most jobs are done. */
export async function showCard(deps: OutboundDeps, card: Card): Promise<Shown> {
  const draft = renderOne(card.view);
  if (card.card) {
    await editCard(deps, card.card, draft, card.urgency);
    const { workspace, channel } = card.card;
    return { thread: card.question.thread ?? threadRef(workspace, channel), card: card.card };
  }
  const place = await placeOfCard(deps, card);
  const earlier = card.isRepeat ? await findEarlierCard(deps, card, place) : null;
  if (earlier) await editCard(deps, earlier, draft, card.urgency);
  return { thread: place.thread, card: earlier ?? (await postCard(deps, card, place, draft)) };
}

/** An earlier try has seen to what stands above the thread it found; the first one waits for it. */
function placeOfCard(deps: OutboundDeps, { question, isRepeat }: Card): Promise<AnswerPlace> {
  const isThere = isRepeat && question.thread !== null && question.trigger === 'command';
  return findAnswerPlace(deps, { ...question, ...(isThere && { trigger: 'button' }) }, []);
}

/** A history that cannot be read leaves it to the nonce: a second card is no second notification. */
async function findEarlierCard(
  { rest, botId }: OutboundDeps,
  { question }: Card,
  { channel }: AnswerPlace,
): Promise<MessageRef | null> {
  const { messages } = await readSince(rest, channel, askedSince(question));
  const found = messages.findLast((message) => message.author?.id === botId && isCard(message, question));
  return found ? messageRef(question.workspace, channel, found.id) : null;
}

async function postCard(
  deps: OutboundDeps,
  { question, urgency }: Card,
  { channel, replyTo }: AnswerPlace,
  draft: Draft,
): Promise<MessageRef> {
  const nonce = nonceOf(question.id, 'card', channel);
  const posted = await postMessage(deps.rest, draft, { channel, replyTo, nonce, urgency: 'final' });
  const ref = messageRef(question.workspace, channel, posted.id);
  // Under this nonce an earlier try may have posted an earlier state.
  if (posted.content.trim() !== draft.content.trim()) await editCard(deps, ref, draft, urgency);
  return ref;
}

async function editCard(
  { rest, log }: OutboundDeps,
  { channel, message }: MessageRef,
  draft: Draft,
  urgency: Card['urgency'],
): Promise<void> {
  const isOld = Date.now() - SnowflakeUtil.timestampFrom(message) > EDITABLE_MS;
  try {
    // A thread that slept in stays archived for progress; the end is worth opening it again.
    if (urgency === 'final') return await editInArchived(rest, draft, { channel, message, urgency });
    if (isOld || !rest.limits.tryAcquire(editIn(channel), 'progress')) return;
    await editMessage(rest, draft, { channel, message, urgency: 'acquired' });
  } catch (error) {
    if (!(error instanceof Failure) || !isGivenUp(error, urgency, isOld)) throw error;
    log.debug({ err: error }, 'card not edited');
  }
}

/** discord.js reports a 429 without its code: a long wait for an old message is the limit of its edits. */
const LONG_WAIT_MS = 10_000;

function isGivenUp(
  { code, kind, retryAfterMs = 0 }: Failure,
  urgency: Card['urgency'],
  isOld: boolean,
): boolean {
  if (code === CODE.editedTooOften) return true;
  if (urgency === 'progress') return code === CODE.threadArchived || kind === 'rate-limited';
  return kind === 'rate-limited' && isOld && retryAfterMs > LONG_WAIT_MS;
}

interface Target {
  readonly channel: string;
  readonly replyTo: string | null;
}

/** Posts a notification once; see the port. */
export async function notify(deps: OutboundDeps, notice: ResearchNotification): Promise<NotifyResult> {
  const { question, place } = notice;
  const isDirect = place.type === 'dm';
  const target = await targetOf(deps.rest, notice);
  const draft = renderOne(notice.view, headOf(notice, target.channel));
  let posted: APIMessage | undefined;
  if (notice.isRepeat) {
    const { messages, isComplete } = await readSince(deps.rest, target.channel, askedSince(question));
    posted = messages.findLast(
      (message) => message.author?.id === deps.botId && isNotification(message, question, draft.content),
    );
    // A direct conversation may have nothing to read. Elsewhere that is how Discord shows a history closed to us.
    const isUnread = !isComplete || (messages.length === 0 && !isDirect);
    if (!posted && isUnread) return { type: 'unknown' };
  }
  posted ??= await postNotification(deps, notice, target, draft);
  const workspace = isDirect ? DIRECT_WORKSPACE : question.workspace;
  const message = messageRef(workspace, posted.channel_id, posted.id);
  return { type: 'posted', message, hasFile: posted.attachments.length > 0 };
}

async function targetOf(rest: DiscordRest, { question, place, card }: ResearchNotification): Promise<Target> {
  if (place.type === 'dm') return { channel: await openDirect(rest, question.asker.id), replyTo: null };
  if (place.type === 'channel') return { channel: await parentOf(rest, question.channel), replyTo: null };
  const { channel } = place.thread;
  // A conversation without a thread of its own is a chain of replies in the channel.
  return card && card.channel !== channel
    ? { channel: card.channel, replyTo: card.message }
    : { channel, replyTo: null };
}

/** The channel around a thread; a channel or direct conversation itself. */
async function parentOf(rest: DiscordRest, channel: string): Promise<string> {
  const found = asRecord(await rest.get(Routes.channel(channel)));
  const isThread = asRecord(found?.['thread_metadata']) !== null;
  return (isThread ? asText(found?.['parent_id']) : null) ?? channel;
}

const MAX_LEAD = 300;

/** A notification that is not beside the card links to it. */
function headOf({ question, place, lead, card }: ResearchNotification, channel: string): string {
  const words = `<@${question.asker.id}> ${clipText(escapeText(discordMarkdown, lead), MAX_LEAD)}`;
  const far = place.type === 'dm' ? place.link : card;
  if (place.type === 'thread' || !far || far.channel === channel) return words;
  return `${words}\nhttps://discord.com/channels/${far.workspace}/${far.channel}/${far.message}`;
}

/** Discord's limit for a server without boosts. */
const MAX_BYTES = 10 * 1024 * 1024;
/** So soon after each other that the nonce makes all of them one message. */
const REPEATS = { attempts: 3, baseMs: 300, capMs: 2_000, longestWaitMs: 6_000 };

async function postNotification(
  { rest, log }: OutboundDeps,
  { question, place, file }: ResearchNotification,
  target: Target,
  draft: Draft,
): Promise<APIMessage> {
  const nonce = nonceOf(question.id, 'notice', place.type, target.channel);
  const options = { ...target, nonce, urgency: 'final', mention: question.asker.id } as const;
  const post = (attached: typeof file): Promise<APIMessage> =>
    retry(REPEATS, () => postMessage(rest, draft, { ...options, file: attached }));
  if (!file || Buffer.byteLength(file.text) > MAX_BYTES) return post(null);
  try {
    return await post(file);
  } catch (error) {
    if (!(error instanceof Failure) || !isFileRefused(error)) throw error;
    log.info({ code: error.code, channel: target.channel }, 'no file here: the report comes as messages');
    return post(null);
  }
}

/** Discord does not say which permission is missing: without the file the post may be allowed. */
function isFileRefused({ code, status }: Failure): boolean {
  return code === CODE.missingPermissions || code === CODE.tooLarge || status === 413;
}
