import { SnowflakeUtil } from 'discord.js';
import type { KeyValue, Log } from '../../core/ports.ts';
import { compareIds, idAtTime, newestId } from './ids.ts';

/** A connection is known to be dead after two heartbeats of 41 s; meanwhile others may have delivered newer messages. */
const MARGIN_MS = 2 * 60_000;
const SAVE_EVERY_MS = 1_000;
/** Longer than anything is caught up with. */
const TTL_MS = 30 * 24 * 60 * 60_000;

/**
 * Opens the low watermark of this bot's messages, kept in the store: everything said before it is durable or was no question. The
 * next process reads what was said after it. A stored watermark that is too old only means that more is read. The very first is
 * the present moment.
 * @throws when the store cannot say.
 */
export async function openWatermark(store: KeyValue, botId: string, log: Log) {
  const key = `watermark:${botId}`;
  const stored = await store.get<string>(key);
  const floor = stored ?? idAtTime(Date.now());
  const held = new Set<{ readonly before: string }>();
  let newest = floor;
  let saved = stored;
  let timer: ReturnType<typeof setTimeout> | null = null;

  /** The id of a message, or of a moment. */
  const get = (): string => {
    const settled = idAtTime(SnowflakeUtil.timestampFrom(newest) - MARGIN_MS);
    const [oldest = settled] = [...held]
      .map(({ before }) => before)
      .concat(settled)
      .sort(compareIds);
    return newestId(oldest, floor);
  };
  /** Stores it now. Never rejects. */
  const save = async (): Promise<void> => {
    if (timer) clearTimeout(timer);
    timer = null;
    const value = get();
    if (value === saved) return;
    try {
      await store.set(key, value, TTL_MS);
      saved = value;
    } catch (error) {
      // Tried again with the next message.
      log.debug({ err: error }, 'watermark not saved');
    }
  };
  if (stored === undefined) await save();
  return {
    get,
    /**
     * Keeps the watermark before this message, or at this watermark, until the function returned is called. Must be called as
     * soon as the message arrives.
     */
    hold(id: string): () => void {
      // Discord's `after` leaves out the message it names.
      const entry = { before: String(BigInt(id) - 1n) };
      held.add(entry);
      return () => {
        held.delete(entry);
        newest = newestId(newest, id);
        timer ??= setTimeout(() => void save(), SAVE_EVERY_MS).unref();
      };
    },
    save,
  };
}

export type Watermark = Awaited<ReturnType<typeof openWatermark>>;

/** The direct conversations that questions came from, kept in the store: Discord has no list of them for a bot. */
export type DirectChannels = ReturnType<typeof createDirectChannels>;

/** At most one request each is spent on them when a session begins. */
const MAX_CHANNELS = 200;

/** Its functions throw when the store cannot say, or does not take it. */
export function createDirectChannels(store: KeyValue, botId: string) {
  const key = `direct:${botId}`;
  /** Newest first. */
  const list = async (): Promise<readonly string[]> => (await store.get<readonly string[]>(key)) ?? [];
  let newest: string | null = null;
  return {
    list,
    async remember(channel: string): Promise<void> {
      if (newest === channel) return;
      // Read anew: on a planned restart two processes write it for a while.
      const others = (await list()).filter((id) => id !== channel);
      await store.set(key, [channel, ...others].slice(0, MAX_CHANNELS), TTL_MS);
      newest = channel;
    },
  };
}
