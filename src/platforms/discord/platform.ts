import { MessageFlags, type RESTPostAPIWebhookWithTokenJSONBody, Routes } from 'discord.js';
import type { FileFetcher } from '../../core/ports.ts';
import type { ResearchPlatform } from '../../core/research/ports.ts';
import { retry } from '../../core/retry.ts';
import type { Question } from '../../core/types.ts';
import { discordMarkdown } from '../../markdown/dialects.ts';
import { escapeText } from '../../markdown/text.ts';
import { type Draft, NO_MENTIONS, nonceOf, openDirect, postMessage } from './messages.ts';
import { type ReadDeps, readThread } from './read-thread.ts';
import { clipText } from './render.ts';
import { createReply } from './reply.ts';
import { notify, showCard } from './research-messages.ts';
import { callInteraction } from './rest.ts';
import type { OutboundDeps } from './thread.ts';

/** Discord's outbound side: REST only, from plain data, so that any replica can use it. */
export function createPlatform(deps: ReadDeps, fetchFile: FileFetcher): ResearchPlatform {
  return {
    name: 'discord',
    reply: (question, start) => createReply(deps, question, start),
    markWaiting: (question, waiting) => markWaiting(deps, question, waiting),
    acknowledge: (question) => acknowledge(deps, question),
    replyPrivately: (question, text) => replyPrivately(deps, question, text),
    directMessage: (_, personId, text) => directMessage(deps, personId, text),
    // Whatever comes from Discord carries the names.
    nameOf: async () => null,
    readThread: (question, since, signal) => readThread(deps, question, since, signal),
    fetchFile,
    showCard: (card) => showCard(deps, card),
    notify: (notice) => notify(deps, notice),
  };
}

function plainDraft(text: string): Draft {
  return { content: clipText(escapeText(discordMarkdown, text), discordMarkdown.hardLimit), buttons: [] };
}

const WAITING = encodeURIComponent('🕐');

async function markWaiting({ rest, log }: OutboundDeps, question: Question, waiting: boolean): Promise<void> {
  const { message, trigger } = question;
  // The message of a shortcut is somebody else's.
  if (!message || trigger === 'shortcut' || trigger === 'button') return;
  const route = Routes.channelMessageOwnReaction(message.channel, message.message, WAITING);
  try {
    // The mark must not stay when the question waits no longer; Discord limits reactions to a few a second.
    const policy = { attempts: 5, baseMs: 200, capMs: 1_000, longestWaitMs: 10_000 };
    await retry(policy, () => (waiting ? rest.put(route) : rest.delete(route)));
  } catch (error) {
    log.debug({ err: error }, 'not marked');
  }
}

const READ = encodeURIComponent('👍');

async function acknowledge({ rest, log }: OutboundDeps, { message }: Question): Promise<void> {
  if (!message) return;
  try {
    await rest.put(Routes.channelMessageOwnReaction(message.channel, message.message, READ));
  } catch (error) {
    log.debug({ err: error }, 'not acknowledged');
  }
}

async function replyPrivately(deps: OutboundDeps, question: Question, text: string): Promise<void> {
  const draft = plainDraft(text);
  if (await followUp(deps, question, draft)) return;
  const { message, thread } = question;
  const channel = message?.channel ?? thread?.channel ?? question.channel;
  const nonce = nonceOf(question.id, 'word', text);
  const replyTo = message?.message ?? null;
  await postMessage(deps.rest, draft, { channel, replyTo, nonce, urgency: 'final' });
}

/** Seen by the person alone, where their command or button still has a valid token. */
async function followUp({ rest }: OutboundDeps, question: Question, { content }: Draft): Promise<boolean> {
  const body: RESTPostAPIWebhookWithTokenJSONBody = {
    content,
    flags: MessageFlags.Ephemeral | MessageFlags.SuppressEmbeds,
    allowed_mentions: NO_MENTIONS,
  };
  const isSaid = await callInteraction(question, async (application, token) => {
    await rest.post(Routes.webhook(application, token), { body, auth: false, urgency: 'final' });
    return true;
  });
  return isSaid ?? false;
}

async function directMessage({ rest }: OutboundDeps, personId: string, text: string): Promise<void> {
  const channel = await openDirect(rest, personId);
  // The caller may have to try again: equal messages within a minute are one.
  const nonce = nonceOf(channel, text, Math.floor(Date.now() / 60_000));
  await postMessage(rest, plainDraft(text), { channel, replyTo: null, nonce, urgency: 'final' });
}
