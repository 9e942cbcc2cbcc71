import {
  type Client,
  DiscordjsError,
  DiscordjsErrorCodes,
  Events,
  type Guild,
  type Message,
  type TextBasedChannel,
} from 'discord.js';
import { createKeyedQueue, sleep } from '../../core/concurrency.ts';
import { Failure } from '../../core/failures.ts';
import type { Log } from '../../core/ports.ts';
import { retry } from '../../core/retry.ts';
import { failureOf } from './errors.ts';
import { compareIds, idAtTime, newestId } from './ids.ts';
import type { Watermark } from './watermark.ts';

export interface CatchUpDeps {
  readonly watermark: Watermark;
  /** The direct conversations to ask for. @throws when the process stops first. */
  readonly conversations: () => Promise<readonly string[]>;
  /** Resolves once the message is durable, or is no question. @throws when the process stops first. */
  readonly accept: (message: Message) => Promise<void>;
  /** Waits for a call that the rate limits allow. */
  readonly acquire: (signal: AbortSignal) => Promise<unknown>;
  /** Follows a task that nobody waits for. */
  readonly run: (task: Promise<void>) => void;
  /** Runs a task behind those of the same channel. */
  readonly runInOrder: (channel: string, task: () => Promise<unknown>) => Promise<unknown>;
  readonly log: Log;
  /** Ends all reading. */
  readonly signal: AbortSignal;
}

/** A time without a session. The watermark is held at `since` until all of it is caught up with. */
interface Gap {
  readonly since: string;
  readonly release: () => void;
  readonly known: PromiseWithResolvers<void>;
}

/** New messages of a channel wait no longer than this for the missed ones: what cannot be read may never be. */
const MAX_HOLD_MS = 30_000;

/**
 * Reads over REST what was said while a shard had no session. Until it is known what was missed, new messages of that shard
 * wait, and then those of a channel until its missed ones are durable: a conversation stays in order.
 */
export function createCatchUp(deps: CatchUpDeps) {
  const { watermark } = deps;
  const gaps = new Map<number, Gap>();
  const lateGuilds = new Map<string, Gap>();
  /** Of the shards that have had no session yet. */
  let login: Gap | null = null;

  const openGap = (since: string): Gap => {
    return { since, release: watermark.hold(since), known: Promise.withResolvers<void>() };
  };
  const gapOf = (shard: number): Gap => {
    const gap = gaps.get(shard) ?? openGap(login?.since ?? watermark.get());
    gaps.set(shard, gap);
    return gap;
  };
  const beginSession = async (client: Client<true>, shard: number): Promise<void> => {
    // Discord sends direct messages to the first shard only.
    const conversations = shard === 0 ? await deps.conversations() : [];
    const gap = gapOf(shard);
    gaps.delete(shard);
    fillGap(deps, client, gap, conversations, (guild) => guild.shardId === shard);
  };

  return {
    /** Listens to the sessions of a client that is not logged in yet. */
    attach(client: Client): void {
      login ??= openGap(watermark.get());
      client.on(Events.ShardReconnecting, gapOf);
      client.on(Events.ShardResume, (shard) => {
        const gap = gaps.get(shard);
        gaps.delete(shard);
        gap?.known.resolve();
        gap?.release();
      });
      client.on(Events.ShardReady, (shard, unavailable) => {
        const { since } = gapOf(shard);
        for (const guild of unavailable ?? []) {
          if (!lateGuilds.has(guild)) lateGuilds.set(guild, openGap(since));
        }
        // READY, which comes before, has told the client who it is.
        deps.run(beginSession(client as Client<true>, shard));
      });
      client.on(Events.ClientReady, () => {
        login?.release();
        login = null;
      });
      client.on(Events.GuildAvailable, (guild) => {
        const gap = lateGuilds.get(guild.id);
        lateGuilds.delete(guild.id);
        if (gap) fillGap(deps, guild.client, gap, [], ({ id }) => id === guild.id);
      });
    },
    /** Resolves once new messages of the shard may be put in line; null when they may already. */
    whenKnown: (shard: number): Promise<void> | null => gaps.get(shard)?.known.promise ?? null,
  };
}

/** Begins to read what was missed in the channels of some guilds, and in these direct conversations. */
function fillGap(
  deps: CatchUpDeps,
  client: Client<true>,
  gap: Gap,
  conversations: readonly string[],
  isWanted: (guild: Guild) => boolean,
): void {
  const since = newestId(gap.since, idAtTime(Date.now() - MAX_AGE_MS));
  const channels = [...conversations, ...channelsWithNewer(client, isWanted, since)];
  const reads = readMissed(deps, client, channels, since);
  for (const [channel, read] of reads) {
    void deps.runInOrder(channel, () => Promise.race([read, sleep(MAX_HOLD_MS, deps.signal)]));
  }
  gap.known.resolve();
  void Promise.all(reads.values()).then((ends) => ends.every((isRead) => isRead) && gap.release());
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
function readMissed(
  deps: CatchUpDeps,
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
function channelsWithNewer(
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

/** Reads a channel on from where the call before had to end. @throws {Failure} that another try may cure, or `stopped`. */
function createReader(
  deps: CatchUpDeps,
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
  { acquire, signal }: CatchUpDeps,
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
