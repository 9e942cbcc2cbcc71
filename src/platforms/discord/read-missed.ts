import {
  type Client,
  DiscordjsError,
  DiscordjsErrorCodes,
  type Guild,
  type Message,
  type TextBasedChannel,
} from 'discord.js';
import { createKeyedQueue } from '../../core/concurrency.ts';
import { Failure } from '../../core/failures.ts';
import type { KeyValue, Log } from '../../core/ports.ts';
import { retry } from '../../core/retry.ts';
import { failureOf } from './errors.ts';
import { compareIds, idAtTime, newestId } from './ids.ts';

export interface ReadMissedDeps {
  /** Waits for a call that the rate limits allow. */
  readonly acquire: (signal: AbortSignal) => Promise<unknown>;
  /** Resolves once the message is durable, or is no question. @throws when the process stops first. */
  readonly accept: (message: Message) => Promise<void>;
  readonly log: Log;
  /** Ends all reading. */
  readonly signal: AbortSignal;
}

/** What was asked longer ago is not answered any more. It has to be less than the day that accepted questions are remembered. */
const MAX_AGE_MS = 12 * 60 * 60_000;
/** The most that Discord returns at once. */
const PAGE = 100;
const PARALLEL_READS = 5;
/** A channel that cannot be read now goes behind the others. */
const PATIENCE = {
  attempts: Number.POSITIVE_INFINITY,
  baseMs: 1_000,
  capMs: 60_000,
  longestWaitMs: Number.POSITIVE_INFINITY,
};

/**
 * Begins to read what was said after `since` in these channels, each to its end; one that cannot be read now is tried again
 * until it can be. Ids de-duplicate, so reading too much is harmless.
 * @returns by channel, true once it is read to its end, or cannot be read at all; false when reading was ended first.
 */
export function readMissed(
  deps: ReadMissedDeps,
  client: Client<true>,
  channels: readonly string[],
  since: string,
): ReadonlyMap<string, Promise<boolean>> {
  const { log, signal } = deps;
  if (channels.length > 0)
    log.info({ channels: channels.length }, 'reading what was said while disconnected');
  const runInOrder = createKeyedQueue();
  const reads = channels.map((id, index) => {
    const readOn = createReader(deps, client, id, since);
    const lane = String(index % PARALLEL_READS);
    const read = retry({ ...PATIENCE, signal }, () => runInOrder(lane, readOn));
    return [id, read.then(() => true).catch(() => false)] as const;
  });
  return new Map(reads);
}

/** The channels and threads of some guilds in which something was said after `since`, newest first. */
export function channelsWithNewer(
  client: Client<true>,
  isWanted: (guild: Guild) => boolean,
  since: string,
): readonly string[] {
  return client.channels.cache
    .filter((channel) => channel.isTextBased() && !channel.isDMBased())
    .filter((channel) => isWanted(channel.guild) && channel.viewable && hasNewer(channel, since))
    .sort((a, b) => compareIds(b.lastMessageId ?? '', a.lastMessageId ?? ''))
    .map(({ id }) => id);
}

/** The later of `since` and the age beyond which nothing is answered any more. */
export function boundAge(since: string): string {
  return newestId(since, idAtTime(Date.now() - MAX_AGE_MS));
}

/** Reads a channel on from where the call before had to end. @throws {Failure} that another try may cure, or `stopped`. */
function createReader(
  deps: ReadMissedDeps,
  client: Client<true>,
  id: string,
  since: string,
): () => Promise<void> {
  const { acquire, accept, log, signal } = deps;
  let cursor = since;
  const readOn = async (): Promise<void> => {
    const channel = await openChannel(deps, client, id);
    if (!channel || !hasNewer(channel, cursor)) return;
    for (;;) {
      await acquire(signal);
      signal.throwIfAborted();
      const page = await channel.messages.fetch({ after: cursor, limit: PAGE, cache: false });
      for (const message of [...page.values()].sort((a, b) => compareIds(a.id, b.id))) {
        await accept(message);
        cursor = message.id;
      }
      if (page.size < PAGE) return;
    }
  };
  return async () => {
    try {
      await readOn();
    } catch (error) {
      const failure = failureOf(error, 'reading missed messages', signal);
      if (signal.aborted) throw failure;
      if (isClosedToUs(failure) || isUnreadable(error)) {
        return log.debug({ err: failure, channel: id }, 'channel cannot be read');
      }
      log.warn({ err: failure, channel: id }, 'channel not read yet, trying again');
      // discord.js forgets the token at the first 401, which may be a proxy's.
      if (client.token) client.rest.setToken(client.token);
      throw new Failure('unreachable', failure.message, { retryAfterMs: failure.retryAfterMs });
    }
  };
}

/** Direct conversations are not told of when a session begins: they have to be asked for. */
async function openChannel(
  { acquire, signal }: ReadMissedDeps,
  client: Client<true>,
  id: string,
): Promise<TextBasedChannel | null> {
  let channel = client.channels.cache.get(id) ?? null;
  if (!channel || channel.isDMBased()) {
    await acquire(signal);
    channel = await client.channels.fetch(id, { force: true });
  }
  return channel?.isTextBased() ? channel : null;
}

function hasNewer({ lastMessageId }: TextBasedChannel, since: string): boolean {
  return compareIds(lastMessageId ?? '0', since) > 0;
}

/** Discord's own word that the channel is gone or not for us; a page of a proxy has no code. */
function isClosedToUs({ status, code }: Failure): boolean {
  return code !== undefined && (status === 403 || status === 404);
}

/** A channel that discord.js has no class for, or not without its guild, stays as it is. */
function isUnreadable(error: unknown): boolean {
  return error instanceof DiscordjsError && error.code !== DiscordjsErrorCodes.TokenInvalid;
}

/** The direct conversations that questions came from, kept in the store: Discord has no list of them for a bot. */
export type DirectChannels = ReturnType<typeof createDirectChannels>;

/** At most one request each is spent on them when a session begins. */
const MAX_CHANNELS = 200;
const TTL_MS = 30 * 24 * 60 * 60_000;

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
