import type { MessageRef, ThreadRef } from '../core/types.ts';

/** One string per thread, the same for equal refs. */
export function threadKey({ platform, workspace, channel, thread }: ThreadRef): string {
  return JSON.stringify([platform, workspace, channel, thread]);
}

/** One string per message, the same for equal refs. */
export function messageKey({ platform, workspace, channel, message }: MessageRef): string {
  return JSON.stringify([platform, workspace, channel, message]);
}
