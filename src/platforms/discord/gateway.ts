import { type Client, Events } from 'discord.js';
import { sleep } from '../../core/concurrency.ts';
import { Failure } from '../../core/failures.ts';
import type { KeyValue, Log } from '../../core/ports.ts';
import { isRetryable, retry } from '../../core/retry.ts';
import { createDiscordClient } from './client.ts';
import { failureOf, TOKEN_REMEDY } from './errors.ts';
import { guardSockets } from './guard-sockets.ts';
import { createIdentifyThrottler } from './identify-throttler.ts';
import type { RestOptions } from './rest.ts';

export interface GatewayDeps extends RestOptions {
  readonly botId: string;
  readonly messageContent: boolean;
  readonly store: KeyValue;
  /** Adds listeners to a client before it logs in. There may be several, one after the other. */
  readonly attach: (client: Client) => void;
  /** It ended in a way that no reconnect cures. */
  readonly onFatal: (failure: Failure) => void;
}

const DEADLINE_MS = 30_000;
/** Another client is needed where discord.js gives up: when the first connection fails. */
const PATIENCE = {
  attempts: Number.POSITIVE_INFINITY,
  baseMs: 500,
  capMs: 5_000,
  longestWaitMs: Number.POSITIVE_INFINITY,
};
/** Discord has its clients reconnect every few hours, which takes a second or two. */
const SHORT_OUTAGE_MS = 4_000;
/** Before a session is tried for again that was refused, as with a token that is being reset. */
const REFUSED_PAUSE_MS = 30_000;
const DISALLOWED_INTENTS = '4014';

const FATAL: Readonly<Record<number, string>> = {
  4004: TOKEN_REMEDY,
  4010: 'Discord refuses the shard (4010): this is a bug, please report it',
  4011: 'Discord wants more shards for this bot: restart it',
  4012: 'Discord no longer speaks this version of its gateway: update Footnote',
  4013: 'Discord refuses the intents (4013): this is a bug, please report it',
  4014: 'Discord disallows the intents (4014): see Bot > Privileged Gateway Intents in the developer portal',
};

const LATE =
  "no connection to Discord's gateway within 30 s, still trying: check the network, DISCORD_API_URL if it is set, and discordstatus.com";

const CLOSED = new Failure('stopped', 'closed before there was a gateway session');

const NO_CONNECTION = "no connection to Discord's gateway";

const MENTION_ONLY =
  'Discord does not let this bot read messages that do not mention it; answering mentions only. To change that switch on "Message Content Intent" in the developer portal (Bot); to silence this set DISCORD_MESSAGE_CONTENT=false';

export type Gateway = ReturnType<typeof createGateway>;

/**
 * Prepares the connection to Discord's gateway; nothing is sent before `connect`. discord.js resumes or renews its sessions after
 * every fault that allows it.
 */
export function createGateway(deps: GatewayDeps) {
  const { log } = deps;
  const closing = new AbortController();
  const identifyThrottler = createIdentifyThrottler(deps);
  let messageContent = deps.messageContent;
  let session: ReturnType<typeof openSession> | null = null;
  let isAwaited = true;
  let isTold = false;

  const tellWait = ({ message, remedy }: Failure): void => {
    const level = isTold ? 'debug' : 'warn';
    log[level]({ reason: message, remedy }, `${NO_CONNECTION} yet, still trying`);
    isTold = true;
  };
  /** Resolves when it was closed. @throws {Failure} why the session has ended, or could not begin. */
  const holdSession = async (watch: (client: Client) => void): Promise<void> => {
    const client = createDiscordClient({ ...deps, messageContent, identifyThrottler });
    watch(client);
    client.on(Events.ClientReady, () => {
      isTold = false;
    });
    session = openSession(client, deps);
    const failure = await session.lost;
    await session.end();
    if (closing.signal.aborted) return;
    if (failure.code === DISALLOWED_INTENTS && messageContent) {
      log.warn({ code: failure.code }, MENTION_ONLY);
      messageContent = false;
      return holdSession(watch);
    }
    const isFatal = Number(failure.code) in FATAL;
    if (isFatal) deps.onFatal(failure);
    if (isFatal || isAwaited || isRetryable(failure)) throw failure;
    log.error({ err: failure }, 'the gateway connection has ended');
    throw new Failure('unreachable', failure.message, { retryAfterMs: REFUSED_PAUSE_MS });
  };
  return {
    /**
     * Resolves once there is a session; after 30 s without a (further) one too, and then goes on trying.
     * @throws {Failure} with a remedy when there never can be one.
     */
    async connect(): Promise<void> {
      const policy = { ...PATIENCE, signal: closing.signal, onWait: tellWait };
      await untilBegun(log, (watch) => retry(policy, () => holdSession(watch)));
      isAwaited = false;
    },
    isConnected: (): boolean => session?.isReady() ?? false,
    /** Disconnects; waits for Discord to agree for at most 1 s. */
    async close(): Promise<void> {
      closing.abort();
      await session?.end();
    },
  };
}

