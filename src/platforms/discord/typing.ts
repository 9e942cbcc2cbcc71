import { Routes } from 'discord.js';
import type { DiscordRest } from './rest.ts';

/** The typing indicator of one answer. */
export interface Typing {
  /** Shows it and keeps it up; does nothing while it is up. */
  start(channel: string): void;
  stop(): void;
}

/** Discord shows it for 10 s. */
const REFRESH_MS = 8_000;
/** The share of all calls beyond which the rest is left to words. */
const BUSY = 0.25;

export function createTyping(rest: DiscordRest): Typing {
  let timer: ReturnType<typeof setInterval> | null = null;
  return {
    start(channel) {
      if (timer) return;
      const show = (): void => {
        if (rest.limits.all.load() > BUSY) return;
        // A failure is ignored: the answer comes without the indicator.
        rest.post(Routes.channelTyping(channel)).catch(() => {});
      };
      timer = setInterval(show, REFRESH_MS);
      show();
    },
    stop() {
      if (timer) clearInterval(timer);
      timer = null;
    },
  };
}
