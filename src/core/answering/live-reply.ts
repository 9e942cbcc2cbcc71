import { sleep } from '../concurrency.ts';
import { Failure } from '../failures.ts';
import type { Log, Reply } from '../ports.ts';
import { isRetryable, retry } from '../retry.ts';
import type { View } from '../types.ts';
import { StopRequested } from './stop.ts';

/** Writes a changing view to a reply: one write at a time, the latest view wins, the final view is always delivered. */
export interface LiveReply {
  /** Sets the view to show next; returns at once. */
  update(view: View): void;
  /**
   * Opens the place, shows the final view and returns once it is there. Progress still waiting is dropped.
   * @throws {Failure} `gone` or `undeliverable` when there is nothing left to write to; the last failure when the platform
   *   stayed unreachable; `stopped` after an abort.
   */
  finish(view: View): Promise<void>;
  /** Ends the writing without a final view, leaving the messages as they are. */
  abandon(): Promise<void>;
}

export interface LiveReplyOptions {
  readonly reply: Reply;
  /** Makes sure that there is a place for the final view; asked again after a failure that a retry may cure. */
  readonly open: () => Promise<unknown>;
  readonly log: Log;
  /** Ends every wait: the process stops, or another worker has taken over. */
  readonly signal: AbortSignal;
  /** Called when the message is gone, a later attempt has taken over, or the platform reports a stop: the model request must end. */
  readonly lost: (reason: unknown) => void;
}

/** A platform that is unreachable for longer than this has the job run again later. */
const FINAL_RETRY = { attempts: 40, baseMs: 500, capMs: 15_000, longestWaitMs: 10 * 60_000 };

/** Starts writing. */
export function startLiveReply(options: LiveReplyOptions): LiveReply {
  return new Follower(options);
}

class Follower implements LiveReply {
  readonly #options: LiveReplyOptions;
  /** Aborts waits for progress, so that the final view does not queue behind them. */
  readonly #ending = new AbortController();
  readonly #whileFollowing: AbortSignal;
  readonly #following: Promise<void>;
  #latest: View | null = null;
  /** The latest view has not been shown. */
  #isNew = false;
  #wake: () => void = () => {};

  constructor(options: LiveReplyOptions) {
    this.#options = options;
    this.#whileFollowing = AbortSignal.any([options.signal, this.#ending.signal]);
    this.#whileFollowing.addEventListener('abort', () => this.#wake(), { once: true });
    this.#following = this.#follow();
  }

  update(view: View): void {
    this.#latest = view;
    this.#isNew = true;
    this.#wake();
  }

  async finish(view: View): Promise<void> {
    const { reply, open, signal } = this.#options;
    await this.abandon();
    await retry({ ...FINAL_RETRY, signal }, async () => {
      await open();
      if (signal.aborted) throw new Failure('stopped', 'stopped before the final view was shown');
      await reply.show(() => view, signal);
    });
  }

  async abandon(): Promise<void> {
    this.#ending.abort();
    await this.#following;
  }

  async #follow(): Promise<void> {
    const signal = this.#whileFollowing;
    while (await this.#hasNews()) {
      try {
        await this.#options.reply.show(() => this.#take(), signal);
      } catch (error) {
        if (signal.aborted || (await this.#isLost(error))) return;
        // The next view contains what was not shown; without a next view this one is tried again.
        this.#isNew = true;
      }
    }
  }

  /** Waits for something to show; false once the final view is due. */
  async #hasNews(): Promise<boolean> {
    if (!this.#isNew && !this.#whileFollowing.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return !this.#whileFollowing.aborted;
  }

  /** The view to show now; null once the final one is due. */
  #take(): View | null {
    this.#isNew = false;
    return this.#whileFollowing.aborted ? null : this.#latest;
  }

  /** A failed progress write is skipped; a failure that no retry can cure ends the answer. */
  async #isLost(error: unknown): Promise<boolean> {
    const { log, lost } = this.#options;
    if (error instanceof StopRequested || (error instanceof Failure && !isRetryable(error))) {
      lost(error);
      return true;
    }
    log[error instanceof Failure ? 'debug' : 'error']({ err: error }, 'progress not shown');
    const retryAfterMs = error instanceof Failure ? error.retryAfterMs : undefined;
    await sleep(retryAfterMs ?? 1_000, this.#whileFollowing);
    return false;
  }
}
