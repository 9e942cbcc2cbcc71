import { WebSocketManager, WebSocketShardEvents } from '@discordjs/ws';
import { GatewayIntentBits } from 'discord-api-types/v10';
import { sleep } from '../../core/concurrency.ts';
import { Failure } from '../../core/failures.ts';
import type { KeyValue, Log } from '../../core/ports.ts';
import { retry } from '../../core/retry.ts';
import { failureOf } from './errors.ts';
import { createIdentifyPace } from './identify-pace.ts';
import type { DiscordRest } from './rest.ts';
import { createSessions, type Sessions } from './sessions.ts';

/** One event as it came; `done` is called when it is dealt with, with the message it was about. */
export interface Dispatch {
  readonly type: string;
  readonly data: unknown;
  /** On READY: the newest message dealt with before this new session; messages since then may have been missed. */
  readonly newestBefore: string | null;
  readonly done: (message: string | null, isQuestion: boolean) => void;
}

export interface GatewayDeps {
  readonly rest: DiscordRest;
  readonly token: string;
  readonly botId: string;
  readonly messageContent: boolean;
  readonly store: KeyValue;
  readonly log: Log;
  readonly receive: (dispatch: Dispatch) => void;
  /** It ended in a way that no reconnect cures; also the reason `connect` rejects with. */
  readonly onFatal: (failure: Failure) => void;
}

/** The connection to Discord's gateway. It resumes by itself after every fault that allows it. */
export interface Gateway {
  /** @throws {Failure} with a remedy when there is no session after 30 s, or there never can be one. */
  connect(): Promise<void>;
  isConnected(): boolean;
  /** Disconnects, waits for what was received to be dealt with, and leaves the session resumable for the next process. */
  close(drained: () => Promise<void>): Promise<void>;
}

const BASE_INTENTS =
  GatewayIntentBits.Guilds | GatewayIntentBits.GuildMessages | GatewayIntentBits.DirectMessages;
const DEADLINE_MS = 30_000;
/** 1000 and 1001 would end the session (docs: topics/gateway). */
const KEEP_SESSION = 4200;
const DISALLOWED_INTENTS = 4014;

const FATAL: Readonly<Record<number, string>> = {
  4004: 'DISCORD_TOKEN: Discord refuses it; copy a new one from the developer portal (Bot > Reset Token)',
  4010: 'Discord refuses the shard (4010): this is a bug, please report it',
  4011: 'Discord wants more shards for this bot: restart it',
  4012: 'Discord no longer speaks this version of its gateway: update Footnote',
  4013: 'Discord refuses the intents (4013): this is a bug, please report it',
  4014: 'Discord disallows the intents (4014): see Bot > Privileged Gateway Intents in the developer portal',
};

/** Prepares the connection; nothing is sent before `connect`. */
export function createGateway(deps: GatewayDeps): Gateway {
  const opened = Promise.withResolvers<void>();
  // Whoever does not wait in `connect` any more learns of it by `onFatal`.
  opened.promise.catch(() => {});
  const closing = new AbortController();
  let connection: Connection | null = null;

  const start = (withContent: boolean): void => {
    const intents = BASE_INTENTS | (withContent ? GatewayIntentBits.MessageContent : 0);
    connection = openConnection(deps, intents, closing.signal, {
      ready: opened.resolve,
      failed(failure, closeCode) {
        if (closing.signal.aborted) return;
        if (closeCode === DISALLOWED_INTENTS && withContent) {
          deps.log.warn({ code: closeCode }, MENTION_ONLY);
          return start(false);
        }
        opened.reject(failure);
        if (closeCode !== null) deps.onFatal(failure);
      },
    });
  };
  return {
    async connect() {
      const deadline = new AbortController();
      start(deps.messageContent);
      const late = sleep(DEADLINE_MS, AbortSignal.any([deadline.signal, closing.signal])).then(() => {
        if (!deadline.signal.aborted) throw tooLate();
      });
      try {
        await Promise.race([opened.promise, late]);
      } finally {
        deadline.abort();
      }
    },
    isConnected: () => connection?.isReady() ?? false,
    async close(drained) {
      closing.abort();
      await connection?.close(drained);
    },
  };
}

const MENTION_ONLY =
  'Discord does not let this bot read messages that do not mention it; answering mentions only. To change that switch on "Message Content Intent" in the developer portal (Bot); to silence this set DISCORD_MESSAGE_CONTENT=false';

function tooLate(): Failure {
  const remedy =
    "DISCORD_API_URL, network: no connection to Discord's gateway within 30 s; see discordstatus.com";
  return new Failure('unreachable', 'no gateway session in time', { remedy });
}

interface Connection {
  isReady(): boolean;
  close(drained: () => Promise<void>): Promise<void>;
}

