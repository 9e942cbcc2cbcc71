import type { IncomingMessage } from 'node:http';
import { type ByteStream, createByteStream } from './byte-stream.ts';
import { exchange, readText } from './exchange.ts';

/** The part of `fetch` that the `openai` client uses; a body is a text. */
export type StreamingFetch = (
  url: string | URL | Request,
  init?: Pick<RequestInit, 'method' | 'headers' | 'body' | 'signal'>,
) => Promise<Response>;

/** A fetch whose successful event streams are left unread, to be taken with `streamOf`. Everything else is read whole. */
export function createStreamingFetch(): {
  readonly fetch: StreamingFetch;
  /** The body of a response that came from `fetch`; null when it is not a stream. */
  streamOf(response: Response): ByteStream | null;
} {
  const streams = new WeakMap<Response, ByteStream>();
  return {
    async fetch(url, { method = 'GET', headers, body, signal } = {}) {
      signal?.throwIfAborted();
      if (body && typeof body !== 'string') throw new TypeError('only a text can be sent');
      const { answer, abort } = exchange(new URL(url instanceof Request ? url.url : url), {
        method,
        headers: Object.fromEntries(new Headers(headers)),
        body: body ?? '',
        // A paused connection reads on until so much waits.
        highWaterMark: 1,
      });
      signal?.addEventListener('abort', abort, { once: true });
      try {
        const message = await answer;
        message.once('close', () => signal?.removeEventListener('abort', abort));
        const response = responseOf(message, isStream(message) ? null : await readText(message));
        if (isStream(message)) streams.set(response, createByteStream(message));
        return response;
      } catch (error) {
        signal?.throwIfAborted();
        throw error;
      }
    },
    streamOf: (response) => streams.get(response) ?? null,
  };
}

function isStream({ statusCode, headers }: IncomingMessage): boolean {
  return statusCode === 200 && headers['content-type']?.includes('text/event-stream') === true;
}

/** Statuses that cannot have a body, to `Response` at least. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

function responseOf(
  { statusCode = 0, statusMessage = '', headersDistinct }: IncomingMessage,
  text: string | null,
): Response {
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(headersDistinct)) {
    for (const value of values) headers.append(name, value);
  }
  const body = BODILESS.has(statusCode) ? null : text;
  return new Response(body, { status: statusCode, statusText: statusMessage, headers });
}
