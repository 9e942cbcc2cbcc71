/** A text that comes over time, read on demand. */
export interface TextStream {
  /** Everything that has come since the last call, in one piece; waits while there is nothing. Null at the end. @throws when it was cut. */
  read(): Promise<string | null>;
  /** Until the next `read`, what comes is left with the system where that can be: many packets are one read then. */
  pause(): void;
}

/** The other end of a stream. */
export interface TextFeed {
  readonly stream: TextStream;
  /** More of it, as UTF-8; the bytes are not kept. */
  add(bytes: Uint8Array): void;
  /** That was all, or (not null) why there is no more. Counts once. */
  end(failure: Error | null): void;
  isOver(): boolean;
}

/** `source` is where the bytes come from; it is left alone once the stream is over. */
export function createTextFeed(source: { pause(): void; resume(): void }): TextFeed {
  const decoder = new TextDecoder();
  let text = '';
  let isOver = false;
  let isPaused = false;
  let failure: Error | null = null;
  let wake: () => void = () => {};
  return {
    stream: {
      async read() {
        if (isPaused && !isOver) source.resume();
        isPaused = false;
        if (text === '' && !isOver) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        const all = text;
        text = '';
        if (all === '' && failure) throw failure;
        return all === '' ? null : all;
      },
      pause() {
        if (isOver) return;
        isPaused = true;
        source.pause();
      },
    },
    add(bytes) {
      text += decoder.decode(bytes, { stream: true });
      if (text !== '') wake();
    },
    end(reason) {
      if (isOver) return;
      isOver = true;
      failure = reason;
      text += decoder.decode();
      wake();
    },
    isOver: () => isOver,
  };
}

/** The whole text. @throws when it was cut. */
export async function readAll(stream: TextStream): Promise<string> {
  let all = '';
  for (let text = await stream.read(); text !== null; text = await stream.read()) all += text;
  return all;
}
