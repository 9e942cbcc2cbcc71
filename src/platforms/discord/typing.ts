import type { DiscordRest } from './rest.ts';

/** The typing indicator of one answer. */
export interface Typing {
  /** Shows it and keeps it up; does nothing while it is up. */
  start(channel: string): void;
  stop(): void;
}

/** Discord shows it for 10 s. */
const REFRESH_MS = 8_000;
/** Where more than this share of all requests is in use, words need the rest. */
const BUSY = 0.25;

export function createTyping(rest: DiscordRest): Typing {
  let timer: ReturnType<typeof setInterval> | null = null;
  return {
    start(channel) {
      if (timer) return;
      const show = (): void => {
        if (rest.paces.all.load() > BUSY) return;
        // Cosmetic: an answer without it is an answer all the same.
        rest.post(`/channels/${channel}/typing`).catch(() => {});
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