/** Resolves once there is a session, or when there has been no progress for 30 s. @throws {Failure} when there will be none. */
async function untilBegun(log: Log, hold: (watch: (client: Client) => void) => Promise<void>): Promise<void> {
  const begun = Promise.withResolvers<void>();
  const late = setTimeout(() => {
    log.warn({}, LATE);
    begun.resolve();
  }, DEADLINE_MS).unref();
  const held = hold((client) => {
    // Shards begin their sessions one after the other, 5 s apart.
    client.on(Events.ShardReady, () => void late.refresh());
    client.on(Events.ClientReady, () => begun.resolve());
  });
  held.then(() => begun.reject(CLOSED), begun.reject);
  await begun.promise.finally(() => clearTimeout(late));
}

function openSession(client: Client, { token, log, attach }: GatewayDeps) {
  const down = watchShards(client, log);
  const lost = Promise.withResolvers<Failure>();
  client.on(Events.ShardDisconnect, ({ code }) => lost.resolve(closedFailure(code)));
  // Without a listener an error would be thrown.
  client.on(Events.Error, (error) => log.warn({ err: error }, 'discord.js failed'));
  attach(client);
  client.login(token).catch((error: unknown) => lost.resolve(loginFailure(error)));
  guardSockets(client);
  return {
    /** Resolves when there cannot be a session, when Discord has ended it for good, or after `end`; with the reason. */
    lost: lost.promise,
    isReady: (): boolean => client.isReady() && down.size === 0,
    async end(): Promise<void> {
      down.clear();
      // discord.js says nothing when it is destroyed before it is ready.
      lost.resolve(CLOSED);
      // A peer that does not answer keeps the closing handshake open for half a minute.
      await Promise.race([client.destroy().catch(() => {}), sleep(1_000)]);
    },
  };
}

/** The shards without a connection. Says so once per outage: discord.js tries again twice a second, without a word. */
function watchShards(client: Client, log: Log): Set<number> {
  const down = new Set<number>();
  let reason = 'its address cannot be reached, from here or through the proxy';
  const isDown = (shard: number): void => {
    const tell = (): void => {
      if (down.has(shard)) log.warn({ shard, reason }, `${NO_CONNECTION}, still trying`);
    };
    if (!down.has(shard)) setTimeout(tell, SHORT_OUTAGE_MS).unref();
    down.add(shard);
  };
  const isUp = (shard: number, how: string): void => {
    down.delete(shard);
    log.info({ shard }, how);
  };
  client.on(Events.ShardReady, (shard) => isUp(shard, 'gateway session begun'));
  client.on(Events.ShardResume, (shard) => isUp(shard, 'gateway session resumed'));
  client.on(Events.ShardReconnecting, isDown);
  client.on(Events.ShardDisconnect, (_, shard) => isDown(shard));
  client.on(Events.ShardError, (error, shard) => {
    reason = error.message;
    isDown(shard);
  });
  return down;
}

function closedFailure(code: number): Failure {
  const kind = code === 4004 ? 'not-authorised' : 'rejected';
  return new Failure(kind, `the gateway closed with ${code}`, { code: String(code), remedy: FATAL[code] });
}

function loginFailure(error: unknown): Failure {
  const reason = error instanceof Error ? error.message : 'unknown error';
  if (reason.startsWith('Not enough sessions')) {
    const remedy =
      'DISCORD_TOKEN: the bot has used up its new gateway sessions for today; look for a restart loop';
    return new Failure('unreachable', reason, { remedy });
  }
  const failure = failureOf(error, 'GET /gateway/bot');
  const { kind, message, status, retryAfterMs } = failure;
  if (kind === 'not-authorised') return failure;
  // Whatever else it is, Discord or a proxy may answer otherwise the next time.
  return new Failure('unreachable', message, { status, retryAfterMs });
}
