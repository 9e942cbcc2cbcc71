/** The status line under a thread: assistant.threads.setStatus and agents.sessions.setStatus. */
import { text } from './arguments.ts';
import { writableChannel } from './content.ts';
import type { Context, Method } from './context.ts';
import { type Channel, SlackError } from './types.ts';

/** A status goes away by itself after two minutes, or when the app writes into the thread. */
const STATUS_MS = 120_000;
const LOADING_MAX = 10;

export const statusMethods: Readonly<Record<string, Method>> = {
  'assistant.threads.setStatus'(args, context) {
    const channel = writableChannel(args['channel_id']);
    const threadTs = text(args, 'thread_ts') ?? '';
    requireThread(context, channel, threadTs);
    const loading = args['loading_messages'] ?? [];
    if (
      !Array.isArray(loading) ||
      loading.length > LOADING_MAX ||
      loading.some((one) => typeof one !== 'string')
    )
      throw new SlackError('invalid_arguments', `[ERROR] at most ${LOADING_MAX} strings: loading_messages`);
    const status = text(args, 'status') ?? '';
    record(context, 'assistant.threads.setStatus', channel, threadTs, status, loading.map(String));
    return {};
  },

  'agents.sessions.setStatus'(args, context) {
    const channel = writableChannel(args['channel_id']);
    const threadTs = text(args, 'thread_ts');
    if (threadTs === undefined) throw new SlackError('thread_ts_required');
    requireThread(context, channel, threadTs);
    const status = text(args, 'status') ?? '';
    setSession(context, channel, threadTs, status);
    return { status, agent_status: status, title: text(args, 'title') ?? '' };
  },
};

const SESSION_STATUSES = new Set(['active', 'processing', 'suspended', 'closed']);

/** Also what `session_status` of chat.stopStream does. */
export function setSession(context: Context, channel: Channel, threadTs: string, status: string): void {
  if (!SESSION_STATUSES.has(status)) throw new SlackError('invalid_status');
  record(context, 'agents.sessions.setStatus', channel, threadTs, status, []);
}

/** What stands under the thread now; empty for nothing. */
export function currentStatus({ store }: Context, channel: string, threadTs: string, now: number): string {
  const last = store.statuses.findLast(
    (one) =>
      one.method === 'assistant.threads.setStatus' && one.channel === channel && one.threadTs === threadTs,
  );
  if (last === undefined || now - last.at > STATUS_MS) return '';
  const written = store
    .replies(channel, threadTs)
    // Within one millisecond the message is taken to be the later: a status is set to be replaced.
    .some((one) => one.botId !== null && Number(one.ts) * 1000 >= last.at);
  return written ? '' : last.status;
}

function requireThread({ store }: Context, channel: Channel, threadTs: string): void {
  if (store.find(channel.id, threadTs) === undefined && store.replies(channel.id, threadTs).length === 0)
    throw new SlackError('thread_not_found');
}

function record(
  { store }: Context,
  method: 'assistant.threads.setStatus' | 'agents.sessions.setStatus',
  channel: Channel,
  threadTs: string,
  status: string,
  loadingMessages: readonly string[],
): void {
  store.statuses.push({ method, channel: channel.id, threadTs, status, loadingMessages, at: Date.now() });
  store.changed();
}
