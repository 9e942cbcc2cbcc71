/**
 * Socket Mode: two sockets per process, each used once and replaced before it ends, whatever Slack does. The library's client
 * opens a socket and keeps it alive with pings. Not used of @slack/socket-mode 3.1.0, because of its defects:
 * - its reconnecting: it waits 5 s at every renewal, and after an HTTP or network error it rejects unhandled and gives up;
 * - its frame handler: a frame without an inner event (`app_rate_limited`) rejects unhandled.
 */
import { SocketModeClient } from '@slack/socket-mode';
import { sleep, untilAborted } from '../../core/concurrency.ts';
import { Failure } from '../../core/failures.ts';
import type { Log } from '../../core/ports.ts';
import { asRecord, asText, type JsonObject } from '../../core/untrusted.ts';
import { clientOptions, createSdkLogger } from './client.ts';
import { cleanText } from './decode-text.ts';
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
const REFUSED = 'Slack refuses SLACK_APP_TOKEN: create a new app-level token with connections:write';

export interface SocketsOptions {
  readonly appToken: string;
  readonly apiUrl: string;
  readonly log: Log;
  /**
   * Takes a frame, not judged yet. `ack` acknowledges it over the socket it came by and never throws: what is not acknowledged
   * is delivered again.
   */
  readonly onFrame: (frame: JsonObject, ack: (response?: unknown) => void) => void;
}

/** The sockets of one process, kept open for ever. */
export class Sockets {
  readonly #options: SocketsOptions;
  readonly #stopping = new AbortController();
  readonly #stopped = untilAborted(this.#stopping.signal);
  readonly #opened = Promise.withResolvers<void>();
  readonly #open = new Set<SocketModeClient>();
  readonly #keepers: Promise<void>[] = [];
  /** `since`: the first failure without an open socket, until a socket has lived for more than a moment. `logged`: how loudly. */
  #outage: { since: number | null; logged: 'warn' | 'error' | null } = { since: null, logged: null };

  constructor(options: SocketsOptions) {
    this.#options = options;
  }

