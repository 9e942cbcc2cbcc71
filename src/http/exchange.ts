import { type IncomingMessage, request as plain } from 'node:http';
import { request as secure } from 'node:https';

/** One request that is on its way. */
export interface Exchange {
  /** The answer as soon as its headers are here. Rejects with what `node:http` reports. */
  readonly answer: Promise<IncomingMessage>;
  /** Ends it, however far it has come; whoever waits for it is told that the connection was closed. */
  abort(): void;
}

export interface ExchangeOptions {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** How many unread bytes of the answer stop the reading of its connection; Node's default is 64 KB. */
  readonly highWaterMark?: number;
}

/**
 * Sends a text over Node's own HTTP client, which costs a third of `fetch`'s processor time. Connections are kept and proxies
 * found as Node's global agents do. Redirects are not followed: what is posted belongs nowhere else.
 */
export function exchange(address: URL, { body, headers, ...options }: ExchangeOptions): Exchange {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const fields = { ...headers, 'content-length': String(Buffer.byteLength(body)) };
  const start = address.protocol === 'https:' ? secure : plain;
  const request = start(address, { ...options, headers: fields }, resolve);
  request.on('error', reject);
  request.end(body);
  return {
    answer: promise,
    // Never with an error of our own: one that meets an answer which is complete but unread is thrown at nobody.
    abort: () => void request.destroy(),
  };
}

/** The whole body. Rejects when it is cut. */
export function readText(message: IncomingMessage): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = '';
  message.setEncoding('utf8');
  message.on('data', (piece: string) => {
    text += piece;
  });
  message.once('end', () => resolve(text));
  message.once('error', reject);
  return promise;
}
