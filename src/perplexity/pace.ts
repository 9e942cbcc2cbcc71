/** How eagerly the streams of this process are read: many small reads cost more than what they bring. */
export interface Pace {
  /** A stream begins; call the result when it has ended. */
  begin(): () => void;
  /** How long a stream rests after a read, in milliseconds, while the tokens of that time gather. */
  restMs(): number;
}

/** So few streams are read token by token. */
const FEW = 10;
/** A rest grows by this much, in milliseconds, with every so many streams: the reads of a second stay about as many. */
const STEP_MS = 25;
const STREAMS_PER_STEP = 50;
/** Platforms are written to in steps of half a second and more: this is not seen. */
const LONGEST_MS = 100;

export function createPace(): Pace {
  let streams = 0;
  return {
    begin() {
      streams += 1;
      let isOpen = true;
      return () => {
        if (isOpen) streams -= 1;
        isOpen = false;
      };
    },
    restMs: () =>
      streams <= FEW ? 0 : Math.min(LONGEST_MS, STEP_MS * Math.ceil(streams / STREAMS_PER_STEP)),
  };
}