  /** Starts opening; resolves when the first is open. */
  async start(): Promise<void> {
    for (let i = 0; i < SOCKETS; i++) this.#keepers.push(this.#keepOpen(i * STAGGER_MS));
    await Promise.race([this.#opened.promise, this.#stopped]);
  }

  /** How many are open now. */
  open(): number {
    return this.#open.size;
  }

  /** Closes all, within some 2 s; idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#keepers);
  }

  /** Opens one socket after the other, with capped back-off and jitter, until it is stopped. */
  async #keepOpen(delayMs: number): Promise<void> {
    const { signal } = this.#stopping;
    let failures = 0;
    let old: SocketModeClient | null = null;
    await sleep(delayMs, signal);
    while (!signal.aborted) {
      try {
        const { client, ended } = await this.#openSocket();
        // A socket that Slack is about to renew delivers until the new one is there.
        if (old) await closeSocket(old);
        failures += 1;
        const settled = setTimeout(() => {
          failures = 0;
          this.#endOutage();
        }, SHORT_LIFE_MS);
        const reason = await Promise.race([ended, this.#stopped]);
        clearTimeout(settled);
        old = reason === 'warning' || reason === 'refresh_requested' ? client : null;
        if (!old) await closeSocket(client);
        if (reason === 'link_disabled') this.#report('error', {}, SWITCHED_OFF);
        // Once is no failure: Slack may end a socket at any time.
        if (failures > 1 && reason)
          this.#reportFailure(noSocket(`Slack: opened and ended at once (${reason})`));
        if (!old || failures > 1) await sleep(backOffMs(failures), signal);
      } catch (error) {
        if (signal.aborted) break;
        const failure = toFailure(error, 'apps.connections.open');
        this.#reportFailure(failure);
        await sleep(Math.max(backOffMs(++failures), failure.retryAfterMs ?? 0), signal);
      }
    }
    if (old) await closeSocket(old);
  }

  /**
   * Opens one WebSocket to Slack, which is used once. `ended` resolves with Slack's reason at the first sign of its end; it may
   * still deliver for some seconds then. @throws {Failure} when Slack has not greeted us within 9 s, or we are stopped
   */
  async #openSocket() {
    const { promise: ended, resolve: end } = Promise.withResolvers<string>();
    let host = 'Slack';
    let proxyFailure: string | null = null;
    const client = createClient(this.#options, (what) => {
      proxyFailure = what;
    });
    client.on('authenticated', ({ url }: { readonly url: string }) => {
      host = new URL(url).host;
    });
    client.on('ws_message', (data: unknown) => takeFrame(client, data, this.#options, end));
    client.on('disconnected', () => {
      end('closed');
      this.#open.delete(client);
    });
    const isLate = sleep(OPEN_TIMEOUT_MS, this.#stopping.signal).then(() =>
      Promise.reject(noSocket(`${host}: no greeting`)),
    );
    try {
      await Promise.race([client.start(), isLate]);
    } catch (error) {
      // The address may still come: without this, a socket would open that nobody owns.
      client.on('connecting', () => delete client.websocket);
      await closeSocket(client);
      // The client rejects with nothing when its socket closes, and a WebSocket does not say why it could not be opened.
      throw error ?? noSocket(`${host}: ${proxyFailure ?? 'closed before it was open'}`);
    }
    this.#open.add(client);
    this.#opened.resolve();
    return { client, ended };
  }

  /** A socket stays open: the next failure is a new outage. */
  #endOutage(): void {
    if (this.#outage.logged) this.#options.log.info({}, 'connected to Slack again');
    this.#outage = { since: null, logged: null };
  }

  /** An outage is one warning; it is one error when an admin must act, or when it lasts for over a minute. */
  #reportFailure(failure: Failure): void {
    const fields = { reason: failure.code ?? failure.message };
    if (this.#open.size > 0) return this.#options.log.debug(fields, 'could not open a socket to Slack');
    this.#outage.since ??= Date.now();
    if (failure.kind === 'not-authorised') this.#report('error', fields, REFUSED);
    else if (Date.now() - this.#outage.since > ALARM_MS)
      this.#report('error', fields, 'no connection to Slack for over a minute; still trying');
    else this.#report('warn', fields, 'cannot connect to Slack; still trying');
  }

  /** Each level is logged once in an outage, and nothing after an error. */
  #report(level: 'warn' | 'error', fields: object, message: string): void {
    const { logged } = this.#outage;
    if (logged === 'error' || logged === level) return;
    this.#outage.logged = level;
    this.#options.log[level](fields, message);
  }
}

function noSocket(what: string): Failure {
  return new Failure('unreachable', `no WebSocket to ${what}`);
}

/** Closes a socket within 2 s, whether it is open or not. Never throws. */
async function closeSocket(client: SocketModeClient): Promise<void> {
  // A refusal to close is of no interest: the process drops the socket with the client.
  const closing = client.disconnect().catch(() => {});
  await Promise.race([closing, untilAborted(AbortSignal.timeout(CLOSE_TIMEOUT_MS))]);
  client.emit('disconnected');
}

function backOffMs(failures: number): number {
  const ceiling = Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** Math.max(0, failures - 1));
  // Never zero: a loop of refusals must not spin.
  return ceiling / 2 + (Math.random() * ceiling) / 2;
}

/** The library's client without its frame handler. `onProxyFailure` is told why a proxy let no socket through. */
function createClient(
  { appToken, apiUrl, log }: SocketsOptions,
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
  return client;
}

/** What the library's frame handler does, without its defects. */
function takeFrame(
  client: SocketModeClient,
  data: unknown,
  { log, onFrame }: SocketsOptions,
  onDisconnect: (reason: string) => void,
): void {
  const frame = parseFrame(data);
  if (!frame) return log.debug({}, 'ignored a frame that is not a JSON object');
  const { type, reason, envelope_id: id } = frame;
  if (type === 'hello') return void client.emit('connected', {});
  if (type === 'disconnect') return onDisconnect(asText(reason) ?? 'refresh_requested');
  onFrame(frame, (response) => {
    const { websocket } = client;
    // Some frames want no acknowledgement.
    if (asText(id) === null) return;
    if (!websocket?.isActive())
      return log.debug({ envelope: id }, 'could not acknowledge: the socket is gone');
    const payload = typeof response === 'string' ? { text: response } : (asRecord(response) ?? {});
    websocket.send(JSON.stringify({ envelope_id: id, payload }), (err) => {
      if (err) log.debug({ envelope: id, err }, 'could not acknowledge');
    });
  });
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
  return typeof value === 'string' ? cleanText(value) : value;
}
