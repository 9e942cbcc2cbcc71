/** Node's fetch as the openai client needs it: bodies end at a limit, and event streams are made fit for its reader. */

/** In bytes. A long report with the excerpts of some hundred pages stays well below. */
const LARGEST_DOCUMENT = 8_000_000;
/** In bytes. The longest answers have some 2 MB; twenty times as much is for what repeats its sources with every word. To read more costs all others time. */
const LARGEST_STREAM = 32_000_000;
/** In bytes. The largest real events carry some 50 search results. */
const LARGEST_EVENT = 2_000_000;

/** As Latin-1. The standard says to ignore it at the start of a stream; it would hide the first field's name. */
const BYTE_ORDER_MARK = /^\u00ef\u00bb\u00bf/;

/** Whole events of one line of data each: as nearly all of a stream comes. */
const WHOLE_EVENTS = /^(?:data: ?\S.*\n\n)+$/;

/** The event that ends a stream of chat completions. */
const DONE = /^data: ?\[DONE\]/m;

/** How long the rest of a stream is read after `[DONE]`, in milliseconds. */
const DRAIN_MS = 250;

/** A body is larger than anything Perplexity has to say. */
export class BodyTooLarge extends Error {
  constructor(what: string, bytes: number) {
    super(`the ${what} is larger than ${bytes} bytes`);
    this.name = 'BodyTooLarge';
  }
}

/** Those that Node's fetch reads, and none; it passes the bytes of any other on as they are. */
const CODINGS = /^(?:x-gzip|gzip|deflate|br|zstd|identity)?$/i;

/** The body is compressed in a way that Node does not know. Where only its name is unknown (`utf-8`), it is read. */
class UnknownCoding extends Error {
  readonly code = 'UNKNOWN_CODING';
}

/** The streams that have said `[DONE]`. */
const done = new WeakSet<Response>();

/** Whether an event stream has said `[DONE]`, as far as it has been read. openai 7.57.0 ends alike there and at a cut. */
export function saidDone(response: Response): boolean {
  return done.has(response);
}

/** Follows no redirect: the key and the question are for the configured address only. */
export async function boundedFetch(url: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, { ...init, redirect: 'manual' });
  const { status, headers, body } = response;
  if (body === null) return response;
  const isStream = isEventStream(response);
  const limit = isStream ? LARGEST_STREAM : LARGEST_DOCUMENT;
  const isCoded = !CODINGS.test(headers.get('content-encoding') ?? '');
  const text = isCoded ? body.pipeThrough(refuseBinary()) : body;
  const filter = isStream ? dropEmptyEvents(() => done.add(bounded)) : null;
  const bounded = new Response(boundBody(text, limit, filter), { status, headers });
  return bounded;
}

/** True for the start of an event stream, false for an error and for the web page of something in between. */
export function isEventStream({ status, headers }: Response): boolean {
  return status === 200 && /text\/event-stream/i.test(headers.get('content-type') ?? '');
}

/** No text of Perplexity's holds these bytes, and what is compressed soon does. */
function refuseBinary(): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({
    transform(bytes, controller) {
      const isText = bytes.every((byte) => byte >= 0x20 || (byte >= 0x09 && byte <= 0x0d));
      if (!isText) throw new UnknownCoding('the body is not text');
      controller.enqueue(bytes);
    },
  });
}

/** Takes the bytes that came, null at the end, and returns those to pass on. */
type Filter = (bytes: Uint8Array | null) => Uint8Array;

function boundBody(
  body: ReadableStream<Uint8Array>,
  limit: number,
  filter: Filter | null,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let bytesRead = 0;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read();
        try {
          bytesRead += value?.length ?? 0;
          if (bytesRead > limit) throw new BodyTooLarge('answer', limit);
          if (filter) controller.enqueue(filter(value ?? null));
          else if (value) controller.enqueue(value);
          if (done) controller.close();
        } catch (error) {
          void reader.cancel().catch(() => undefined);
          throw error;
        }
      },
      cancel: (reason) => (filter ? drain(reader) : reader.cancel(reason)),
    },
    { highWaterMark: 0 },
  );
}

/**
 * openai 7.57.0 fails on an event without data (`data:`, or nothing but a name), which the standard says to pass over. Those
 * events are taken out; an incomplete event is held back, as openai would. `onDone` is told of `[DONE]`.
 */
function dropEmptyEvents(onDone: () => void): Filter {
  /** The incomplete event, in pieces: one string that grows would be copied with every piece. */
  let pieces: string[] = [];
  let length = 0;
  let ending = '';
  const hold = (text: string): void => {
    pieces.push(text);
    length += text.length;
    // A blank line may arrive in pieces.
    ending = (ending + text).slice(-2);
    if (length > LARGEST_EVENT) throw new BodyTooLarge('event', LARGEST_EVENT);
  };
  return (bytes) => {
    // As Latin-1: one character for every byte, whatever the encoding.
    const text = bytes === null ? '' : Buffer.from(bytes).toString('latin1');
    if (bytes !== null && length === 0 && WHOLE_EVENTS.test(text) && !DONE.test(text)) return bytes;
    const hasEnd = bytes === null || /\n\r?\n/.test(ending + text);
    if (!hasEnd) {
      hold(text);
      return NOTHING;
    }
    const all = [...pieces, text].join('');
    const end = bytes === null ? all.length : endOfEvents(all);
    [pieces, length, ending] = [[], 0, ''];
    hold(all.slice(end));
    const events = all.slice(0, end);
    const readable = WHOLE_EVENTS.test(events) ? events : dropEmpty(events);
    if (DONE.test(readable)) onDone();
    return Buffer.from(readable, 'latin1');
  };
}

const NOTHING = new Uint8Array();

function dropEmpty(events: string): string {
  return events
    .split(/(?<=\n\r?\n)/)
    .map((event) => event.replace(BYTE_ORDER_MARK, ''))
    .filter((event) => /^data:.*\S/m.test(event))
    .join('');
}

/** Where the last whole event of a text that has one ends. */
function endOfEvents(text: string): number {
  return Math.max(text.lastIndexOf('\n\n') + 2, text.lastIndexOf('\n\r\n') + 3);
}

/**
 * openai 7.57.0 cancels the body at `[DONE]`, which closes the connection; read to its end, the connection is used again.
 * Resolves at once: the answer is complete and nobody is to wait for its connection.
 */
function drain(reader: ReadableStreamDefaultReader<Uint8Array>): void {
  const timer = setTimeout(() => void reader.cancel().catch(() => undefined), DRAIN_MS).unref();
  const read = async (): Promise<void> => {
    while (!(await reader.read()).done);
  };
  void read()
    // The connection broke, or the request was aborted: there is nothing left to use again.
    .catch(() => undefined)
    .finally(() => clearTimeout(timer));
}
