import { createRateLimiter, type RateLimit, type RateLimiter } from '../../core/limits/rate-limiter.ts';
import type { Urgency } from '../../core/ports.ts';

const MINUTE_MS = 60_000;

/** Slack's documented tiers, per method, workspace and app. `chat.postMessage` has a cap per workspace too, said to be "several hundred". */
const LIMITS = {
  'chat.startStream': { limit: 20, windowMs: MINUTE_MS },
  'chat.stopStream': { limit: 20, windowMs: MINUTE_MS },
  'chat.appendStream': { limit: 100, windowMs: MINUTE_MS },
  'chat.update': { limit: 50, windowMs: MINUTE_MS },
  'chat.delete': { limit: 50, windowMs: MINUTE_MS },
  'chat.postMessage': { limit: 300, windowMs: MINUTE_MS },
  'chat.postEphemeral': { limit: 100, windowMs: MINUTE_MS },
  'chat.getPermalink': { limit: 100, windowMs: MINUTE_MS },
  'files.getUploadURLExternal': { limit: 100, windowMs: MINUTE_MS },
  'files.completeUploadExternal': { limit: 100, windowMs: MINUTE_MS },
  'conversations.replies': { limit: 50, windowMs: MINUTE_MS },
  'conversations.history': { limit: 50, windowMs: MINUTE_MS },
  'conversations.open': { limit: 50, windowMs: MINUTE_MS },
  'reactions.add': { limit: 50, windowMs: MINUTE_MS },
  'reactions.remove': { limit: 20, windowMs: MINUTE_MS },
  // Special tier without a published number.
  'assistant.threads.setStatus': { limit: 100, windowMs: MINUTE_MS },
  'agents.sessions.setStatus': { limit: 50, windowMs: MINUTE_MS },
} as const satisfies Record<string, RateLimit>;
/** One message a second and channel, of which Slack lets a few come at once. */
const CHANNEL_POSTS: RateLimit = { limit: 3, windowMs: 3_000 };
/** A channel nobody has been answered in for a second needs no budget object. */
const MOST_CHANNELS = 500;

/** A Web API method that we call under a budget. */
export type PacedMethod = keyof typeof LIMITS;

/** The budgets of one workspace, shared by every answer in it. */
export interface Budgets {
  of(method: PacedMethod): RateLimiter;
  /** Waits for what one post into this channel costs: the channel's second and the workspace's minute. */
  takePost(channel: string): Promise<void>;
  /** Takes a post now if both are free; false without taking anything. */
  tryTakePost(channel: string, urgency: Urgency): boolean;
  blockPosts(channel: string, ms: number): void;
  /** The messages growing at this moment, by how they are written: they share the window. */
  readonly growing: Readonly<Record<'stream' | 'edit', Set<object>>>;
}

export function limitOf(method: PacedMethod): RateLimit {
  return LIMITS[method];
}

/** Creates the budgets of one workspace, all unused. */
export function createBudgets(): Budgets {
  const methods = new Map<PacedMethod, RateLimiter>();
  const channels = new Map<string, RateLimiter>();
  const of = (method: PacedMethod): RateLimiter => existing(methods, method, LIMITS[method]);
  const ofChannel = (channel: string): RateLimiter => {
    if (channels.size >= MOST_CHANNELS) {
      for (const [key, budget] of channels) if (budget.load() === 0) channels.delete(key);
    }
    return existing(channels, channel, CHANNEL_POSTS);
  };
  return {
    of,
    async takePost(channel) {
      await ofChannel(channel).acquire('final');
      await of('chat.postMessage').acquire('final');
    },
    tryTakePost(channel, urgency) {
      // The scarcer one second: what it takes in vain from the minute would be lost.
      return of('chat.postMessage').load() < 1 && ofChannel(channel).tryAcquire(urgency)
        ? of('chat.postMessage').tryAcquire(urgency)
        : false;
    },
    blockPosts(channel, ms) {
      ofChannel(channel).blockFor(ms);
    },
    growing: { stream: new Set(), edit: new Set() },
  };
}

function existing<K>(budgets: Map<K, RateLimiter>, key: K, limit: RateLimit): RateLimiter {
  const budget = budgets.get(key) ?? createRateLimiter(limit);
  budgets.set(key, budget);
  return budget;
}
