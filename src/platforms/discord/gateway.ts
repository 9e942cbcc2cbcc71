import { type Client, Events } from 'discord.js';
import { sleep } from '../../core/concurrency.ts';
import { Failure } from '../../core/failures.ts';
import type { KeyValue, Log } from '../../core/ports.ts';
import { retry } from '../../core/retry.ts';
import { createDiscordClient } from './client.ts';
import { failureOf, TOKEN_REMEDY } from './errors.ts';
import { guardSockets } from './guard-sockets.ts';
import { createIdentifyThrottler } from './identify-throttler.ts';

export interface GatewayDeps {
  readonly token: string;
  readonly apiUrl: string | null;
  readonly botId: string;
  readonly messageContent: boolean;
  readonly store: KeyValue;
  readonly log: Log;
  /** Adds listeners to a client before it logs in. There may be several, one after the other. */
  readonly attach: (client: Client) => void;
  /** It ended in a way that no reconnect cures. */
  readonly onFatal: (failure: Failure) => void;
}

/** The connection to Discord's gateway. discord.js resumes or renews its sessions after every fault that allows it. */
export interface Gateway {
  /**
   * Resolves once there is a session; after 30 s without a (further) one too, and then goes on trying.
   * @throws {Failure} with a remedy when there never can be one.
   */
  connect(): Promise<void>;
  isConnected(): boolean;
  /** Disconnects; waits for Discord to agree for at most 1 s. */
  close(): Promise<void>;
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

/** Prepares the connection; nothing is sent before `connect`. */
export function createGateway(deps: GatewayDeps): Gateway {
  const { log } = deps;
  const closing = new AbortController();
  const identifyThrottler = createIdentifyThrottler(deps);
  let messageContent = deps.messageContent;
  let session: Session | null = null;

  /** @throws {Failure} */
  const open = async (onProgress: () => void): Promise<void> => {
    await session?.end();
    if (closing.signal.aborted) throw CLOSED;
    const mine = openSession(createDiscordClient({ ...deps, messageContent, identifyThrottler }), deps);
    session = mine;
    await mine.begin(onProgress);
    goOn(mine.lost.then((failure) => recover(failure, () => {})));
  };
  const goOn = (tries: Promise<void>): void => watchTries(tries, again, { log, signal: closing.signal });
  const again = (): Promise<void> => establish(() => {});
  /** Goes on without the Message Content intent where only that is refused. @throws {Failure} where it is something else. */
  const recover = async (failure: Failure, onProgress: () => void): Promise<void> => {
    await session?.end();
    const isContentRefused = failure.code === DISALLOWED_INTENTS && messageContent;
    if (closing.signal.aborted || !isContentRefused) {
      if (!closing.signal.aborted && Number(failure.code) in FATAL) deps.onFatal(failure);
      throw failure;
    }
    log.warn({ code: failure.code }, MENTION_ONLY);
    messageContent = false;
    await establish(onProgress);
  };
  const establish = async (onProgress: () => void): Promise<void> => {
    const tries = retry({ ...PATIENCE, signal: closing.signal, onWait: warnOnce(log) }, () =>
      open(onProgress),
    );
    await tries.catch((error: unknown) => recover(failureOf(error, 'the gateway'), onProgress));
  };
  return {
    async connect() {
      const { established, isLate } = await untilDeadline(establish);
      if (!isLate) return;
      log.warn({}, LATE);
      goOn(established);
    },
    isConnected: () => session?.isReady() ?? false,
    async close() {
      closing.abort();
      await session?.end();
    },
  };
}

/** For tries that nobody waits for any more: after a refusal that may pass there are others. */
function watchTries(
  tries: Promise<void>,
  again: () => Promise<void>,
  { log, signal }: { readonly log: Log; readonly signal: AbortSignal },
): void {
  tries.catch(async (error: unknown) => {
    if (signal.aborted) return;
    log.error({ err: error }, 'the gateway connection has ended');
    if (error instanceof Failure && Number(error.code) in FATAL) return;
    await sleep(REFUSED_PAUSE_MS, signal);
    if (!signal.aborted) watchTries(again(), again, { log, signal });
  });
}

/** Says the first wait as a warning. */
function warnOnce(log: Log): (failure: Failure) => void {
  let level: 'warn' | 'debug' = 'warn';
  return ({ message, remedy }) => {
    log[level]({ reason: message, remedy }, `${NO_CONNECTION} yet, still trying`);
    level = 'debug';
  };
}

/** Waits for a session; no longer than until there has been no progress for 30 s. */
async function untilDeadline(
  establish: (onProgress: () => void) => Promise<void>,
): Promise<{ readonly established: Promise<void>; readonly isLate: boolean }> {
  const late = Promise.withResolvers<true>();
  const timer = setTimeout(() => late.resolve(true), DEADLINE_MS).unref();
  // Shards begin their sessions one after the other, 5 s apart.
  const established = establish(() => timer.refresh());
  const isLate = await Promise.race([established.then(() => false), late.promise]).finally(() =>
    clearTimeout(timer),
  );
  return { established, isLate };
}

interface Session {
  /** Resolves once all shards are ready. @throws {Failure} with the reason why they are not. */
  begin(onProgress: () => void): Promise<void>;
  /** Resolves when Discord ends the session for good, with the reason. */
  readonly lost: Promise<Failure>;
  isReady(): boolean;
  end(): Promise<void>;
}

function openSession(client: Client, { token, log, attach }: GatewayDeps): Session {
  const shards = watchShards(client, log);
  const ready = Promise.withResolvers<void>();
  const lost = Promise.withResolvers<Failure>();
  client.on(Events.ClientReady, () => ready.resolve());
  client.on(Events.ShardDisconnect, ({ code }) => lost.resolve(closedFailure(code)));
  // Without a listener an error would be thrown.
  client.on(Events.Error, (error) => log.warn({ err: error }, 'discord.js failed'));
  attach(client);
  return {
    async begin(onProgress) {
      client.on(Events.ShardReady, onProgress);
      client.login(token).catch((error: unknown) => ready.reject(loginFailure(error)));
      guardSockets(client);
      void lost.promise.then(ready.reject);
      await ready.promise;
    },
    lost: lost.promise,
    isReady: () => client.isReady() && shards.areUp(),
    async end() {
      shards.stop();
      // discord.js says nothing when it is destroyed before it is ready.
      ready.reject(CLOSED);
      // A peer that does not answer keeps the closing handshake open for half a minute.
      await Promise.race([client.destroy().catch(() => {}), sleep(1_000)]);
    },
  };
}

/** Says once per outage that a shard has no connection: discord.js tries again twice a second, without a word. */
function watchShards(client: Client, log: Log): { areUp(): boolean; stop(): void } {
  const down = new Map<number, ReturnType<typeof setTimeout>>();
  let reason = 'its address cannot be reached, from here or through the proxy';
  const isDown = (shard: number): void => {
    const tell = (): void => log.warn({ shard, reason }, `${NO_CONNECTION}, still trying`);
    if (!down.has(shard)) down.set(shard, setTimeout(tell, SHORT_OUTAGE_MS).unref());
  };
  const isUp = (shard: number, how: string): void => {
    clearTimeout(down.get(shard));
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
  return {
    areUp: () => down.size === 0,
    stop() {
      for (const timer of down.values()) clearTimeout(timer);
    },
  };
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
  const { kind, message, status, retryAfterMs } = failureOf(error, 'GET /gateway/bot');
  if (kind === 'not-authorised') return new Failure(kind, message, { status, remedy: TOKEN_REMEDY });
  // Whatever else it is, Discord or a proxy may answer otherwise the next time.
  return new Failure('unreachable', message, { status, retryAfterMs });
}
