/** How eagerly the streams of this process are read: many small reads cost more than what they bring. */
export interface Pace {
  /** A stream begins; call the result when it has ended. */
  begin(): () => void;
  /** How long a stream rests after a read, in milliseconds, while the tokens of that time gather. */
  restMs(): number;
  /** Resolves when about so much has passed, for all whose rest ends then together: waking up costs as much as reading. */
  rest(): Promise<void>;
}

/** So few streams are read token by token. */
const FEW = 10;
/** A rest grows by this much, in milliseconds, with every so many streams: the reads of a second stay about as many. */
const STEP_MS = 25;
const STREAMS_PER_STEP = 25;
/** Platforms are written to in steps of half a second and more: this is not seen. */
const LONGEST_MS = 200;

/** `now` is a clock that never jumps (milliseconds). */
export function createPace(now: () => number = () => performance.now()): Pace {
  const beats = new Map<number, Promise<void>>();
  let streams = 0;
  const restMs = (): number =>
    streams <= FEW ? 0 : Math.min(LONGEST_MS, STEP_MS * Math.ceil(streams / STREAMS_PER_STEP));
  return {
    begin() {
      streams += 1;
      let isOpen = true;
      return () => {
        if (isOpen) streams -= 1;
        isOpen = false;
      };
    },
    restMs,
    rest() {
      const beat = Math.round((now() + restMs()) / STEP_MS);
      const known = beats.get(beat);
      if (known) return known;
      const { promise, resolve } = Promise.withResolvers<void>();
      beats.set(beat, promise);
      setTimeout(
        () => {
          beats.delete(beat);
          resolve();
        },
        beat * STEP_MS - now(),
      );
      return promise;
    },
  };
}
