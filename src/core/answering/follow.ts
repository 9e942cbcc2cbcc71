import type { Heard } from '../ports.ts';
import { enqueuePrivateMessage } from '../private-messages.ts';
import { type Question, threadKey } from '../types.ts';
import { conversationOf } from './conversation.ts';
import type { AnsweringDeps } from './deps.ts';
import { isThanks } from './thanks.ts';

/** When a message in a thread of ours counts as a question without a mention. */
export type FollowMode = 'auto' | 'always' | 'mention';

export interface FollowDeps extends Pick<AnsweringDeps, 'jobs' | 'threads'> {
  readonly follow: FollowMode;
}

/** Counts what somebody says in a thread, whoever it is for. Null where we take no part, and where nothing was said. */
export function hearMessage(
  { threads }: Pick<FollowDeps, 'threads'>,
  question: Question,
): Promise<Heard | null> {
  const { trigger, message, asker, askedAt } = question;
  const conversation = conversationOf(question);
  const isSaid = trigger === 'mention' || trigger === 'dm' || trigger === 'reply' || trigger === 'thread';
  // Nothing can have been said before a thread's first message: the common case needs no statement.
  if (!isSaid || !conversation || conversation.thread === message?.message) return Promise.resolve(null);
  return threads.hear(conversation, asker.id, askedAt);
}

/** Whether a message is for us. Whoever was followed before others spoke is told once that a mention is needed now. */
export async function isForUs(deps: FollowDeps, question: Question, heard: Heard | null): Promise<boolean> {
  if (question.trigger !== 'thread') return true;
  if (!heard || deps.follow === 'mention' || question.addressesOthers) return false;
  if (deps.follow === 'always' || heard.humans <= 1) return true;
  if (heard.isFirst && !heard.isTold && !isThanks(question)) await tellMentionIsNeeded(deps, question);
  return false;
}

const MENTION_NEEDED = 'More people are talking here, so mention me when you mean me.';

/** The queue takes it once; a process that dies in between finds it there. */
async function tellMentionIsNeeded({ jobs, threads }: FollowDeps, question: Question): Promise<void> {
  if (!question.thread) return;
  const message = { type: 'reply', question, text: MENTION_NEEDED } as const;
  await enqueuePrivateMessage(jobs, message, ['mention needed', threadKey(question.thread)]);
  await threads.told(question.thread);
}
