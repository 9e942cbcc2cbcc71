import { type Client, Events, type Guild } from 'discord.js';
import { sleep } from '../../core/concurrency.ts';
import { boundAge, channelsWithNewer, type ReadMissedDeps, readMissed } from './read-missed.ts';
import type { Watermark } from './watermark.ts';

export interface CatchUpDeps extends ReadMissedDeps {
  readonly watermark: Watermark;
  /** The direct conversations to ask for. @throws when the process stops first. */
  readonly conversations: () => Promise<readonly string[]>;
  /** Follows a task that nobody waits for. */
  readonly run: (task: Promise<void>) => void;
  /** Runs a task behind those of the same channel. */
  readonly runInOrder: (channel: string, task: () => Promise<unknown>) => Promise<unknown>;
}

/**
 * Reads over REST what was said while a shard had no session. Until it is known what was missed, new messages of that shard
 * wait, and then those of a channel until its missed ones are durable: a conversation stays in order.
 */
export interface CatchUp {
  /** Listens to the sessions of a client that is not logged in yet. */
  attach(client: Client): void;
  /** Resolves once new messages of the shard may be put in line; null when they may already. */
  whenKnown(shard: number): Promise<void> | null;
}

/** A time without a session. The watermark is held at `since` until all of it is caught up with. */
interface Gap {
  readonly since: string;
  readonly release: () => void;
  readonly known: PromiseWithResolvers<void>;
}

/** New messages of a channel wait no longer than this for the missed ones: what cannot be read may never be. */
const MAX_HOLD_MS = 30_000;

export function createCatchUp(deps: CatchUpDeps): CatchUp {
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
    attach(client) {
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
    whenKnown: (shard) => gaps.get(shard)?.known.promise ?? null,
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
  const since = boundAge(gap.since);
  const channels = [...conversations, ...channelsWithNewer(client, isWanted, since)];
  const reads = readMissed(deps, client, channels, since);
  for (const [channel, read] of reads) {
    void deps.runInOrder(channel, () => Promise.race([read, sleep(MAX_HOLD_MS, deps.signal)]));
  }
  gap.known.resolve();
  void Promise.all(reads.values()).then((ends) => ends.every((isRead) => isRead) && gap.release());
}
