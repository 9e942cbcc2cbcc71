import { type ChunkedBody, createChunkedBody } from './chunked-body.ts';
import { createLineReader, type Received, takeBody } from './line-reader.ts';
import { ResponseError, type ResponseHead, responseHead } from './response-head.ts';

/** Reads one response from the bytes of a connection, however they are cut. */
export interface ResponseParser {
  /**
   * Takes the bytes of one read and returns what of them belongs to the body, in one piece. It is moved to where the bytes
   * begin: they are overwritten.
   * @throws {ResponseError}
   */
  take(bytes: Buffer): Buffer;
  /** The connection has ended. False when that cut the response off. */
  end(): boolean;
  /** Null while the head is not complete. */
  head(): ResponseHead | null;
  isOver(): boolean;
  /** For how long its connection can be used again, in milliseconds; 0 while it is not over, and when something came behind it. */
  keptMs(): number;
}

/** In characters. Node allows 16 KB; some gateways add cookies and policies beyond that. */
const LONGEST_HEAD = 64_000;

/**
 * A parser for one response (RFC 9112). Node's own gives every chunk a buffer of its own, and a model sends one for every
 * token: most of what reading an answer cost. Informational responses are passed over.
 */
export function createResponseParser(): ResponseParser {
  const lines = createLineReader(LONGEST_HEAD);
  let headLines: string[] = [];
  let head: ResponseHead | null = null;
  let chunked: ChunkedBody | null = null;
  /** Of a body that is not chunked. */
  let left = 0;
  let isAlone = true;

  const takeHeadLine = (received: Received): void => {
    const line = lines.next(received);
    if (line === null) return;
    if (line !== '') {
      headLines.push(line);
      return;
    }
    const found = responseHead(headLines);
    headLines = [];
    if (found.status === 101) throw new ResponseError('another protocol');
    // Behind an informational one the response is still to come.
    if (found.status < 200) return;
    head = found;
    if (found.bodyLength === 'chunked') chunked = createChunkedBody();
    else left = found.bodyLength === 'rest' ? Number.POSITIVE_INFINITY : found.bodyLength;
  };
  const isOver = (): boolean => head !== null && (chunked ? chunked.isOver() : left === 0);

  return {
    take(bytes) {
      const received = { bytes, at: 0, taken: 0 };
      while (received.at < bytes.length && !isOver()) {
        if (head === null) takeHeadLine(received);
        else if (chunked) chunked.take(received);
        else left = takeBody(received, left);
      }
      isAlone &&= received.at === bytes.length;
      return bytes.subarray(0, received.taken);
    },
    end() {
      if (head?.bodyLength === 'rest') left = 0;
      return isOver();
    },
    head: () => head,
    isOver,
    keptMs: () => (isOver() && isAlone ? (head?.keptMs ?? 0) : 0),
  };
}
