import { sleep } from '../../core/concurrency.ts';
import type { Platform } from '../../core/ports.ts';
import { retry } from '../../core/retry.ts';
import type { Question } from '../../core/types.ts';
import { discordMarkdown } from '../../markdown/dialects.ts';
import { escapeText } from '../../markdown/text.ts';
import { openDirect } from './direct.ts';
import { EPHEMERAL, NO_MENTIONS, nonceOf, postMessage, SUPPRESS_EMBEDS } from './messages.ts';
import { readThread } from './reading.ts';
import { createReply, type ReplyDeps } from './reply.ts';
import { isInteractionOver } from './rest.ts';
import { TOKEN_LIFETIME_MS } from './root.ts';

/** Discord's outbound side: REST only, from plain data, so that any replica can use it. */
export function createPlatform(deps: ReplyDeps): Platform {
  return {
    name: 'discord',
    reply: (question, start) => createReply(deps, question, start),
    markWaiting: (question, waiting) => markWaiting(deps, question, waiting),
    replyPrivately: (question, text) => replyPrivately(deps, question, text),
    directMessage: (_, personId, text) => directMessage(deps, personId, text),
    readThread: (question, signal) => readThread(deps, question, signal),
  };
}

const NEVER = new AbortController().signal;
const WAITING = encodeURIComponent('🕐');

async function markWaiting({ rest, log }: ReplyDeps, question: Question, waiting: boolean): Promise<void> {
  const { message, trigger } = question;
  // The message of a shortcut is somebody else's.
  if (!message || trigger === 'shortcut' || trigger === 'button') return;
  const route = `/channels/${message.channel}/messages/${message.message}/reactions/${WAITING}/@me`;
  try {
    // A mark that stays would be a lie, and reactions are limited to a few a second.
    const patience = { attempts: 5, baseMs: 200, capMs: 1_000, longestWaitMs: 10_000, signal: NEVER };
    await retry(patience, () => (waiting ? rest.put(route) : rest.delete(route)));
  } catch (error) {
    log.debug({ err: error }, 'not marked');
  }
}

async function replyPrivately(deps: ReplyDeps, question: Question, text: string): Promise<void> {
  const content = escapeText(discordMarkdown, text).slice(0, LONGEST_WORD);
  if (await followUp(deps, question, content)) return;
  const { message, thread } = question;
  const channel = message?.channel ?? thread?.channel ?? question.channel;
  await deps.rest.paces.of(channel).create.acquire('final');
  const nonce = nonceOf(question.id, 'word', text);
  const replyTo = message?.message ?? null;
  await postMessage(deps.rest, { content, buttons: [] }, { channel, replyTo, nonce, urgency: 'final' });
}

const LONGEST_WORD = 2_000;

/** Seen by the person alone, where their command or button still has a valid token. */
async function followUp({ rest }: ReplyDeps, question: Question, content: string): Promise<boolean> {
  const { application, token } = question.delivery;
  if (!application || !token || Date.now() - question.askedAt > TOKEN_LIFETIME_MS) return false;
  const body = { content, flags: EPHEMERAL | SUPPRESS_EMBEDS, allowed_mentions: NO_MENTIONS };
  // The response to the interaction may still be on its way, and nothing may follow before it.
  for (const waitMs of [0, 300, 1_200]) {
    await sleep(waitMs);
    try {
      await rest.post(`/webhooks/${application}/${token}`, { body, auth: false });
      return true;
    } catch (error) {
      if (!isInteractionOver(error)) throw error;
    }
  }
  return false;
}

async function directMessage({ rest }: ReplyDeps, personId: string, text: string): Promise<void> {
  const channel = await openDirect(rest, personId);
  const content = escapeText(discordMarkdown, text).slice(0, LONGEST_WORD);
  await rest.paces.of(channel).create.acquire('final');
  // A minute's worth of equal messages is one: the caller may have to try again.
  const nonce = nonceOf(channel, text, Math.floor(Date.now() / 60_000));
  await postMessage(rest, { content, buttons: [] }, { channel, replyTo: null, nonce, urgency: 'final' });
}
