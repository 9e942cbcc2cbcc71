import { Failure } from '../core/failures.ts';

/** How long an answer may keep us waiting, in milliseconds. */
export interface Timers {
  /** From the request to the response's headers. */
  readonly headersMs: number;
  /** Between two events, the first included; keep-alive comments do not count. */
  readonly idleMs: number;
  /** For the whole answer. */
  readonly totalMs: number;
}

/** The clocks of one request and the caller's signal, joined: whatever comes first ends the request. */
export interface Watch {
  /** Aborted by the caller's signal or by the first clock that runs out. */
  readonly signal: AbortSignal;
  /** Why it was ended, or null while it was not. */
  verdict(): Failure | null;
  /** Headers are here: from now on the idle clock runs. */
  headers(): void;
  /** Stops the idle clock while the consumer is busy with what came: it counts only the other side's silence. */
  pause(): void;
  /** Starts the idle clock anew. */
  resume(): void;
  /** Stops the clocks and lets go of the caller's signal. */
  close(): void;
  /** Ends the request if it is still open. */
  abort(): void;
}

/** Starts the clocks for a request that is about to be made. */
export function startWatch(timers: Timers, caller: AbortSignal): Watch {
  const controller = new AbortController();
  let verdict: Failure | null = null;
  let isPaused = false;
  let idle: ReturnType<typeof setTimeout> | undefined;

  const end = (failure: Failure): void => {
    verdict ??= failure;
    controller.abort();
  };
  const stop = (): void => end(new Failure('stopped', 'the answer was aborted'));
  const tooSlow = (what: string, ms: number): void => {
    end(new Failure('too-slow', `no ${what} from Perplexity within ${ms} ms`));
  };
  const headers = setTimeout(() => tooSlow('response', timers.headersMs), timers.headersMs);
  const total = setTimeout(() => tooSlow('complete answer', timers.totalMs), timers.totalMs);
  caller.addEventListener('abort', stop, { once: true });
  if (caller.aborted) stop();

  return {
    signal: controller.signal,
    verdict: () => verdict,
    headers() {
      clearTimeout(headers);
      idle = setTimeout(() => {
        if (!isPaused) tooSlow('event', timers.idleMs);
      }, timers.idleMs);
    },
    pause() {
      isPaused = true;
    },
    resume() {
      isPaused = false;
      // One timer for the whole stream: it is moved on, never made anew.
      idle?.refresh();
    },
    close() {
      for (const timer of [headers, total, idle]) clearTimeout(timer);
      caller.removeEventListener('abort', stop);
    },
    abort: () => controller.abort(),
  };
}
