import { ChannelType } from 'discord.js';
import { Failure } from '../../core/failures.ts';
import type { NotifyResult, ResearchNotification } from '../../core/research/ports.ts';
import { retry } from '../../core/retry.ts';
import type { MessageRef } from '../../core/types.ts';
import { discordMarkdown } from '../../markdown/dialects.ts';
import { escapeText } from '../../markdown/text.ts';
import { clipText } from './clipping.ts';
import { openDirect } from './direct.ts';
import { drawOne } from './drawing-one.ts';
import { CODE } from './errors.ts';
import { lookFor } from './look-up.ts';
import { type Draft, nonceOf, postMessage } from './messages.ts';
import type { ReplyDeps } from './reply.ts';
import { isNotice } from './research-lookup.ts';
import type { DiscordRest } from './rest.ts';
import { asId, asObject, type WireMessage } from './wire.ts';

interface Target {
  readonly channel: string;
  readonly replyTo: string | null;
}

/** As `ResearchMessages.notify`. */
export async function notify(deps: ReplyDeps, notice: ResearchNotification): Promise<NotifyResult> {
  const { question, place } = notice;
  const target = await targetOf(deps.rest, notice);
  const draft = drawOne(notice.view, headOf(notice, target.channel));
  if (notice.isRepeat) {
    const found = await lookFor(deps.rest, {
      channel: target.channel,
      question,
      botId: deps.botId,
      mayBeEmpty: place.type === 'dm',
      isIt: (message) => isNotice(message, question, draft.content),
    });
    if (found === 'unread') return { type: 'unknown' };
    if (typeof found !== 'string') return posted(notice, found);
  }
  return posted(notice, await post(deps, notice, target, draft));
}

function posted(
  { question, place }: ResearchNotification,
  { id, channel, attachments }: WireMessage,
): NotifyResult {
  const workspace = place.type === 'dm' ? '@me' : question.workspace;
  const message: MessageRef = { platform: 'discord', workspace, channel, message: id };
  return { type: 'posted', message, hasFile: attachments.length > 0 };
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

function isThreadType(type: unknown): boolean {
  return [ChannelType.AnnouncementThread, ChannelType.PublicThread, ChannelType.PrivateThread].some(
    (one) => one === type,
  );
}

/** The channel around a thread; a channel or direct conversation itself. */
async function parentOf(rest: DiscordRest, channel: string): Promise<string> {
  const raw = asObject(await rest.get(`/channels/${channel}`));
  const isThread = isThreadType(raw?.['type']);
  return (isThread ? asId(raw?.['parent_id']) : null) ?? channel;
}

/** Elsewhere than beside the card, a link leads to it. */
function headOf({ question, place, lead, card }: ResearchNotification, channel: string): string {
  const words = clipText(escapeText(discordMarkdown, lead), LONGEST_LEAD);
  const far = place.type === 'dm' ? place.link : card;
  const link =
    place.type === 'thread' || !far || far.channel === channel
      ? ''
      : `\nhttps://discord.com/channels/${far.workspace}/${far.channel}/${far.message}`;
  return `<@${question.asker.id}> ${words}${link}`;
}

const LONGEST_LEAD = 300;

/** Discord's limit for a server without boosts. */
const MOST_BYTES = 10 * 1024 * 1024;

async function post(
  deps: ReplyDeps,
  notice: ResearchNotification,
  target: Target,
  draft: Draft,
): Promise<WireMessage> {
  const { file } = notice;
  if (!file || Buffer.byteLength(file.text) > MOST_BYTES) return postOnce(deps, notice, target, draft, null);
  try {
    return await postOnce(deps, notice, target, draft, file);
  } catch (error) {
    if (!(error instanceof Failure) || !isFileRefused(error)) throw error;
    deps.log.info(
      { code: error.code, channel: target.channel },
      'no file here: the report comes as messages',
    );
    return postOnce(deps, notice, target, draft, null);
  }
}

/** Which permission is missing Discord does not say: without the file the words may do. */
function isFileRefused({ code, status }: Failure): boolean {
  return code === CODE.missingPermissions || code === CODE.tooLarge || status === 413;
}

/** Within these seconds the nonce makes any number of tries one message. */
const PATIENCE = { attempts: 3, baseMs: 300, capMs: 2_000, longestWaitMs: 6_000 };
const NEVER = new AbortController().signal;

function postOnce(
  { rest }: ReplyDeps,
  { question, place }: ResearchNotification,
  { channel, replyTo }: Target,
  draft: Draft,
  file: ResearchNotification['file'],
): Promise<WireMessage> {
  const nonce = nonceOf(question.id, 'notice', place.type, channel);
  const mention = question.asker.id;
  return retry({ ...PATIENCE, signal: NEVER }, async () => {
    await rest.paces.of(channel).create.acquire('final');
    return postMessage(rest, draft, { channel, replyTo, nonce, urgency: 'final', mention, file });
  });
}
