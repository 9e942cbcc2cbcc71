import { type Budget, type BudgetLimit, createBudget } from '../../core/pacing.ts';
import { sleep } from '../../core/sleep.ts';

/**
 * Five creates and five edits per 5 s and channel, counted apart: what staff once named and everybody observes; Discord
 * documents no numbers, so its headers and 429s correct the picture.
 */
const PER_CHANNEL: BudgetLimit = { limit: 5, windowMs: 5_000 };

/**
 * Starting threads is held short by a limit of its own, shared by everybody in the channel; people report 50 and waits of
 * four to five minutes. Beyond it answers are replies in the channel.
 */
const THREADS_PER_CHANNEL: BudgetLimit = { limit: 45, windowMs: 300_000 };

/** Discord allows 50 requests a second in all; the rest is for what other replicas and discord.js itself send. */
const IN_ALL: BudgetLimit = { limit: 45, windowMs: 1_000 };

/** Between two progress writes in one channel, whoever writes them. */
const GAP_MS = 1_200;

/** What may be written in one channel, shared by all answers in it. */
export interface ChannelPace {
  readonly create: Budget;
  readonly edit: Budget;
  readonly thread: Budget;
  /** Resolves when the next progress edit in this channel is due, having claimed it; also after an abort. */
  gap(signal: AbortSignal): Promise<void>;
  /** Notes that something was written: the next progress edit is due one gap later. */
  wrote(): void;
}

export interface Paces {
  readonly all: Budget;
  of(channel: string): ChannelPace;
  /** Takes note of what an answer's headers say about a bucket that is used up. */
  correct(method: string, path: string, waitMs: number): void;
}

/** Channels nobody writes in are forgotten once this many are known; a forgotten budget is a full one. */
const MOST_CHANNELS = 2_000;

export function createPaces(): Paces {
  const channels = new Map<string, ChannelPace>();
  const of = (channel: string): ChannelPace => {
    const pace = channels.get(channel) ?? createChannelPace();
    // The most recently used is last, so that the first is the one to forget.
    channels.delete(channel);
    channels.set(channel, pace);
    const oldest = channels.size > MOST_CHANNELS ? channels.keys().next().value : undefined;
    if (oldest !== undefined) channels.delete(oldest);
    return pace;
  };
  return {
    all: createBudget(IN_ALL),
    of,
    correct(method, path, waitMs) {
      const [, channel, message, threads] =
        /^\/channels\/(\d+)\/messages(\/\d+)?(\/threads)?$/.exec(path) ?? [];
      if (!channel) return;
      if (threads) of(channel).thread.blockFor(waitMs);
      else if (method === 'POST' && !message) of(channel).create.blockFor(waitMs);
      else if (method === 'PATCH' && message) of(channel).edit.blockFor(waitMs);
    },
  };
}

function createChannelPace(): ChannelPace {
  let dueAt = 0;
  return {
    create: createBudget(PER_CHANNEL),
    edit: createBudget(PER_CHANNEL),
    thread: createBudget(THREADS_PER_CHANNEL),
    async gap(signal) {
      while (!signal.aborted) {
        const leftMs = dueAt - performance.now();
        if (leftMs <= 0) break;
        await sleep(Math.min(leftMs, 500), signal);
      }
      // Claimed in the same step as it was found free: several answers may have been waiting.
      dueAt = performance.now() + GAP_MS;
    },
    wrote() {
      dueAt = performance.now() + GAP_MS;
    },
  };
}
