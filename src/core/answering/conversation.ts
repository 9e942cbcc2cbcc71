import { type Question, type ThreadRef, threadKey } from '../types.ts';

/**
 * Which questions belong together. Mostly a thread is one conversation. In Slack's direct messages each message outside a thread
 * is answered in a thread of its own, and all of them together are one conversation as well.
 */
export function conversationOf({ thread, message }: Question): ThreadRef | null {
  const isTopLevel = thread !== null && isDirectSlack(thread) && thread.thread === message?.message;
  return isTopLevel ? topLevelOf(thread) : thread;
}

/** Questions of one key are answered in order: those of a thread, and all that one person writes to the bot directly. */
export function orderKey(thread: ThreadRef): string {
  return threadKey(isDirectSlack(thread) ? topLevelOf(thread) : thread);
}

/** The top level of a direct conversation begins anew after so long a silence, as people take it up with something else. */
export const SILENCE_MS = 6 * 3_600_000;

/** The ids of Slack's direct conversations begin with D. On Discord one is a thread already. */
function isDirectSlack({ platform, channel }: ThreadRef): boolean {
  return platform === 'slack' && channel.startsWith('D');
}

function topLevelOf(thread: ThreadRef): ThreadRef {
  return { ...thread, thread: thread.channel };
}
