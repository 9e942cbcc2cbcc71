/**
 * Socket Mode: two sockets per process, each used once and replaced before it ends, whatever Slack does. The library's client
 * opens a socket and keeps it alive with pings. Not used of @slack/socket-mode 3.1.0, because of its defects:
 * - its reconnecting: it waits 5 s at every renewal, and after an HTTP or network error it rejects unhandled and gives up;
 * - its frame handler: a frame without an inner event (`app_rate_limited`) rejects unhandled.
 */
import { SocketModeClient } from '@slack/socket-mode';
import { sleep } from '../../core/concurrency.ts';
import { Failure } from '../../core/failures.ts';
import type { Log } from '../../core/ports.ts';
import { asNumber, asRecord, asText, type JsonObject } from '../../core/untrusted.ts';
import { clientOptions, createSdkLogger } from './client.ts';
import { toFailure } from './errors.ts';
import { createProxyAgent, usesProxies } from './socket-proxy.ts';

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
const SWITCHED_OFF = 'Slack has switched Socket Mode off for this app: turn it on in the app settings';

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

/** What the keepers of all sockets share. */
interface Shared {
  readonly options: SocketsOptions;
  readonly signal: AbortSignal;
  readonly stopped: Promise<string>;
  readonly open: Set<SocketModeClient>;
  readonly onOpen: () => void;
  /**
   * `logged`: how loudly the outage that began at `since` has been logged; null when it has not. `isUnstable`: the last socket
   * lived for a moment only, so that the next one does not end the outage before it has lived for longer.
   */
  readonly outage: { since: number; logged: 'warn' | 'error' | null; isUnstable: boolean };
}

export function createSockets(options: SocketsOptions): Sockets {
  const stopping = new AbortController();
  const { promise: stopped, resolve: stop } = Promise.withResolvers<string>();
  const { promise: firstOpen, resolve: onOpen } = Promise.withResolvers<void>();
  const keepers: Promise<void>[] = [];
  const outage = { since: Date.now(), logged: null, isUnstable: false };
  const shared: Shared = { options, signal: stopping.signal, stopped, open: new Set(), onOpen, outage };
  return {
    async start() {
      for (let i = 0; i < SOCKETS; i++) keepers.push(keepOpen(shared, i * STAGGER_MS));
      await Promise.race([firstOpen, stopped]);
    },
    open: () => shared.open.size,
    async stop() {
      stopping.abort();
      stop('stopped');
      await Promise.all(keepers);
    },
  };
}

/** Opens one socket after the other, with capped back-off and jitter, until it is aborted. */
async function keepOpen(shared: Shared, delayMs: number): Promise<void> {
  const { signal, stopped } = shared;
  let failures = 0;
  let old: SocketModeClient | null = null;
  await sleep(delayMs, signal);
  while (!signal.aborted) {
    try {
      const { client, ended } = await openSocket(shared);
      // A socket that Slack is about to renew delivers until the new one is there.
      if (old) await closeSocket(old);
      old = null;
      const openedAt = performance.now();
      const settled = setTimeout(() => endOutage(shared), SHORT_LIFE_MS);
      const reason = await Promise.race([ended, stopped]);
      clearTimeout(settled);
      failures = performance.now() - openedAt < SHORT_LIFE_MS ? failures + 1 : 0;
      if (reason === 'link_disabled') reportError(shared, {}, SWITCHED_OFF);
      if (reason === 'warning' || reason === 'refresh_requested') old = client;
      else await closeSocket(client);
      if (failures > 0 && !signal.aborted) reportShortLife(shared, failures, reason);
      if (!old || failures > 1) await sleep(backOffMs(failures), signal);
    } catch (error) {
      if (signal.aborted) break;
      const failure = toFailure(error, 'apps.connections.open');
      reportFailure(shared, failure);
      await sleep(Math.max(backOffMs(++failures), failure.retryAfterMs ?? 0), signal);
    }
  }
  if (old) await closeSocket(old);
}

/**
 * Opens one WebSocket to Slack, which is used once. `ended` resolves with Slack's reason at the first sign of its end; it may
 * still deliver for some seconds then. @throws {Failure} when Slack has not greeted us within 9 s, or we are stopped
 */
