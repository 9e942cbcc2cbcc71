import { Failure } from '../../core/failures.ts';
import type { KeyValue } from '../../core/ports.ts';
import { isRetryable } from '../../core/retry.ts';
import type { DiscordRest } from './rest.ts';
import { asId, asNumber, asObject, type WireMessage } from './wire.ts';

/** Where a message is: a channel threads are started in, a thread (or forum post), or a direct conversation. */
export interface Channel {
  readonly kind: 'text' | 'thread' | 'dm';
  /** The channel a thread belongs to. */
  readonly parent: string | null;
}

/** What kind each channel is. A resumed session is not told again, so what was once looked up is kept in the store. */
export interface Channels {
  /** Reads a channel object from the gateway; anything else is passed over. */
  learn(value: unknown): void;
  /**
   * The channel a message is in, at the cost of at most one request per channel; null when Discord's answer makes no sense.
   * @throws {Failure} when it can be found out later.
   */
  of(message: WireMessage): Promise<Channel | null>;
}

/** Far more than a bot's busy channels; an entry is some 100 bytes. */
const MOST_KNOWN = 20_000;
const KEPT_MS = 90 * 24 * 60 * 60_000;

export function createChannels(rest: DiscordRest, store: KeyValue): Channels {
  const known = new Map<string, Channel>();
  const remember = (id: string, channel: Channel): Channel => {
    known.delete(id);
    known.set(id, channel);
    const oldest = known.size > MOST_KNOWN ? known.keys().next().value : undefined;
    if (oldest !== undefined) known.delete(oldest);
    return channel;
  };
  const lookUp = async (id: string): Promise<Channel | null> => {
    const key = `channel:${id}`;
    const stored = await store.get<Channel>(key).catch(() => undefined);
    if (stored) return remember(id, stored);
    try {
      const channel = readChannel(await rest.get(`/channels/${id}`));
      if (!channel) return null;
      await store.set(key, channel, KEPT_MS).catch(() => {});
      return remember(id, channel);
    } catch (error) {
      if (error instanceof Failure && isRetryable(error)) throw error;
      // Hidden or deleted: not asked about again.
      return remember(id, { kind: 'text', parent: null });
    }
  };

  return {
    learn(value) {
      const id = asId(asObject(value)?.['id']);
      const channel = readChannel(value);
      if (id && channel) remember(id, channel);
    },
    of(message) {
      if (message.channelType !== null) {
        const parent = known.get(message.channel)?.parent ?? null;
        return Promise.resolve({ kind: kindOf(message.channelType), parent });
      }
      if (message.guild === null) return Promise.resolve({ kind: 'dm', parent: null });
      const channel = known.get(message.channel);
      return channel ? Promise.resolve(channel) : lookUp(message.channel);
    },
  };
}

/** What a channel type number means to us; voice chats and the like are text channels in which no thread can be started. */
export function kindOf(type: number): Channel['kind'] {
  if (type === 1 || type === 3) return 'dm';
  return type >= 10 && type <= 12 ? 'thread' : 'text';
}

function readChannel(value: unknown): Channel | null {
  const raw = asObject(value);
  const type = asNumber(raw?.['type']);
  if (!raw || type === null) return null;
  const kind = kindOf(type);
  return { kind, parent: kind === 'thread' ? asId(raw['parent_id']) : null };
}
