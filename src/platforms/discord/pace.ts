import { sleep } from '../../core/concurrency.ts';
import {
  createRateLimiter,
  gapMs,
  type RateLimit,
  type RateLimiter,
} from '../../core/limits/rate-limiter.ts';

/**
 * Five creates and five edits per 5 s and channel, counted apart: what staff once named and everybody observes; Discord
 * documents no numbers, so its headers and 429s correct the picture.
 */
const PER_CHANNEL: RateLimit = { limit: 5, windowMs: 5_000, isSettled: true };

/**
 * Starting threads is held short by a limit of its own, shared by everybody in the channel; people report 50 and waits of
 * four to five minutes. Beyond it answers are replies in the channel.
 */
const THREADS_PER_CHANNEL: RateLimit = { limit: 45, windowMs: 300_000 };

/** Discord allows 50 requests a second in all; the rest is for what other replicas and discord.js itself send. */
const IN_ALL: RateLimit = { limit: 49, windowMs: 1_000, isSettled: true, evenFrom: 12 };

/** Between two progress edits in one channel, whoever writes them. */
const GAP_MS = 1_200;

export type CallKind = 'create' | 'edit';

/** What may be written in one channel, shared by all answers in it. */
export interface ChannelPace {
  readonly create: RateLimiter;
  readonly edit: RateLimiter;
  readonly thread: RateLimiter;
  /** The answers in this channel whose last words are still to come. */
  readonly growing: Set<object>;
  /**
   * Resolves when the next progress in this channel is due, having claimed it; also after an abort. The more answers grow
   * anywhere, the longer that takes; a further message leaves one for the end of every other answer. `who` is the answer.
   */
  due(kind: CallKind, who: object, signal: AbortSignal): Promise<void>;
  /** Whether `due` would resolve at once. */
  isDue(kind: CallKind, who: object): boolean;
  /** Notes that something was written: the next progress is due one gap later. */
  wrote(): void;
}

export interface Paces {
  /** All requests of the bot. */
  readonly all: RateLimiter;
  /** The answers anywhere whose last words are still to come. */
  readonly growing: Set<object>;
  of(channel: string): ChannelPace;
  /** A call of the bot was answered, or failed. */
  settle(method: string, path: string): void;
  /** Takes note of what an answer's headers say about a bucket that is used up. */
  correct(method: string, path: string, waitMs: number): void;
}

/** Channels nobody writes in are forgotten once this many are known; a forgotten budget is a full one. */
const MOST_CHANNELS = 2_000;

const MESSAGES = /^\/channels\/(\d+)\/messages(\/\d+)?(\/threads)?$/;

export function createPaces(): Paces {
  const channels = new Map<string, ChannelPace>();
  const all = createRateLimiter(IN_ALL);
  const growing = new Set<object>();
  const gap = (leastMs: number): number => gapMs(IN_ALL, growing.size - 1, all.load(), leastMs);
  const of = (channel: string): ChannelPace => {
    const pace = channels.get(channel) ?? createChannelPace(gap);
    // The most recently used is last, so that the first is the one to forget.
    channels.delete(channel);
    channels.set(channel, pace);
    const oldest = channels.size > MOST_CHANNELS ? channels.keys().next().value : undefined;
    if (oldest !== undefined) channels.delete(oldest);
    return pace;
  };
  const budgetOf = (method: string, path: string): RateLimiter | null => {
    const [, channel, message, threads] = MESSAGES.exec(path) ?? [];
    if (!channel) return null;
    if (threads) return of(channel).thread;
    if (method === 'POST' && !message) return of(channel).create;
    return method === 'PATCH' && message ? of(channel).edit : null;
  };
  return {
    all,
    growing,
    of,
    settle(method, path) {
      all.settle();
      budgetOf(method, path)?.settle();
    },
    correct: (method, path, waitMs) => budgetOf(method, path)?.blockFor(waitMs),
  };
}

/** Waits are looked at again this often: gaps narrow when answers end. */
const LOOK_AGAIN_MS = 500;

/** @param gap the pause between two writes of one answer, given the least there may be. */
function createChannelPace(gap: (leastMs: number) => number): ChannelPace {
  const create = createRateLimiter(PER_CHANNEL);
  const growing = new Set<object>();
  let wroteAt = Number.NEGATIVE_INFINITY;
  const leftMs = (kind: CallKind, who: object): number => {
    const others = growing.size - (growing.has(who) ? 1 : 0);
    const isShort = kind === 'create' && others > 0 && create.free() <= others;
    const dueAt = wroteAt + gap(kind === 'edit' ? GAP_MS : 0);
    return isShort ? LOOK_AGAIN_MS : dueAt - performance.now();
  };
  return {
    create,
    edit: createRateLimiter(PER_CHANNEL),
    thread: createRateLimiter(THREADS_PER_CHANNEL),
    growing,
    async due(kind, who, signal) {
      for (let left = leftMs(kind, who); left > 0 && !signal.aborted; left = leftMs(kind, who)) {
        await sleep(Math.min(left, LOOK_AGAIN_MS), signal);
      }
      // Claimed in the same step as it was found free: several answers may have been waiting.
      if (!signal.aborted) wroteAt = performance.now();
    },
    isDue: (kind, who) => leftMs(kind, who) <= 0,
    wrote() {
      wroteAt = performance.now();
    },
  };
}
