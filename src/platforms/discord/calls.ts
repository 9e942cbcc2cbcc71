import { Failure } from '../../core/failures.ts';
import type { Priority } from '../../core/limits/rate-limiter.ts';
import type { CallKind, ChannelPace, Paces } from './pace.ts';

/**
 * What one answer's writes cost: a call of the channel and one of all requests. Progress never waits while it holds a text:
 * it is told to come again, and by then there are more words to show.
 */
export interface Calls {
  /** Resolves when the next progress may be written, having taken what the last one could not have; also after an abort. */
  due(signal: AbortSignal): Promise<void>;
  /** Takes a call for progress. @throws {Failure} `rate-limited` when none is free: `due` waits for it. */
  takeNow(kind: CallKind): void;
  /** Waits for a call and takes it. @throws {Failure} `stopped` after an abort. */
  take(kind: CallKind, priority: Priority, signal: AbortSignal): Promise<void>;
  /** Gives back what was taken and not used, and what was set aside for the end. */
  end(): void;
}

/** What is kept back from others is not kept long. */
const KEPT_MS = 1_000;

/** A call of the channel that was taken and not made yet; `isPaid` once there is one of all requests to go with it. */
interface Held {
  readonly kind: CallKind;
  readonly at: number;
  readonly isPaid: boolean;
}

/** What an answer has taken and not used yet. */
interface Hand {
  has(kind: CallKind): boolean;
  /** Takes what is still missing for such a call. False when an abort ended the wait, or without waiting when it is not free. */
  fill(kind: CallKind, priority: Priority, signal: AbortSignal): Promise<boolean>;
  tryFill(kind: CallKind): boolean;
  /** What is there is used now. */
  use(): void;
  giveBack(): void;
}

function createHand({ all }: Paces, pace: ChannelPace): Hand {
  let held: Held | null = null;
  const hold = (kind: CallKind, isPaid: boolean): void => {
    held = { kind, at: performance.now(), isPaid };
  };
  const giveBack = (): void => {
    if (held) pace[held.kind].settle();
    if (held?.isPaid) all.settle();
    held = null;
  };
  const has = (kind: CallKind): boolean => {
    if (held && (held.kind !== kind || performance.now() - held.at > KEPT_MS)) giveBack();
    return held !== null;
  };
  const isFull = (): boolean => held?.isPaid === true;
  return {
    has,
    async fill(kind, priority, signal) {
      if (!has(kind) && (await pace[kind].acquire(priority, signal))) hold(kind, false);
      if (held && !isFull() && (await all.acquire(priority, signal))) hold(kind, true);
      return isFull();
    },
    tryFill(kind) {
      if (!has(kind) && pace[kind].tryAcquire('progress')) hold(kind, false);
      if (held && !isFull() && all.tryAcquire('progress')) hold(kind, true);
      return isFull();
    },
    use() {
      held = null;
    },
    giveBack,
  };
}

/** A message of sources is not kept back longer than this for the ends of other answers in the channel. */
const LONGEST_LATER_MS = 10_000;

/**
 * @param who the answer.
 * @param isFirst whether nothing of it is there yet: first words wait for nobody's pause.
 */
export function createCalls(paces: Paces, pace: ChannelPace, who: object, isFirst: () => boolean): Calls {
  const hand = createHand(paces, pace);
  /** One edit of the channel is set aside for the end of this answer. */
  let hasReserve = pace.edit.reserve();
  let wanted: CallKind | null = null;
  return {
    async due(signal) {
      const kind = wanted;
      wanted = null;
      if (kind === null) return isFirst() ? undefined : pace.due('edit', who, signal);
      // An edit was due already.
      if (kind === 'create' && !isFirst()) await pace.due('create', who, signal);
      await hand.fill(kind, 'progress', signal);
    },
    takeNow(kind) {
      const isNext = kind === 'edit' || isFirst() || hand.has(kind) || pace.isDue('create', who);
      if (isNext && hand.tryFill(kind)) return hand.use();
      wanted = kind;
      throw new Failure('rate-limited', 'no budget for progress now', { retryAfterMs: 0 });
    },
    async take(kind, priority, signal) {
      if (kind === 'create' && priority === 'later')
        await pace.due(kind, who, AbortSignal.any([signal, AbortSignal.timeout(LONGEST_LATER_MS)]));
      const isReserved = kind === 'edit' && priority === 'final' && !hand.has(kind);
      const isTaken = await hand.fill(kind, priority, signal);
      if (isTaken && isReserved) hasReserve = false;
      if (!isTaken) throw new Failure('stopped', 'stopped while waiting to write');
      hand.use();
    },
    end() {
      hand.giveBack();
      if (hasReserve) pace.edit.release();
      hasReserve = false;
    },
  };
}
