/**
 * Socket Mode: two sockets per process, each used once and replaced before it ends, whatever Slack does. The library's client
 * opens a socket and keeps it alive with pings. Not used of @slack/socket-mode 3.1.0, because of its defects:
 * - its reconnecting: it waits 5 s at every renewal, and after an HTTP or network error it rejects unhandled and gives up;
 * - its frame handler: a frame without an inner event (`app_rate_limited`) rejects unhandled.
 */
import { globalAgent } from 'node:https';
import { SocketModeClient } from '@slack/socket-mode';
import { EnvHttpProxyAgent } from 'undici';
import { sleep } from '../../core/concurrency.ts';
import { Failure } from '../../core/failures.ts';
import type { Log } from '../../core/ports.ts';
import { asRecord, asText, type JsonObject } from '../../core/untrusted.ts';
import { clientOptions, createSdkLogger } from './client.ts';
import { toFailure } from './failures.ts';

/** With one, there is a gap whenever Slack renews it (every few hours). Slack allows 10 per app. */
const SOCKETS = 2;
/** The second opens later than the first, so that Slack does not renew both at once. */
const STAGGER_MS = 1_500;
/** From asking for an address to Slack's hello. */
const OPEN_TIMEOUT_MS = 9_000;
/** The library waits 30 s for the other side's close frame; a process that ends does not. */
const CLOSE_TIMEOUT_MS = 2_000;
const BACKOFF_BASE_MS = 500;
const BACKOFF_CAP_MS = 30_000;
/** A socket that lived shorter than this counts as a failure: Slack may be opening and closing in a loop. */
const SHORT_LIFE_MS = 10_000;
/** An outage is logged as an error after this, once. */
const ALARM_MS = 60_000;

/** One delivery over Socket Mode, not judged yet. */
export interface Envelope {
  /** Absent in frames that want no acknowledgement. */
  readonly id: string | null;
  readonly type: string;
  readonly payload: unknown;
  readonly retryNum: number;
  /** Acknowledges over the socket it came by. Never throws: what is not acknowledged is delivered again. */
  ack(response?: unknown): void;
}

export interface SocketsOptions {
  readonly appToken: string;
  readonly apiUrl: string;
  readonly log: Log;
  readonly onEnvelope: (envelope: Envelope) => void;
}

/** The sockets of one process, kept open for ever. */
export interface Sockets {
  /** Starts opening; resolves when the first is open. */
  start(): Promise<void>;
  /** How many are open now. */
  open(): number;
  /** Closes all, within some 2 s; idempotent. */
  stop(): Promise<void>;
}

export function createSockets(options: SocketsOptions): Sockets {
  const stopping = new AbortController();
  const first = Promise.withResolvers<void>();
  const keepers: Promise<void>[] = [];
  const shared: Shared = {
    options,
    signal: stopping.signal,
    open: new Set(),
    onOpen: () => first.resolve(),
    outage: { since: Date.now(), warned: false, reported: false },
  };
  return {
    async start() {
      for (let i = 0; i < SOCKETS; i++) keepers.push(keepOpen(shared, i * STAGGER_MS));
      await first.promise;
    },
    open: () => shared.open.size,
    async stop() {
      stopping.abort();
      first.resolve();
      await Promise.all([...keepers, ...[...shared.open].map((socket) => socket.close())]);
    },
  };
}

/** What the keepers of all sockets share. */
interface Shared {
  readonly options: SocketsOptions;
  readonly signal: AbortSignal;
  readonly open: Set<Socket>;
  readonly onOpen: () => void;
  readonly outage: { since: number; warned: boolean; reported: boolean };
}

/** Opens one socket after the other, with capped back-off and jitter, until it is aborted. */
async function keepOpen(shared: Shared, delayMs: number): Promise<void> {
  const { signal } = shared;
  let failures = 0;
  let old: Socket | null = null;
  await sleep(delayMs, signal);
  while (!signal.aborted) {
    const socket = await tryOpen(shared);
    let isRenewal = false;
    if (socket) {
      // A socket that Slack is about to renew delivers until the new one is there.
      await old?.close();
      old = null;
      const openedAt = performance.now();
      const reason = await socket.ended;
      failures = performance.now() - openedAt < SHORT_LIFE_MS ? failures + 1 : 0;
      isRenewal = !signal.aborted && (reason === 'warning' || reason === 'refresh_requested');
      if (reason === 'link_disabled') reportSwitchedOff(shared);
      if (isRenewal) old = socket;
      else await socket.close();
    } else {
      failures++;
    }
    if (!isRenewal || failures > 1) await sleep(backOffMs(failures), signal);
  }
  await old?.close();
}

async function tryOpen(shared: Shared): Promise<Socket | null> {
  const { options, signal, open, outage } = shared;
  const socket = createSocket(options);
  const close = (): void => void socket.close();
  signal.addEventListener('abort', close, { once: true });
  try {
    await socket.open();
  } catch (error) {
    await socket.close();
    if (!signal.aborted) reportFailure(shared, error);
    return null;
  } finally {
    signal.removeEventListener('abort', close);
  }
  open.add(socket);
  void socket.closed.then(() => {
    open.delete(socket);
    if (open.size === 0) outage.since = Date.now();
  });
  if (outage.warned || outage.reported) options.log.info({}, 'connected to Slack again');
  outage.warned = false;
  outage.reported = false;
  shared.onOpen();
  return socket;
}

