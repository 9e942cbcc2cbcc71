import { createLineReader, type LineReader, type Received, takeBody } from './line-reader.ts';
import { ResponseError } from './response-head.ts';

/** A body in the chunked coding (RFC 9112, section 7.1). */
export interface ChunkedBody {
  /** Moves what is of the body to where the bytes begin. @throws {ResponseError} */
  take(received: Received): void;
  isOver(): boolean;
}

/** In characters: a size and what may be said behind it; also all trailers together. */
const LONGEST_LINE = 16_000;

export function createChunkedBody(): ChunkedBody {
  let part: 'size' | 'chunk' | 'chunk end' | 'trailer' | 'over' = 'size';
  let left = 0;
  let lines: LineReader = createLineReader(LONGEST_LINE);

  const takeLine = (line: string): void => {
    if (part === 'size') {
      left = chunkSize(line);
      part = left === 0 ? 'trailer' : 'chunk';
      lines = createLineReader(LONGEST_LINE);
    } else if (part === 'trailer') {
      if (line === '') part = 'over';
    } else {
      if (line !== '') throw new ResponseError('a chunk is longer than it says');
      part = 'size';
    }
  };
  return {
    take(received) {
      while (received.at < received.bytes.length && part !== 'over') {
        if (part === 'chunk') {
          left = takeBody(received, left);
          if (left > 0) return;
          left = nextChunk(received);
          if (left === 0) part = 'chunk end';
        } else {
          const line = lines.next(received);
          if (line !== null) takeLine(line);
        }
      }
    },
    isOver: () => part === 'over',
  };
}

/** What follows a semicolon says nothing that has to be known. */
function chunkSize(line: string): number {
  const [, digits] = /^([\da-f]{1,12})[ \t]*(?:;|$)/i.exec(line) ?? [];
  if (digits === undefined) throw new ResponseError('a chunk without a size');
  return Number.parseInt(digits, 16);
}

const CARRIAGE_RETURN = 13;
const LINE_FEED = 10;

/**
 * The size of the chunk behind the one that has just ended, if what stands between them is all here and as plain as it nearly
 * always is; else 0, with nothing passed over. Making texts of it made the reading of an answer a sixth dearer.
 */
function nextChunk(received: Received): number {
  const { bytes, at } = received;
  const isLineEnd = (n: number): boolean => bytes[n] === CARRIAGE_RETURN && bytes[n + 1] === LINE_FEED;
  if (!isLineEnd(at)) return 0;
  let size = 0;
  let end = at + 2;
  for (let digit = hexDigit(bytes[end]); digit >= 0 && end < at + 8; digit = hexDigit(bytes[end])) {
    size = size * 16 + digit;
    end += 1;
  }
  if (size === 0 || !isLineEnd(end)) return 0;
  received.at = end + 2;
  return size;
}

/** -1 for what is none. */
function hexDigit(byte = 0): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  // The bit that makes a letter a small one.
  const letter = byte | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
