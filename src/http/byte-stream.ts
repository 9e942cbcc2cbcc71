import type { IncomingMessage } from 'node:http';

/** Bytes that come over time, read on demand. */
export interface ByteStream {
  /** Everything that has come since the last call, in one piece; waits while there is nothing. Null at the end. @throws when it was cut. */
  read(): Promise<Uint8Array | null>;
  /** Until the next `read`, what comes is left with the system: many packets are one read then. */
  pause(): void;
}

/** Reads a message piece by piece. A connection with a `highWaterMark` of 1 reads one packet at most while it is paused. */
export function createByteStream(message: IncomingMessage): ByteStream {
  let pieces: Uint8Array[] = [];
  let wake: () => void = () => {};
  let failure: Error | null = null;
  let isOver = false;
  let isPaused = false;
  const hasNews = (): boolean => pieces.length > 0 || isOver || failure !== null;
  const changed = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
    });
  message.on('data', (piece: Uint8Array) => {
    pieces.push(piece);
    wake();
  });
  message.on('end', () => {
    isOver = true;
    wake();
  });
  message.on('error', (error: Error) => {
    failure = error;
    wake();
  });
  message.on('close', () => {
    failure ??= isOver ? null : new Error('the connection was closed');
    wake();
  });
  return {
    async read() {
      if (isPaused) {
        isPaused = false;
        message.socket.resume();
        await nextTurn();
      }
      while (!hasNews()) await changed();
      const [first = null, ...more] = pieces;
      const all = more.length === 0 ? first : Buffer.concat(pieces);
      pieces = [];
      if (all === null && failure) throw failure;
      return all;
    },
    pause() {
      // The connection of a message that is complete belongs to the next one.
      if (isPaused || message.complete) return;
      isPaused = true;
      message.socket.pause();
    },
  };
}

/** By then one read of the connection has brought all that was waiting. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