/** Logs an outage at once as a warning; as an error when an admin must act, or when it lasts for a minute. */
function reportFailure({ options: { log }, open, outage }: Shared, error: unknown): void {
  const failure = error instanceof Failure ? error : null;
  const fields = { reason: failure?.code ?? failure?.message, err: failure ? undefined : error };
  if (outage.reported || open.size > 0) return log.debug(fields, 'could not open a socket to Slack');
  if (failure?.kind === 'not-authorised') {
    outage.reported = true;
    log.error(fields, 'Slack refuses SLACK_APP_TOKEN: create a new app-level token with connections:write');
  } else if (Date.now() - outage.since > ALARM_MS) {
    outage.reported = true;
    log.error(fields, 'no connection to Slack for over a minute; still trying');
  } else if (!outage.warned) {
    outage.warned = true;
    log.warn(fields, 'cannot connect to Slack; still trying');
  }
}

function reportSwitchedOff({ options: { log }, outage }: Shared): void {
  if (!outage.reported)
    log.error({}, 'Slack has switched Socket Mode off for this app: turn it on in the app settings');
  outage.reported = true;
}

function backOffMs(failures: number): number {
  const ceiling = Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** Math.max(0, failures - 1));
  // Never zero: a loop of refusals must not spin.
  return ceiling / 2 + (Math.random() * ceiling) / 2;
}

/** One WebSocket to Slack, used once. */
interface Socket {
  /** Resolves when Slack has greeted us. @throws {Failure} when it does not come to that within 9 s. */
  open(): Promise<void>;
  /** Resolves with Slack's reason at the first sign of the end; the socket may still deliver for some seconds then. */
  readonly ended: Promise<string>;
  /** Resolves when it delivers no more. */
  readonly closed: Promise<void>;
  /** Closes it, within 2 s, also while it is being opened. Never throws. */
  close(): Promise<void>;
}

function createSocket(options: SocketsOptions): Socket {
  const { promise: ended, resolve: end } = Promise.withResolvers<string>();
  const { promise: closed, resolve: markClosed } = Promise.withResolvers<void>();
  let host = 'Slack';
  let isClosing = false;
  const client = createClient(options, end);
  client.on('authenticated', ({ url }: { readonly url: string }) => {
    host = new URL(url).host;
  });
  client.on('disconnected', () => {
    end('closed');
    markClosed();
  });
  client.on('connecting', () => {
    // The address came after we had given up waiting: without this, a socket would open that nobody owns.
    if (isClosing) delete client.websocket;
  });
  return {
    ended,
    closed,
    async open() {
      // A WebSocket does not say why it could not be opened: by its specification the reason stays hidden.
      const noSocket = (): Failure =>
        new Failure('unreachable', `no WebSocket to ${host}: closed before it was open`);
      const rejected = closed.then(() => Promise.reject(noSocket()));
      try {
        await within(OPEN_TIMEOUT_MS, Promise.race([client.start(), rejected]));
      } catch (error) {
        // The client rejects with nothing when its socket closes.
        throw toFailure(error ?? noSocket(), 'apps.connections.open');
      }
      if (isClosing) throw new Failure('stopped', 'closed while it was being opened');
    },
    async close() {
      isClosing = true;
      end('closed');
      // A refusal to close is of no interest: the process drops the socket with the client.
      await within(CLOSE_TIMEOUT_MS, client.disconnect()).catch(() => {});
      markClosed();
    },
  };
}

/** The library's client with our frame handler in place of its own; `onDisconnect` is given Slack's reason. */
function createClient(
  { appToken, apiUrl, log, onEnvelope }: SocketsOptions,
  onDisconnect: (reason: string) => void,
): SocketModeClient {
  const client = new SocketModeClient({
    appToken,
    autoReconnectEnabled: false,
    clientOptions: clientOptions(apiUrl, log),
    logger: createSdkLogger(log),
    ...(usesProxies() && { dispatcher: new EnvHttpProxyAgent() }),
  });
  client.removeAllListeners('ws_message');
  client.on('ws_message', (data: unknown) => {
    const frame = parseFrame(data);
    if (!frame) return log.debug({}, 'ignored a frame that is not a JSON object');
    if (frame.type === 'hello') return client.emit('connected', {});
    if (frame.type === 'disconnect') return onDisconnect(asText(frame.reason) ?? 'refresh_requested');
    onEnvelope(toEnvelope(frame, client, log));
  });
  return client;
}

/** Node was told to use the proxies of its environment (`NODE_USE_ENV_PROXY=1`). It does so for `fetch`, not for sockets. */
function usesProxies(): boolean {
  return globalAgent.options.proxyEnv !== undefined;
}

function toEnvelope(frame: JsonObject, client: SocketModeClient, log: Log): Envelope {
  const id = asText(frame.envelope_id);
  return {
    id,
    type: asText(frame.type) ?? '',
    payload: frame.payload,
    retryNum: typeof frame.retry_attempt === 'number' ? frame.retry_attempt : 0,
    ack(response) {
      if (id === null) return;
      const { websocket } = client;
      if (!websocket?.isActive())
        return log.debug({ envelope: id }, 'could not acknowledge: the socket is gone');
      const payload = typeof response === 'string' ? { text: response } : (asRecord(response) ?? {});
      websocket.send(JSON.stringify({ envelope_id: id, payload }), (err) => {
        if (err) log.debug({ envelope: id, err }, 'could not acknowledge');
      });
    },
  };
}

function parseFrame(data: unknown): JsonObject | null {
  if (typeof data !== 'string') return null;
  try {
    return asRecord(JSON.parse(data, (_key, value: unknown) => storable(value)));
  } catch {
    return null; // not JSON: the caller logs it
  }
}

/** A database takes neither NUL nor half a surrogate pair: an event that holds one could never be stored. */
function storable(value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\u0000', '').toWellFormed() : value;
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Failure('unreachable', `no answer within ${ms} ms`)), ms);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
