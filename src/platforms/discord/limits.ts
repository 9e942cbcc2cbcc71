import { LimitedCollection, Routes } from 'discord.js';
import { CallLimiter, type Priority, type RateLimit } from '../../core/limits/call-limiter.ts';

/**
 * Five posts and five edits per 5 s and channel, counted apart: what staff once named and everybody observes. Discord documents
 * no numbers, so its headers and 429s correct the count.
 */
const POSTS: RateLimit = { limit: 5, windowMs: 5_000, isSettled: true };
/** Edits that show progress are spread, so that a message grows steadily. */
const EDITS: RateLimit = { ...POSTS, evenFrom: 0 };

/**
 * Starting threads has a limit of its own, shared by everybody in the channel; people report 50, and waits of four to five
 * minutes. The rest is left to others.
 */
const THREADS: RateLimit = { limit: 45, windowMs: 300_000 };

/**
 * Discord allows 50 requests a second in all; the rest is left to other replicas. Under load progress leaves a third of them
 * free, so that ends need not wait until its calls are over.
 */
const ALL: RateLimit = { limit: 49, windowMs: 1_000, isSettled: true, urgentOnly: 16, evenFrom: 12 };

/** A call as its rate limits see it. */
export interface Call {
  readonly method: string;
  /** Without the version: `/channels/…`. */
  readonly route: string;
}

/** A new message in a channel. */
export function postIn(channel: string): Call {
  return { method: 'POST', route: Routes.channelMessages(channel) };
}

/** An edit in a channel: they count together, whichever message they change. */
export function editIn(channel: string): Call {
  return { method: 'PATCH', route: Routes.channelMessage(channel, channel) };
}

/** How a call waits: see `CallLimiter.acquire`. */
interface Waiting {
  readonly priority: Priority;
  readonly signal?: AbortSignal | undefined;
  readonly since?: number | undefined;
  readonly owner?: string | undefined;
}

/** A channel that is forgotten begins with full limits again: by then its windows are over. */
const MAX_CHANNELS = 2_000;

function createChannelLimits() {
  return {
    posts: new CallLimiter(POSTS),
    edits: new CallLimiter(EDITS),
    threads: new CallLimiter(THREADS),
  };
}

/**
 * The rate limits of the bot. Calls with an interaction's token count as well, although Discord says that it exempts them: it is
 * not certain of all, and a rush of commands makes hundreds in a second. Only first responses, which cannot wait, do not count.
 */
export function createRateLimits() {
  const channels = new LimitedCollection<string, ReturnType<typeof createChannelLimits>>({
    maxSize: MAX_CHANNELS,
  });
  const all = new CallLimiter(ALL);
  const ofChannel = (id: string) => {
    const limits = channels.get(id) ?? createChannelLimits();
    // The channel used last is at the end, the one to forget at the beginning.
    channels.delete(id);
    channels.set(id, limits);
    return limits;
  };
  const ownOf = ({ method, route }: Call): CallLimiter | null => {
    const [, channel, message, threads] = MESSAGES.exec(route) ?? [];
    if (!channel) return null;
    if (threads) return ofChannel(channel).threads;
    if (method === 'POST' && !message) return ofChannel(channel).posts;
    return method === 'PATCH' && message ? ofChannel(channel).edits : null;
  };
  return {
    all,
    ofChannel,
    /** Waits until the call may be made, and counts it. False when an abort ended the wait. */
    async acquire(call: Call, { priority, signal, since, owner }: Waiting): Promise<boolean> {
      // A channel's limit waits for seconds: a call of all must not be kept from others meanwhile.
      const own = ownOf(call);
      if (own && !(await own.acquire(priority, signal, since, owner))) return false;
      if (await all.acquire(priority, signal, since, owner)) return true;
      own?.cancel();
      return false;
    },
    /** Counts the call if it may be made now. */
    tryAcquire(call: Call, priority: Priority, owner?: string): boolean {
      const own = ownOf(call);
      if (own && !own.tryAcquire(priority, owner)) return false;
      if (all.tryAcquire(priority, owner)) return true;
      own?.cancel();
      return false;
    },
    /** Reports that an acquired call has a response, or failed. */
    settle(call: Call): void {
      all.settle();
      ownOf(call)?.settle();
    },
    /** Blocks calls like this one for so long, or all calls. */
    blockFor: (call: Call | 'all', ms: number): void => (call === 'all' ? all : ownOf(call))?.blockFor(ms),
  };
}

export type RateLimits = ReturnType<typeof createRateLimits>;

const MESSAGES = /^\/channels\/(\d+)\/messages(\/\d+)?(\/threads)?$/;
