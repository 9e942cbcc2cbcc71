import { SocketModeClient } from '@slack/socket-mode';
import { Failure } from '../../core/failures.ts';
import type { Log } from '../../core/ports.ts';
import { clientOptions, createSdkLogger } from './client.ts';
import { toFailure } from './failures.ts';
import { asRecord, asText } from './payload.ts';

/** From asking for an address to Slack's hello. */
const OPEN_TIMEOUT_MS = 15_000;
/** The library waits 30 s for the other side's close frame; a process that ends does not. */
const CLOSE_TIMEOUT_MS = 2_000;

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

/** Why a socket is of no use any more: Slack's `disconnect` reason, or `closed`. */
export type EndReason = 'warning' | 'refresh_requested' | 'link_disabled' | 'too_many_websockets' | 'closed';

/** One WebSocket to Slack, used once: it is replaced, never reconnected. */
export interface Socket {
  /** Resolves when Slack has greeted us. @throws {Failure} when it does not come to that within 15 s. */
  open(): Promise<void>;
  /** Resolves with the first sign of the end; the socket may still deliver for some seconds then. */
  readonly ended: Promise<EndReason>;
  /** Resolves when it delivers no more. */
  readonly closed: Promise<void>;
  /** Closes it, within 2 s, also while it is being opened. Never throws. */
  close(): Promise<void>;
}

export interface SocketOptions {
  readonly appToken: string;
  readonly apiUrl: string;
  readonly log: Log;
  readonly onEnvelope: (envelope: Envelope) => void;
}

/**
 * Opens one connection with the library's client, which does what it does well (address, WebSocket, pings) and none of
 * what ends the process: its own reconnecting rejects unhandled when Slack is down for long, and its frame handler does so
 * for a frame without an inner event. Hence no automatic reconnect, and a frame handler of our own.
 */
export function createSocket({ appToken, apiUrl, log, onEnvelope }: SocketOptions): Socket {
  const client = new SocketModeClient({
    appToken,
    autoReconnectEnabled: false,
    clientOptions: clientOptions(apiUrl, log),
    logger: createSdkLogger(log),
  });
  const { promise: ended, resolve: end } = Promise.withResolvers<EndReason>();
  const { promise: closed, resolve: markClosed } = Promise.withResolvers<void>();
  let isClosing = false;
  client.on('disconnected', () => {
    end('closed');
    markClosed();
  });
  client.on('connecting', () => {
    // The address came after we had given up waiting: without this, a socket would open that nobody owns.
    if (isClosing) delete client.websocket;
  });
  client.removeAllListeners('ws_message');
  client.on('ws_message', (data: unknown, isBinary: unknown) => {
    const frame = isBinary === true ? null : parseFrame(data);
    if (!frame) return log.debug({}, 'ignored a frame that is not a JSON object');
    if (frame.type === 'hello') return client.emit('connected', {});
    if (frame.type === 'disconnect') return end(endReason(frame.reason));
    onEnvelope(envelopeOf(frame, acknowledge(client, log)));
  });
  return {
    ended,
    closed,
    async open() {
      try {
        await within(OPEN_TIMEOUT_MS, Promise.race([client.start(), closed]));
        if (isClosing) throw new Failure('stopped', 'closed while it was being opened');
      } catch (error) {
        throw toFailure(
          error ?? new Error('the socket was closed before it was open'),
          'apps.connections.open',
        );
      }
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

type Acknowledge = (id: string, response: unknown) => void;

function acknowledge(client: SocketModeClient, log: Log): Acknowledge {
  return (id, response) => {
    const socket = client.websocket;
    if (!socket?.isActive()) return log.debug({ envelope: id }, 'could not acknowledge: the socket is gone');
    const payload = typeof response === 'string' ? { text: response } : (asRecord(response) ?? {});
    socket.send(JSON.stringify({ envelope_id: id, payload }), (error) => {
      if (error) log.debug({ envelope: id, error }, 'could not acknowledge');
    });
  };
}

function envelopeOf(frame: Readonly<Record<string, unknown>>, acknowledge: Acknowledge): Envelope {
  const id = asText(frame.envelope_id);
  return {
    id,
    type: asText(frame.type) ?? '',
    payload: frame.payload,
    retryNum: typeof frame.retry_attempt === 'number' ? frame.retry_attempt : 0,
    ack: (response) => {
      if (id !== null) acknowledge(id, response);
    },
  };
}

function parseFrame(data: unknown): Readonly<Record<string, unknown>> | null {
  if (typeof data !== 'string') return null;
  try {
    return asRecord(JSON.parse(data, (_key, value: unknown) => storable(value)));
  } catch {
    return null; // not JSON: the caller counts it
  }
}

/** A database takes neither NUL nor half a surrogate pair: an event that holds one could never be stored. */
function storable(value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\u0000', '').toWellFormed() : value;
}

function endReason(reason: unknown): EndReason {
  const known = (['warning', 'refresh_requested', 'link_disabled', 'too_many_websockets'] as const).find(
    (candidate) => candidate === reason,
  );
  return known ?? 'refresh_requested';
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