interface Outcome {
  /** Every shard has a session. */
  ready(): void;
  /** @param closeCode Discord's, when it ended the connection for good. */
  failed(failure: Failure, closeCode: number | null): void;
}

/** One set of sessions with one set of intents. */
function openConnection(
  deps: GatewayDeps,
  intents: number,
  signal: AbortSignal,
  outcome: Outcome,
): Connection {
  const { rest, token, store, botId, log } = deps;
  const sessions = createSessions({ store, botId, intents, log });
  const manager = new WebSocketManager({
    token,
    intents,
    rest: rest.client,
    handshakeTimeout: 10_000,
    helloTimeout: 15_000,
    readyTimeout: 15_000,
    largeThreshold: 50,
    retrieveSessionInfo: (shard) => sessions.retrieve(shard),
    updateSessionInfo: (shard, session) => sessions.update(shard, session),
    buildIdentifyThrottler: () => createIdentifyPace({ store, botId, log }),
  });
  const shards = followShards(manager, sessions, deps, outcome);
  const run = async (): Promise<void> => {
    const ids = await retry({ ...PATIENCE, signal }, () => shardsOf(manager));
    await sessions.load(ids);
    shards.expect(ids.length);
    if (!signal.aborted) await manager.connect();
  };
  run().catch((error: unknown) => {
    // An error of a shard comes here too, while that shard goes on trying.
    if (shards.isTrying() && !isOutOfSessions(error)) return;
    outcome.failed(startFailure(error), null);
  });
  return {
    isReady: shards.areReady,
    async close(drained) {
      sessions.stop();
      const left = manager.destroy({ code: KEEP_SESSION, reason: 'stopping' });
      // A peer that does not answer keeps the closing handshake open for half a minute.
      await Promise.race([Promise.resolve(left).catch(() => {}), sleep(1_000)]);
      await drained();
      await sessions.flush();
    },
  };
}

const PATIENCE = { attempts: 12, baseMs: 500, capMs: 4_000, longestWaitMs: 20_000 };

async function shardsOf(manager: WebSocketManager): Promise<readonly number[]> {
  try {
    return await manager.getShardIds();
  } catch (error) {
    throw failureOf(error, 'GET /gateway/bot');
  }
}

function isOutOfSessions(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('Not enough sessions');
}

function startFailure(error: unknown): Failure {
  if (error instanceof Failure && error.kind === 'not-authorised') {
    return new Failure(error.kind, error.message, { status: error.status, remedy: FATAL[4004] });
  }
  if (error instanceof Failure) return error;
  const reason = error instanceof Error ? error.message : 'unknown error';
  const remedy = isOutOfSessions(error)
    ? 'DISCORD_TOKEN: the bot has used up its new gateway sessions for today; look for a restart loop'
    : undefined;
  return new Failure('unreachable', `no gateway session: ${reason}`, { remedy });
}

function followShards(
  manager: WebSocketManager,
  sessions: Sessions,
  { receive, log }: GatewayDeps,
  outcome: Outcome,
) {
  const ready = new Set<number>();
  let expected = Number.POSITIVE_INFINITY;
  let isOver = false;
  const isUp = (shard: number, how: string): void => {
    ready.add(shard);
    log.info({ shard }, how);
    if (ready.size >= expected) outcome.ready();
  };
  manager.on(WebSocketShardEvents.Hello, ({ shardId }) => sessions.greeted(shardId));
  manager.on(WebSocketShardEvents.Ready, ({ shardId }) => isUp(shardId, 'gateway session begun'));
  manager.on(WebSocketShardEvents.Resumed, ({ shardId }) => isUp(shardId, 'gateway session resumed'));
  manager.on(WebSocketShardEvents.Closed, ({ code, shardId }) => {
    ready.delete(shardId);
    sessions.closed(shardId);
    log.debug({ shard: shardId, code }, 'gateway connection closed');
    const remedy = FATAL[code];
    if (!remedy || isOver) return;
    isOver = true;
    const kind = code === 4004 ? 'not-authorised' : 'rejected';
    outcome.failed(
      new Failure(kind, `the gateway closed with ${code}`, { code: String(code), remedy }),
      code,
    );
  });
  // Without a listener an error of a connection would be thrown.
  manager.on(WebSocketShardEvents.Error, ({ error, shardId }) => {
    log.debug({ shard: shardId, reason: error.message }, 'gateway connection failed');
  });
  manager.on(WebSocketShardEvents.Dispatch, ({ data, shardId }) => {
    const done = sessions.track(shardId, data.s);
    const newestBefore = sessions.newestBefore(shardId);
    receive({ type: data.t, data: data.d, newestBefore, done });
  });
  return {
    expect(count: number) {
      expected = count;
    },
    areReady: () => !isOver && ready.size >= expected,
    isTrying: () => expected !== Number.POSITIVE_INFINITY,
  };
}