async function openSocket(shared: Shared) {
  const { options, signal, open, onOpen, outage } = shared;
  const { promise: ended, resolve: end } = Promise.withResolvers<string>();
  let host = 'Slack';
  let proxyFailure: string | null = null;
  const client = createClient(options, end, (what) => {
    proxyFailure = what;
  });
  client.on('authenticated', ({ url }: { readonly url: string }) => {
    host = new URL(url).host;
  });
  client.on('disconnected', () => {
    end('closed');
    if (open.delete(client) && open.size === 0 && !outage.isUnstable) outage.since = Date.now();
  });
  const isLate = sleep(OPEN_TIMEOUT_MS, signal).then(() => Promise.reject(noSocket(`${host}: no greeting`)));
  try {
    await Promise.race([client.start(), isLate]);
  } catch (error) {
    // The address may still come: without this, a socket would open that nobody owns.
    client.on('connecting', () => delete client.websocket);
    await closeSocket(client);
    // The client rejects with nothing when its socket closes, and a WebSocket does not say why it could not be opened.
    throw error ?? noSocket(`${host}: ${proxyFailure ?? 'closed before it was open'}`);
  }
  open.add(client);
  if (!outage.isUnstable) endOutage(shared);
  onOpen();
  return { client, ended };
}

function noSocket(what: string): Failure {
  return new Failure('unreachable', `no WebSocket to ${what}`);
}

/** Closes a socket within 2 s, whether it is open or not. Never throws. */
async function closeSocket(client: SocketModeClient): Promise<void> {
  const closed = new AbortController();
  // A refusal to close is of no interest: the process drops the socket with the client.
  const closing = client.disconnect().catch(() => {});
  await Promise.race([closing.then(() => closed.abort()), sleep(CLOSE_TIMEOUT_MS, closed.signal)]);
  client.emit('disconnected');
}

/** A socket stays open: the next failure is a new outage. */
function endOutage({ options, outage }: Shared): void {
  if (outage.logged) options.log.info({}, 'connected to Slack again');
  outage.logged = null;
  outage.isUnstable = false;
}

/** Once is no outage: Slack may end a socket at any time. From the second of a row on it is, unless another socket is open. */
function reportShortLife(shared: Shared, failures: number, reason: string): void {
  if (shared.open.size === 0) shared.outage.isUnstable = true;
  if (failures > 1) reportFailure(shared, noSocket(`Slack: opened and ended at once (${reason})`));
}

/** Logs an outage at once as a warning; as an error, once, when an admin must act, or when it lasts for a minute. */
function reportFailure(shared: Shared, failure: Failure): void {
  const { open, outage, options } = shared;
  const fields = { reason: failure.code ?? failure.message };
  if (outage.logged === 'error' || open.size > 0)
    options.log.debug(fields, 'could not open a socket to Slack');
  else if (failure.kind === 'not-authorised')
    reportError(
      shared,
      fields,
      'Slack refuses SLACK_APP_TOKEN: create a new app-level token with connections:write',
    );
  else if (Date.now() - outage.since > ALARM_MS)
    reportError(shared, fields, 'no connection to Slack for over a minute; still trying');
  else if (outage.logged === null) {
    outage.logged = 'warn';
    options.log.warn(fields, 'cannot connect to Slack; still trying');
  }
}

function reportError({ options: { log }, outage }: Shared, fields: object, message: string): void {
  if (outage.logged !== 'error') log.error(fields, message);
  outage.logged = 'error';
}

function backOffMs(failures: number): number {
  const ceiling = Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** Math.max(0, failures - 1));
  // Never zero: a loop of refusals must not spin.
  return ceiling / 2 + (Math.random() * ceiling) / 2;
}

/**
 * The library's client with our frame handler in place of its own; `onDisconnect` is given Slack's reason, `onProxyFailure`
 * why a proxy let no socket through.
 */
function createClient(
  { appToken, apiUrl, log, onEnvelope }: SocketsOptions,
  onDisconnect: (reason: string) => void,
  onProxyFailure: (what: string) => void,
): SocketModeClient {
  const client = new SocketModeClient({
    appToken,
    autoReconnectEnabled: false,
    clientOptions: clientOptions(apiUrl, log),
    logger: createSdkLogger(log),
    ...(usesProxies() && { dispatcher: createProxyAgent(onProxyFailure) }),
  });
  client.removeAllListeners('ws_message');
  client.on('ws_message', (data: unknown) => {
    const frame = parseFrame(data);
    if (!frame) return log.debug({}, 'ignored a frame that is not a JSON object');
    if (frame.type === 'hello') return client.emit('connected', {});
    if (frame.type === 'disconnect') return onDisconnect(asText(frame.reason) ?? 'refresh_requested');
    const id = asText(frame.envelope_id);
    onEnvelope({
      id,
      type: asText(frame.type) ?? '',
      payload: frame.payload,
      retryNum: asNumber(frame.retry_attempt) ?? 0,
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
    });
  });
  return client;
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
