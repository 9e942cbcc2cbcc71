import { SnowflakeUtil } from 'discord.js';
import type { MessageRef, ThreadRef } from '../../core/types.ts';

/** The smallest id of this moment: what `after=` takes to mean "since then". */
export function idAtTime(ms: number): string {
  const timestamp = Math.max(Math.floor(ms), Number(SnowflakeUtil.epoch));
  return SnowflakeUtil.generate({ timestamp, increment: 0n, workerId: 0n, processId: 0n }).toString();
}

/** Sorts by age: ids are numbers too large for `Number`. */
export function compareIds(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

/** The newest of some ids. */
export function newestId(first: string, ...others: readonly string[]): string {
  return others.reduce((newest, id) => (compareIds(id, newest) > 0 ? id : newest), first);
}

/** Whether a value can be an id. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && /^\d{17,20}$/.test(value);
}

/** A message as plain data. */
export function messageRef(workspace: string, channel: string, message: string): MessageRef {
  return { platform: 'discord', workspace, channel, message };
}

/**
 * A conversation as plain data. The id of a direct conversation is its channel's. Discord gives a thread the id of the message it
 * was started from, so a conversation has its id before there is a thread.
 */
export function threadRef(workspace: string, id: string): ThreadRef {
  return { platform: 'discord', workspace, channel: id, thread: id };
}
