import { Failure } from '../core/failures.ts';

/** How long the other side may take, in milliseconds. */
export interface Timeouts {
  /** From the request to the response's headers. */
  readonly headersMs: number;
  /** Between two events, or two pieces of a document, the first included; keep-alive comments do not count. */
  readonly idleMs: number;
  /** For the whole answer. */
  readonly totalMs: number;
}

/** The timeouts of one request and the caller's signal, joined: whatever comes first ends the request. */
export interface Deadline {
  /** Aborted by the caller's signal or by the first timeout. */
  readonly signal: AbortSignal;
  /** Why the request was ended; null while it was not. */
  reason(): Failure | null;
  /** The headers are here: from now on the idle timeout runs. */
  headersArrived(): void;
  /** Stops the idle timeout while the consumer is busy with what came: only the other side's silence counts. */
  pause(): void;
  /** Starts the idle timeout anew. */
  resume(): void;
  /** Stops the timeouts and removes the listener from the caller's signal. */
  close(): void;
  /** Ends the request if it is still open. */
  abort(): void;
}

/** Starts the timeouts for a request that is about to be made. */
export function startDeadline(timeouts: Timeouts, caller: AbortSignal): Deadline {
  const controller = new AbortController();
  const { signal } = controller;
  let isPaused = false;
  let idle: ReturnType<typeof setTimeout> | undefined;

  const stop = (): void => controller.abort(new Failure('stopped', 'the answer was aborted'));
  const expire = (what: string, ms: number): void => {
    controller.abort(new Failure('too-slow', `no ${what} from Perplexity within ${ms} ms`));
  };
  const headers = setTimeout(() => expire('response', timeouts.headersMs), timeouts.headersMs);
  const total = setTimeout(() => expire('complete answer', timeouts.totalMs), timeouts.totalMs);
  caller.addEventListener('abort', stop, { once: true });
  if (caller.aborted) stop();

  return {
    signal,
    reason: () => (signal.reason instanceof Failure ? signal.reason : null),
    headersArrived() {
      clearTimeout(headers);
      idle = setTimeout(() => {
        if (!isPaused) expire('event', timeouts.idleMs);
      }, timeouts.idleMs);
    },
    pause() {
      isPaused = true;
    },
    resume() {
      isPaused = false;
      // One timer for the whole stream: a new one for every event would cost more than reading it.
      idle?.refresh();
    },
    close() {
      for (const timer of [headers, total, idle]) clearTimeout(timer);
      caller.removeEventListener('abort', stop);
    },
    abort: () => controller.abort(),
  };
}
