import {
  type Client,
  DiscordjsError,
  DiscordjsErrorCodes,
  type Guild,
  type Message,
  type TextBasedChannel,
} from 'discord.js';
import { sleep } from '../../core/concurrency.ts';
import type { Failure } from '../../core/failures.ts';
import type { KeyValue, Log } from '../../core/ports.ts';
import { failureOf } from './errors.ts';
import { compareIds, idAtTime } from './ids.ts';

export interface ReadMissedDeps {
  readonly client: Client<true>;
  /** Waits for a call that the rate limits allow. */
  readonly acquire: (signal: AbortSignal) => Promise<unknown>;
  /** Resolves once the message is durable, or is no question. @throws when the process stops first. */
  readonly accept: (message: Message) => Promise<void>;
  readonly log: Log;
  /** Ends all reading. */
  readonly signal: AbortSignal;
}

/** A channel that may hold messages nobody has received. */
export interface MissedChannel {
  readonly id: string;
  /** Resolves once the channel is read to its end; also when it cannot be read at all. */
  readonly done: Promise<void>;
}

interface Candidate extends MissedChannel {
  /** Everything up to here has been read. */
  cursor: string;
  readonly finish: () => void;
}

/** What was asked longer ago is not answered any more. It has to be less than the day that accepted questions are remembered. */
const MAX_AGE_MS = 12 * 60 * 60_000;
/** The most that Discord returns at once. */
const PAGE = 100;
const PARALLEL_READS = 5;
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 30_000;

/**
 * Begins to read what was said after `since` in these channels, each to its end; one that cannot be read now is tried again
 * until it can be. Ids de-duplicate, so reading too much is harmless.
 */
export function readMissed(
  deps: ReadMissedDeps,
  channels: readonly string[],
  since: string,
): readonly MissedChannel[] {
  const missed = channels.map((id): Candidate => {
    const { promise, resolve } = Promise.withResolvers<void>();
    return { id, cursor: since, done: promise, finish: resolve };
  });
  const candidates = [...missed];
  if (missed.length > 0)
    deps.log.info({ channels: missed.length }, 'reading what was said while disconnected');
  for (let worker = 0; worker < PARALLEL_READS; worker++) void readAll(deps, candidates);
  return missed;
}

/** The channels and threads of some guilds in which something was said after `since`, newest first. */
export function channelsWithNewer(
  client: Client<true>,
  isWanted: (guild: Guild) => boolean,
  since: string,
): readonly string[] {
  return client.channels.cache
    .filter((channel) => channel.isTextBased() && !channel.isDMBased())
    .filter(({ guild, lastMessageId, viewable }) => {
      return isWanted(guild) && viewable && lastMessageId && compareIds(lastMessageId, since) > 0;
    })
    .sort((a, b) => compareIds(b.lastMessageId ?? '', a.lastMessageId ?? ''))
    .map(({ id }) => id);
}

/** The later of `since` and the age beyond which nothing is answered any more. */
export function boundAge(since: string): string {
  const oldest = idAtTime(Date.now() - MAX_AGE_MS);
  return compareIds(since, oldest) > 0 ? since : oldest;
}

/** One of several that take channels from the same list. A channel that cannot be read now goes to its end. */
async function readAll(deps: ReadMissedDeps, candidates: Candidate[]): Promise<void> {
  const { log, signal } = deps;
  for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; ) {
    const candidate = candidates.shift();
    if (!candidate) return;
    try {
      await readChannel(deps, candidate);
      if (signal.aborted) return;
      candidate.finish();
      pauseMs = FIRST_PAUSE_MS;
    } catch (error) {
      if (signal.aborted) return;
      const failure = failureOf(error, 'reading missed messages', signal);
      if (isClosedToUs(failure) || isUnreadable(error)) {
        log.debug({ err: failure, channel: candidate.id }, 'channel cannot be read');
        candidate.finish();
        continue;
      }
      log.warn({ err: failure, channel: candidate.id }, 'channel not read yet, trying again');
      // discord.js forgets the token at the first 401, which may be a proxy's.
      if (deps.client.token) deps.client.rest.setToken(deps.client.token);
      candidates.push(candidate);
      await sleep(Math.max(pauseMs, failure.retryAfterMs ?? 0), signal);
      pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
    }
  }
}

/** Discord's own word that the channel is gone or not for us; a page of a proxy has no code. */
function isClosedToUs({ status, code }: Failure): boolean {
  return code !== undefined && (status === 403 || status === 404);
}

/** A channel that discord.js has no class for, or not without its guild, stays as it is. */
function isUnreadable(error: unknown): boolean {
  return error instanceof DiscordjsError && error.code !== DiscordjsErrorCodes.TokenInvalid;
}

async function readChannel(deps: ReadMissedDeps, candidate: Candidate): Promise<void> {
  const { acquire, accept, signal } = deps;
  const channel = await openChannel(deps, candidate);
  if (!channel) return;
  for (;;) {
    await acquire(signal);
    if (signal.aborted) return;
    const page = await channel.messages.fetch({ after: candidate.cursor, limit: PAGE, cache: false });
    for (const message of [...page.values()].sort((a, b) => compareIds(a.id, b.id))) {
      await accept(message);
      candidate.cursor = message.id;
    }
    if (page.size < PAGE) return;
  }
}

/** Null for what has nothing new. Direct conversations are not told of when a session begins: they have to be asked for. */
async function openChannel(
  { client, acquire, signal }: ReadMissedDeps,
  { id, cursor }: Candidate,
): Promise<TextBasedChannel | null> {
  const known = client.channels.cache.get(id);
  if (known && !known.isDMBased()) return known.isTextBased() ? known : null;
  await acquire(signal);
  const channel = await client.channels.fetch(id, { force: true });
  if (!channel?.isDMBased() || !channel.isTextBased()) return null;
  const hasNew = compareIds(channel.lastMessageId ?? '0', cursor) > 0;
  return hasNew ? channel : null;
}

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
  const list = async (): Promise<readonly string[]> => (await store.get<readonly string[]>(key)) ?? [];
  let newest: string | null = null;
  return {
    list,
    async remember(channel) {
      if (newest === channel) return;
      // Read anew: on a planned restart two processes write it for a while.
      const others = (await list()).filter((id) => id !== channel);
      await store.set(key, [channel, ...others].slice(0, MAX_CHANNELS), TTL_MS);
      newest = channel;
    },
  };
}
