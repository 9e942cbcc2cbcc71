/** How late the event loop is: what is accepted waits in the queue while this process cannot keep up with what it has begun. */
export interface LoopGauge {
  /** True while timers come later than answers can bear. */
  isLate(): boolean;
  stop(): void;
}

const BEAT_MS = 50;
/** A tenth of a second is what a reader does not notice, and far below the 3 s in which Slack wants its answer. */
const LATE_MS = 100;

export function createLoopGauge(now: () => number = () => performance.now()): LoopGauge {
  let last = now();
  let lagMs = 0;
  const timer = setInterval(() => {
    lagMs = now() - last - BEAT_MS;
    last = now();
  }, BEAT_MS);
  timer.unref();
  return {
    // A beat that is overdue counts before it comes.
    isLate: () => Math.max(lagMs, now() - last - BEAT_MS) > LATE_MS,
    stop: () => clearInterval(timer),
  };
}
