import { type Client, Events } from 'discord.js';
import { sleep } from '../../core/concurrency.ts';
import { Failure } from '../../core/failures.ts';
import type { KeyValue, Log } from '../../core/ports.ts';
import { isRetryable } from '../../core/retry.ts';
import { createDiscordClient } from './client.ts';
import { failureOf } from './errors.ts';
import { sendSocketsThroughProxy } from './gateway-proxy.ts';
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
  /** @throws {Failure} with a remedy when there is no session after 30 s, or there never can be one. */
  connect(): Promise<void>;
  isConnected(): boolean;
  /** Disconnects; waits for Discord to agree for at most 1 s. */
  close(): Promise<void>;
}

const DEADLINE_MS = 30_000;
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 4_000;
/** Discord has its clients reconnect every few hours, which takes a second or two. */
const SHORT_OUTAGE_MS = 4_000;
const DISALLOWED_INTENTS = 4014;

const FATAL: Readonly<Record<number, string>> = {
  4004: 'DISCORD_TOKEN: Discord refuses it; copy a new one from the developer portal (Bot > Reset Token)',
  4010: 'Discord refuses the shard (4010): this is a bug, please report it',
  4011: 'Discord wants more shards for this bot: restart it',
  4012: 'Discord no longer speaks this version of its gateway: update Footnote',
  4013: 'Discord refuses the intents (4013): this is a bug, please report it',
  4014: 'Discord disallows the intents (4014): see Bot > Privileged Gateway Intents in the developer portal',
};

const NO_CONNECTION = "no connection to Discord's gateway";

const MENTION_ONLY =
  'Discord does not let this bot read messages that do not mention it; answering mentions only. To change that switch on "Message Content Intent" in the developer portal (Bot); to silence this set DISCORD_MESSAGE_CONTENT=false';

/** Prepares the connection; nothing is sent before `connect`. */
export function createGateway(deps: GatewayDeps): Gateway {
  const closing = new AbortController();
  const identifyThrottler = createIdentifyThrottler(deps);
  let messageContent = deps.messageContent;
  let session: Session | null = null;

  /** True when the same may be tried without the Message Content intent. */
  const isContentRefused = ({ code }: Failure): boolean => {
    if (code !== String(DISALLOWED_INTENTS) || !messageContent) return false;
    deps.log.warn({ code }, MENTION_ONLY);
    messageContent = false;
    return true;
  };
  /** Tries until there is a session. @throws {Failure} when there can be none, or none before the abort. */
  const open = async (signal: AbortSignal): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      const client = createDiscordClient({ ...deps, messageContent, identifyThrottler });
      session = openSession(client, deps, reopen);
      const failure = await Promise.race([session.begin(), untilAborted(signal)]);
      if (failure === null) return;
      await session.end();
      if (!signal.aborted && isContentRefused(failure)) continue;
      if (signal.aborted || !isRetryable(failure)) throw failure;
      await pauseAfter(failure, attempt, deps.log, signal);
    }
  };
  /** Never rejects. */
  const reopen = async (failure: Failure): Promise<void> => {
    try {
      if (closing.signal.aborted || !isContentRefused(failure)) throw failure;
      await session?.end();
      await open(closing.signal);
    } catch (error) {
      if (!closing.signal.aborted) deps.onFatal(failureOf(error, 'the gateway'));
    }
  };
  return {
    async connect() {
      try {
        await withDeadline(closing.signal, open);
      } catch (error) {
        const failure = failureOf(error, 'the gateway');
        if (Number(failure.code) in FATAL) deps.onFatal(failure);
        throw failure;
      }
    },
    isConnected: () => session?.isReady() ?? false,
    async close() {
      closing.abort();
      await session?.end();
    },
  };
}

/** Waits before the next try. The first failure is news, the ones after it seldom are. */
async function pauseAfter(failure: Failure, attempt: number, log: Log, signal: AbortSignal): Promise<void> {
  const level = attempt === 1 ? 'warn' : 'debug';
  log[level]({ reason: failure.message }, `${NO_CONNECTION} yet, still trying`);
  await sleep(Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), MAX_PAUSE_MS), signal);
}

async function withDeadline(signal: AbortSignal, run: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), DEADLINE_MS);
  await run(AbortSignal.any([late.signal, signal])).finally(() => clearTimeout(timer));
}

interface Session {
  /** Resolves once all shards are ready, or with the reason why they are not. Never rejects. */
  begin(): Promise<Failure | null>;
  isReady(): boolean;
  end(): Promise<void>;
}

/** @param onLost told when Discord ends a session that had begun, for good. */
function openSession(
  client: Client,
  deps: GatewayDeps,
  onLost: (failure: Failure) => Promise<void>,
): Session {
  const { token, log } = deps;
  sendSocketsThroughProxy();
  const shards = watchShards(client, log);
  const ready = Promise.withResolvers<null>();
  const refused = Promise.withResolvers<Failure>();
  let hasBegun = false;
  client.on(Events.ShardDisconnect, ({ code }) => {
    const failure = closedFailure(code);
    refused.resolve(failure);
    if (hasBegun) void onLost(failure);
  });
  // Without a listener an error would be thrown.
  client.on(Events.Error, (error) => log.warn({ err: error }, 'discord.js failed'));
  client.on(Events.ClientReady, () => {
    hasBegun = true;
    ready.resolve(null);
  });
  deps.attach(client);
  return {
    async begin() {
      const failed = client.login(token).then(
        () => ready.promise,
        (error: unknown) => loginFailure(error),
      );
      return Promise.race([refused.promise, failed]);
    },
    isReady: () => client.isReady() && shards.areUp(),
    async end() {
      shards.stop();
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
    return new Failure('rejected', reason, { remedy });
  }
  const failure = failureOf(error, 'GET /gateway/bot');
  const isRefused =
    failure.kind === 'not-authorised' ||
    (error instanceof Error && 'code' in error && error.code === 'TokenInvalid');
  return isRefused ? new Failure('not-authorised', reason, { status: 401, remedy: FATAL[4004] }) : failure;
}

function untilAborted(signal: AbortSignal): Promise<Failure> {
  const remedy =
    "DISCORD_API_URL, network: no connection to Discord's gateway within 30 s; see discordstatus.com";
  const failure = new Failure('unreachable', 'no gateway session in time', { remedy });
  return new Promise((resolve) => {
    if (signal.aborted) resolve(failure);
    signal.addEventListener('abort', () => resolve(failure), { once: true });
  });
}
