import { type Client, Events, type Guild } from 'discord.js';
import { sleep } from '../../core/concurrency.ts';
import {
  boundAge,
  channelsWithNewer,
  type DirectChannels,
  type MissedChannel,
  type ReadMissedDeps,
  readMissed,
} from './read-missed.ts';
import type { Watermark } from './watermark.ts';

export interface CatchUpDeps extends Omit<ReadMissedDeps, 'client'> {
  readonly watermark: Watermark;
  readonly direct: DirectChannels;
  /** Runs a task behind those of the same channel. */
  readonly runInOrder: (channel: string, task: () => Promise<void>) => Promise<void>;
}

/**
 * Reads over REST what was said while a shard had no session. Until it is known what was missed, new messages of that shard
 * wait, and then those of a channel until its missed ones are durable: a conversation stays in order.
 */
export interface CatchUp {
  /**
   * Listens to the sessions of a client that is not logged in yet.
   * @param run runs what has to be done when a session has begun, again until it succeeds.
   */
  attach(client: Client, run: (begin: () => Promise<void>) => void): void;
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
    const gap = gapOf(shard);
    // Discord sends direct messages to the first shard only.
    const conversations = shard === 0 ? await deps.direct.list() : [];
    gaps.delete(shard);
    fillGap(deps, client, gap, { conversations, isWanted: (guild) => guild.shardId === shard });
  };

  return {
    attach(client, run) {
      login ??= openGap(watermark.get());
      client.on(Events.ShardReconnecting, gapOf);
      client.on(Events.ShardResume, (shard) => {
        const gap = gaps.get(shard);
        gaps.delete(shard);
        if (gap) closeGap(deps, gap, []);
      });
      client.on(Events.ShardReady, (shard, unavailable) => {
        const { since } = gapOf(shard);
        for (const guild of unavailable ?? []) {
          if (!lateGuilds.has(guild)) lateGuilds.set(guild, openGap(since));
        }
        // READY, which comes before, has told the client who it is.
        run(() => beginSession(client as Client<true>, shard));
      });
      client.on(Events.ClientReady, () => {
        login?.release();
        login = null;
      });
      client.on(Events.GuildAvailable, (guild) => {
        const gap = lateGuilds.get(guild.id);
        lateGuilds.delete(guild.id);
        if (gap)
          fillGap(deps, guild.client, gap, { conversations: [], isWanted: ({ id }) => id === guild.id });
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
  where: { readonly conversations: readonly string[]; readonly isWanted: (guild: Guild) => boolean },
): void {
  const since = boundAge(gap.since);
  const channels = channelsWithNewer(client, where.isWanted, since);
  closeGap(deps, gap, readMissed({ ...deps, client }, [...where.conversations, ...channels], since));
}

function closeGap(
  { runInOrder, signal }: CatchUpDeps,
  { known, release }: Gap,
  missed: readonly MissedChannel[],
): void {
  for (const { id, done } of missed) {
    void runInOrder(id, () => Promise.race([done, sleep(MAX_HOLD_MS, signal)]));
  }
  known.resolve();
  void Promise.all(missed.map(({ done }) => done)).then(release);
}
