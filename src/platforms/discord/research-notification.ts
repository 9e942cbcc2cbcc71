import { type APIMessage, Routes } from 'discord.js';
import { Failure } from '../../core/failures.ts';
import type { NotifyResult, ResearchNotification } from '../../core/research/ports.ts';
import { retry } from '../../core/retry.ts';
import { asRecord, asText } from '../../core/untrusted.ts';
import { discordMarkdown } from '../../markdown/dialects.ts';
import { escapeText } from '../../markdown/text.ts';
import { CODE } from './errors.ts';
import { findMessage, isNotification } from './find-messages.ts';
import { DIRECT_WORKSPACE, messageRef } from './ids.ts';
import { type Draft, nonceOf, openDirect, postMessage } from './messages.ts';
import { clipText, renderOne } from './render.ts';
import type { DiscordRest } from './rest.ts';
import type { OutboundDeps } from './thread.ts';

interface Target {
  readonly channel: string;
  readonly replyTo: string | null;
}

/** As `ResearchMessages.notify`. */
export async function notify(deps: OutboundDeps, notice: ResearchNotification): Promise<NotifyResult> {
  const { question, place } = notice;
  const target = await targetOf(deps.rest, notice);
  const draft = renderOne(notice.view, headOf(notice, target.channel));
  if (notice.isRepeat) {
    const found = await findMessage(deps.rest, {
      channel: target.channel,
      question,
      botId: deps.botId,
      mayBeEmpty: place.type === 'dm',
      isIt: (message) => isNotification(message, question, draft.content),
    });
    if (found === 'unread') return { type: 'unknown' };
    if (typeof found !== 'string') return resultOf(notice, found);
  }
  return resultOf(notice, await post(deps, notice, target, draft));
}

function resultOf(
  { question, place }: ResearchNotification,
  { id, channel_id, attachments }: APIMessage,
): NotifyResult {
  const workspace = place.type === 'dm' ? DIRECT_WORKSPACE : question.workspace;
  const message = messageRef(workspace, channel_id, id);
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

/** The channel around a thread; a channel or direct conversation itself. */
async function parentOf(rest: DiscordRest, channel: string): Promise<string> {
  const found = asRecord(await rest.get(Routes.channel(channel)));
  const isThread = asRecord(found?.['thread_metadata']) !== null;
  return (isThread ? asText(found?.['parent_id']) : null) ?? channel;
}

/** A notification that is not beside the card links to it. */
function headOf({ question, place, lead, card }: ResearchNotification, channel: string): string {
  const words = clipText(escapeText(discordMarkdown, lead), MAX_LEAD);
  const far = place.type === 'dm' ? place.link : card;
  const link =
    place.type === 'thread' || !far || far.channel === channel
      ? ''
      : `\nhttps://discord.com/channels/${far.workspace}/${far.channel}/${far.message}`;
  return `<@${question.asker.id}> ${words}${link}`;
}

const MAX_LEAD = 300;

/** Discord's limit for a server without boosts. */
const MAX_BYTES = 10 * 1024 * 1024;

async function post(
  deps: OutboundDeps,
  notice: ResearchNotification,
  target: Target,
  draft: Draft,
): Promise<APIMessage> {
  const { file } = notice;
  if (!file || Buffer.byteLength(file.text) > MAX_BYTES) return postOnce(deps, notice, target, draft, null);
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

/** Discord does not say which permission is missing: without the file the post may be allowed. */
function isFileRefused({ code, status }: Failure): boolean {
  return code === CODE.missingPermissions || code === CODE.tooLarge || status === 413;
}

/** So soon after each other that the nonce makes all of them one message. */
const REPEATS = { attempts: 3, baseMs: 300, capMs: 2_000, longestWaitMs: 6_000 };

function postOnce(
  { rest }: OutboundDeps,
  { question, place }: ResearchNotification,
  { channel, replyTo }: Target,
  draft: Draft,
  file: ResearchNotification['file'],
): Promise<APIMessage> {
  const nonce = nonceOf(question.id, 'notice', place.type, channel);
  const mention = question.asker.id;
  return retry(REPEATS, () =>
    postMessage(rest, draft, { channel, replyTo, nonce, urgency: 'final', mention, file }),
  );
}
