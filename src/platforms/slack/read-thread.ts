import type { Person, Question, Turn } from '../../core/types.ts';
import { type Desk, send } from './desk.ts';
import { decodeText, questionText, type SlackSelf } from './incoming-text.ts';
import { asNumber, asRecord, asRecords, asText } from './payload.ts';

type Message = Readonly<Record<string, unknown>>;

/** One page; where Slack restricts an app to 15 messages a call, it gives 15 whatever is asked. */
const PAGE = 200;
/** Slack's limit. */
const LARGEST_PAGE = 999;
/** Of a longer thread, about this many of the newest are read beside the root. */
const NEWEST = 100;
const SPOKEN: ReadonlySet<unknown> = new Set([undefined, 'file_share', 'thread_broadcast', 'bot_message']);

/**
 * What was said in the question's thread before it, oldest first; at most two calls. Empty when there is nothing, or it
 * cannot be read (no history scope, rate limit): the answer does without.
 */
export async function readThread(
  desk: Desk,
  question: Question,
  signal: AbortSignal,
): Promise<readonly Turn[]> {
  const { thread, message } = question;
  if (thread === null || message?.message === thread.thread || signal.aborted) return [];
  try {
    const page = await readPage(desk, thread.channel, thread.thread, null);
    const root = page[0];
    const isWhole = (asNumber(root?.reply_count) ?? 0) < page.length;
    const messages = isWhole || !root ? page : [root, ...(await newest(desk, thread.channel, root))];
    const before = message === null ? Number.POSITIVE_INFINITY : Number(message.message);
    const isShortcut = question.trigger === 'shortcut';
    return messages
      .filter((entry) => Number(entry.ts) < before || (isShortcut && Number(entry.ts) > before))
      .filter((entry) => SPOKEN.has(entry.subtype))
      .map((entry) => turnOf(entry, desk.self))
      .filter((turn) => turn.text !== '');
  } catch (error) {
    desk.log.debug({ err: error }, 'could not read the thread');
    return [];
  }
}

async function readPage(
  desk: Desk,
  channel: string,
  ts: string,
  oldest: string | null,
): Promise<readonly Message[]> {
  const window = oldest === null ? { limit: PAGE } : { limit: LARGEST_PAGE, oldest };
  const args = { channel, ts, ...window };
  const isFree = desk.budgets.of('conversations.replies').tryAcquire('progress');
  return isFree ? asRecords((await send(desk, 'conversations.replies', args, true)).messages) : [];
}

/**
 * Pages run from the oldest on, so where the newest begin is guessed from how fast the thread grew. A large page makes up
 * for a thread that grew in bursts.
 */
async function newest(desk: Desk, channel: string, root: Message): Promise<readonly Message[]> {
  const first = Number(root.ts);
  const last = Number(asText(root.latest_reply) ?? root.ts);
  const share = Math.min(1, NEWEST / (asNumber(root.reply_count) ?? NEWEST));
  const oldest = (last - (last - first) * share).toFixed(6);
  const page = await readPage(desk, channel, asText(root.ts) ?? '', oldest);
  return page.filter((entry) => entry.ts !== root.ts).slice(-NEWEST);
}

function turnOf(message: Message, self: SlackSelf): Turn {
  const text = asText(message.text) ?? '';
  const at = Math.round(Number(message.ts) * 1000);
  if (message.user === self.user || message.bot_id === self.bot) {
    return { role: 'assistant', author: null, text: decodeText(text, self).trim(), at };
  }
  return { role: 'user', author: authorOf(message), text: questionText(text, self), at };
}

/** Bots say their name; of a person only the id is known without a look-up. */
function authorOf(message: Message): Person | null {
  const bot = asText(message.bot_id);
  const name = asText(message.username) ?? asText(asRecord(message.bot_profile)?.name);
  if (bot !== null) return { id: bot, name: `${name ?? 'an app'} (bot)` };
  const user = asText(message.user);
  return user === null ? null : { id: user, name: null };
}
