import { createConnections } from './connections.ts';
import { exchange } from './exchange.ts';
import { readAll, type TextStream } from './text-stream.ts';

/** The part of `fetch` that the `openai` client uses; a body is a text. */
export type StreamingFetch = (
  url: string | URL | Request,
  init?: Pick<RequestInit, 'method' | 'headers' | 'body' | 'signal'>,
) => Promise<Response>;

/** A fetch whose successful event streams are left unread, to be taken with `streamOf`. */
export interface Streaming {
  readonly fetch: StreamingFetch;
  /** The body of a response that came from `fetch`; null when it is not a stream. */
  streamOf(response: Response): TextStream | null;
}

/** Over connections of its own, straight to the host: see `proxied.ts` for the way round. */
export function createStreamingFetch(): Streaming {
  const connections = createConnections();
  const streams = new WeakMap<Response, TextStream>();
  return {
    async fetch(url, { method = 'GET', headers, body, signal = null } = {}) {
      signal?.throwIfAborted();
      if (body && typeof body !== 'string') throw new TypeError('only a text can be sent');
      const address = new URL(url instanceof Request ? url.url : url);
      try {
        const outgoing = { method, headers: new Headers(headers), body: body ?? '' };
        const { head, body: stream } = exchange(connections, address, outgoing, { signal });
        const { status, headers: received } = await head;
        const isStream = isEventStream(status, received.get('content-type'));
        // As bytes: of a text `Response` would say that it is one, though nobody has.
        const text = isStream ? null : Buffer.from(await readAll(stream));
        const init = { status, headers: [...received] };
        const response = new Response(BODILESS.has(status) ? null : text, init);
        if (isStream) streams.set(response, stream);
        return response;
      } catch (error) {
        signal?.throwIfAborted();
        throw error;
      }
    },
    streamOf: (response) => streams.get(response) ?? null,
  };
}

export function isEventStream(status: number, contentType: string | null | undefined): boolean {
  return status === 200 && contentType?.includes('text/event-stream') === true;
}

/** Statuses that cannot have a body, to `Response` at least. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);
