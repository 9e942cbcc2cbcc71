import { Failure } from '../../core/failures.ts';
import { CallLimiter, type RateLimit } from '../../core/limits/call-limiter.ts';
import type { Urgency } from '../../core/ports.ts';

/** Slack's documented tiers (docs.slack.dev/apis/web-api/rate-limits), per method, workspace and app. */
const TIER_2 = perMinute(20);
const TIER_3 = perMinute(50);
const TIER_4 = perMinute(100);

export const LIMITS = {
  'chat.startStream': TIER_2,
  'chat.stopStream': TIER_2,
  'chat.appendStream': TIER_4,
  'chat.update': TIER_3,
  'chat.delete': TIER_3,
  // "Several hundred" per workspace, and one a second per channel.
  'chat.postMessage': perMinute(300),
  'chat.postEphemeral': TIER_4,
  'chat.getPermalink': TIER_4,
  'files.getUploadURLExternal': TIER_4,
  'files.completeUploadExternal': TIER_4,
  'conversations.replies': TIER_3,
  'conversations.history': TIER_3,
  'conversations.open': TIER_3,
  'users.info': TIER_4,
  'reactions.add': TIER_3,
  'reactions.remove': TIER_2,
  // A special tier whose number is not published.
  'assistant.threads.setStatus': perMinute(100),
  'agents.sessions.setStatus': TIER_3,
} as const satisfies Record<string, RateLimit>;

function perMinute(limit: number): RateLimit {
  return { limit, windowMs: 60_000 };
}

/** Slack tolerates short bursts of posts into a channel. */
const CHANNEL_POSTS: RateLimit = { limit: 3, windowMs: 3_000 };
/** From this many channels on, the limiters of those without a recent post or a Retry-After are dropped. */
const MAX_CHANNELS = 500;

/** A Web API method with a rate limit: every one that is called. */
export type LimitedMethod = keyof typeof LIMITS;

/** The rate limits of one workspace, shared by everything that is written there. */
export class RateLimits {
  readonly #methods = new Map<LimitedMethod, CallLimiter>();
  readonly #channels = new Map<string, CallLimiter>();
  /** The answers growing at this moment, by how they are written: they share the limit of its method. */
  readonly growing = { stream: new Set<object>(), edit: new Set<object>() };

  of(method: LimitedMethod): CallLimiter {
    return getOrCreate(this.#methods, method, LIMITS[method]);
  }

  /**
   * Makes one call when its method's limit allows, for `progress` at once or not at all. After a 429 the limiter grants nothing
   * for as long as Slack asks.
   * @throws {Failure} `rate-limited` also when no call is free for progress
   */
  async call<T>(method: LimitedMethod, run: () => Promise<T>, urgency: Urgency = 'final'): Promise<T> {
    const limiter = this.of(method);
    await acquire(limiter, urgency);
    return honourRetryAfter(limiter, run);
  }

  /** The same for `chat.postMessage`, which has a limit for the channel and one for the workspace. A 429 is about the channel. */
  async post<T>(channel: string, run: () => Promise<T>, urgency: Urgency = 'final'): Promise<T> {
    const limiter = this.#ofChannel(channel);
    await acquire(limiter, urgency);
    try {
      await acquire(this.of('chat.postMessage'), urgency);
    } catch (error) {
      limiter.cancel();
      throw error;
    }
    return honourRetryAfter(limiter, run);
  }

  #ofChannel(channel: string): CallLimiter {
    if (this.#channels.size >= MAX_CHANNELS) {
      for (const [key, limiter] of this.#channels)
        if (limiter.free() === CHANNEL_POSTS.limit) this.#channels.delete(key);
    }
    return getOrCreate(this.#channels, channel, CHANNEL_POSTS);
  }
}

async function acquire(limiter: CallLimiter, urgency: Urgency): Promise<void> {
  if (urgency === 'final') await limiter.acquire(urgency);
  else if (!limiter.tryAcquire(urgency))
    throw new Failure('rate-limited', 'no call is free for progress', { retryAfterMs: 0 });
}

async function honourRetryAfter<T>(limiter: CallLimiter, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof Failure && error.kind === 'rate-limited') limiter.blockFor(error.retryAfterMs ?? 0);
    throw error;
  }
}

function getOrCreate<K>(limiters: Map<K, CallLimiter>, key: K, limit: RateLimit): CallLimiter {
  const limiter = limiters.get(key) ?? new CallLimiter(limit);
  limiters.set(key, limiter);
  return limiter;
}
