import { channel } from 'node:diagnostics_channel';
import type { Connections, Receiver } from './connections.ts';
import { type Outgoing, requestText } from './request-text.ts';
import type { ResponseHead } from './response-head.ts';
import { createResponseParser } from './response-parser.ts';
import { createTextFeed, type TextFeed, type TextStream } from './text-stream.ts';

export interface ExchangeOptions {
  /** Ends it, however far it has come; whoever waits is told that the connection was closed. */
  readonly signal?: AbortSignal | null;
  /** How long it may take in all, in milliseconds; no limit if left out. */
  readonly timeoutMs?: number;
}

/** One request that is on its way. */
export interface Exchange {
  /** The response's head as soon as it is here; rejects when it does not come. */
  readonly head: Promise<ResponseHead>;
  /** The response's body, as UTF-8. */
  readonly body: TextStream;
}

/** No whole response in time. */
export class ExchangeTimeout extends Error {
  readonly code = 'timeout';

  constructor(ms: number) {
    super(`no whole answer within ${ms} ms`);
    this.name = 'ExchangeTimeout';
  }
}

/** The connection ended before the response did. */
class ConnectionClosed extends Error {
  readonly code = 'ECONNRESET';

  constructor() {
    super('the connection was closed');
    this.name = 'ConnectionClosed';
  }
}

// For whoever watches the process from within, as Node's own clients have them: `{ method, path }`.
const leaving = channel('footnote:http:request');
const answered = channel('footnote:http:response');

/**
 * Sends a text and reads what comes back. Redirects are not followed: what is sent belongs nowhere else.
 * @throws {TypeError} when a header cannot be sent.
 */
export function exchange(
  connections: Connections,
  address: URL,
  outgoing: Outgoing,
  { signal, timeoutMs }: ExchangeOptions,
): Exchange {
  const text = requestText(address, outgoing);
  const request = { method: outgoing.method, path: address.pathname };
  const head = Promise.withResolvers<ResponseHead>();
  const feed = createTextFeed({ pause: () => connection.pause(), resume: () => connection.resume() });
  const end = (failure: Error | null): void => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
    feed.end(failure);
    head.reject(failure);
  };
  const fail = (failure: Error): void => {
    end(failure);
    connection.destroy();
  };
  const abort = (): void => fail(new ConnectionClosed());
  const receiver = createReceiver(feed, {
    begun(found) {
      answered.publish(request);
      head.resolve(found);
    },
    complete(keptMs) {
      end(null);
      connection.release(keptMs);
    },
    failed: fail,
  });
  const connection = connections.open(address, receiver);
  signal?.addEventListener('abort', abort, { once: true });
  const timer =
    timeoutMs === undefined ? undefined : setTimeout(() => fail(new ExchangeTimeout(timeoutMs)), timeoutMs);
  leaving.publish(request);
  connection.send(text);
  return { head: head.promise, body: feed.stream };
}

interface Progress {
  /** The head is here. */
  begun(head: ResponseHead): void;
  /** The response is; its connection can be used again for so many milliseconds. */
  complete(keptMs: number): void;
  failed(error: Error): void;
}

/** Reads a response into a feed, and tells how it goes. */
function createReceiver(feed: TextFeed, progress: Progress): Receiver {
  const parser = createResponseParser();
  let isBegun = false;
  const advance = (): void => {
    const head = parser.head();
    if (head && !isBegun) progress.begun(head);
    isBegun = head !== null;
    if (parser.isOver()) progress.complete(parser.keptMs());
  };
  return {
    received(bytes) {
      if (feed.isOver()) return;
      try {
        feed.add(parser.take(bytes));
        advance();
      } catch (error) {
        progress.failed(error instanceof Error ? error : new Error('unreadable', { cause: error }));
      }
    },
    ended(error) {
      if (feed.isOver()) return;
      if (!error && parser.end()) advance();
      else progress.failed(error ?? new ConnectionClosed());
    },
  };
}
