import type { KeyValue } from '../../core/ports.ts';

/** The direct conversations that questions came from, kept in the store: Discord has no list of them for a bot. */
export interface DirectChannels {
  /** @throws when the store does not take it. */
  remember(channel: string): Promise<void>;
  /** Newest first. @throws when the store cannot say. */
  list(): Promise<readonly string[]>;
}

/** At most one request each is spent on them when a session begins. */
const MAX_CHANNELS = 200;
const TTL_MS = 30 * 24 * 60 * 60_000;

export function createDirectChannels(store: KeyValue, botId: string): DirectChannels {
  const key = `direct:${botId}`;
  let known: readonly string[] | null = null;
  const list = async (): Promise<readonly string[]> => {
    known ??= (await store.get<readonly string[]>(key)) ?? [];
    return known;
  };
  return {
    list,
    async remember(channel) {
      const before = await list();
      if (before[0] === channel) return;
      const after = [channel, ...before.filter((id) => id !== channel)].slice(0, MAX_CHANNELS);
      await store.set(key, after, TTL_MS);
      known = after;
    },
  };
}
