import { Failure } from '../../core/failures.ts';
import type { Priority } from '../../core/limits/call-limiter.ts';
import { type Call, editIn, postIn, type RateLimits } from './limits.ts';
import type { Part } from './render.ts';

export type CallKind = 'post' | 'edit';

/** Progress looks so often whether what it waits to write has become more urgent. */
const MAX_WAIT_MS = 250;

/**
 * The calls of one answer. Progress acquires its call before it chooses its text: while it waits the text goes on growing, and the
 * latest is written. First words and complete parts go before words that are written again, and the end of an answer goes before
 * ends that came later.
 */
export class ReplyCalls {
  readonly #limits: RateLimits;
  readonly #owner: string;
  readonly #hasWords: () => boolean;
  readonly startedAt = performance.now();
  #endedAt: number | undefined;
  #stopping: AbortSignal | undefined;
  #channel = '';
  #isReserved = false;
  /** The call that the last progress lacked. */
  #lacking: { readonly kind: CallKind; readonly priority: Priority; readonly since: number } | null = null;
  /** The call acquired for the next progress. */
  #acquired: CallKind | null = null;

  /** @param owner who asked; see `CallLimiter.acquire`. @param hasWords whether something of the answer can be read already. */
  constructor(limits: RateLimits, owner: string, hasWords: () => boolean) {
    this.#limits = limits;
    this.#owner = owner;
    this.#hasWords = hasWords;
  }

  /** The answer is written in this channel. Reserves an edit there for its end, if one is free. */
  openChannel(channel: string): void {
    this.#channel = channel;
    this.#isReserved = this.#limits.ofChannel(channel).edits.reserve();
  }

  /**
   * Waits until the next progress may be written, having acquired its call. Also returns after a while, because by then a part may
   * be complete, which goes first, and after an abort.
   */
  async acquireNext(signal: AbortSignal): Promise<void> {
    if (this.#hasWords()) this.#lacking ??= { kind: 'edit', priority: 'progress', since: performance.now() };
    if (this.#lacking === null || this.#acquired !== null || this.#channel === '') return;
    const { kind, priority, since } = this.#lacking;
    const owner = this.#owner;
    const waiting = {
      priority,
      since,
      owner,
      signal: AbortSignal.any([signal, AbortSignal.timeout(MAX_WAIT_MS)]),
    };
    if (await this.#limits.acquire(this.#callOf(kind), waiting)) this.#acquired = kind;
  }

  /**
   * @param part what is to be written: a growing one will be repeated with more words.
   * @throws {Failure} `rate-limited` when no call is free for progress: `acquireNext` then waits for one.
   */
  takeNow(kind: CallKind, { isGrowing, words }: Pick<Part, 'isGrowing' | 'words'>): void {
    const priority = isGrowing && (words === 0 || this.#hasWords()) ? 'progress' : 'first';
    if (this.#takeAcquired(kind) || this.#limits.tryAcquire(this.#callOf(kind), priority, this.#owner)) {
      this.#lacking = null;
      return;
    }
    // Whoever waits again keeps its turn.
    if (this.#lacking?.kind !== kind || this.#lacking.priority !== priority) {
      const since = this.#hasWords() ? performance.now() : this.startedAt;
      this.#lacking = { kind, priority, since };
    }
    throw new Failure('rate-limited', 'no call is free for progress', { retryAfterMs: 0 });
  }

  /** Waits for a call of the final view. @throws {Failure} `stopped` after an abort. */
  async take(kind: CallKind, priority: Priority): Promise<void> {
    if (this.#takeAcquired(kind)) return;
    const waiting = { priority, signal: this.#stopping, since: this.#endedAt, owner: this.#owner };
    if (!(await this.#limits.acquire(this.#callOf(kind), waiting)))
      throw new Failure('stopped', 'stopped while waiting to write');
    // The limiter spends a reserved call on a final edit.
    if (kind === 'edit' && priority === 'final') this.#isReserved = false;
  }

  /** The final view is there to be shown. @param signal ends the waits for its calls. */
  beginEnd(signal: AbortSignal): void {
    this.#stopping = signal;
    this.#endedAt ??= performance.now();
  }

  /** Returns a call that was acquired and not needed. */
  cancel(): void {
    if (this.#acquired) this.#limits.cancel(this.#callOf(this.#acquired));
    this.#acquired = null;
  }

  /** Returns the reserve: the last words are there, or will not come. */
  release(): void {
    if (this.#isReserved) this.#limits.ofChannel(this.#channel).edits.release();
    this.#isReserved = false;
  }

  #takeAcquired(kind: CallKind): boolean {
    const isIt = this.#acquired === kind;
    if (isIt) this.#acquired = null;
    return isIt;
  }

  #callOf(kind: CallKind): Call {
    return kind === 'post' ? postIn(this.#channel) : editIn(this.#channel);
  }
}
