import { ResponseError } from './response-head.ts';

/** The bytes of one read, while they are taken apart. */
export interface Received {
  readonly bytes: Buffer;
  /** Where what has not been looked at begins. */
  at: number;
  /** How many bytes of the body have been moved to the beginning. */
  taken: number;
}

/** Puts lines together that may be cut by reads. */
export interface LineReader {
  /** The next line without its end; null when it is not complete, and all bytes are looked at then. @throws {ResponseError} */
  next(received: Received): string | null;
}

const LINE_FEED = 10;

/** `longest` is for all lines together, in characters: what is longer never ends. */
export function createLineReader(longest: number): LineReader {
  let line = '';
  let read = 0;
  return {
    next(received) {
      const { bytes, at } = received;
      const feed = bytes.indexOf(LINE_FEED, at);
      const end = feed < 0 ? bytes.length : feed;
      line += bytes.toString('latin1', at, end);
      read += end - at;
      if (read > longest) throw new ResponseError('lines without end');
      received.at = feed < 0 ? end : feed + 1;
      if (feed < 0) return null;
      const text = line.endsWith('\r') ? line.slice(0, -1) : line;
      line = '';
      return text;
    },
  };
}

/** Moves so many of the next bytes, or as many as there are, to those of the body; returns how many are missing. */
export function takeBody(received: Received, length: number): number {
  const { bytes, at, taken } = received;
  const end = Math.min(at + length, bytes.length);
  bytes.copyWithin(taken, at, end);
  received.at = end;
  received.taken = taken + end - at;
  return length - (end - at);
}
