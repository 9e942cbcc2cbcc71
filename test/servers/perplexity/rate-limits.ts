import type { ServerResponse } from 'node:http';
import { sendError } from './faults.ts';

/** Requests a minute. */
export interface RateLimits {
  /** Everything the Agent API is asked, looks included. */
  readonly agent: number;
  readonly chat: number;
  readonly chatSubmit: number;
  readonly chatLook: number;
  readonly chatList: number;
  /** The same as `agent`, in a second. */
  readonly agentSecond?: number;
}

/**
 * How requests are counted: those of the last minute or second, or as what has not leaked yet out of a bucket that loses its
 * whole content evenly in that time.
 */
export type Counting = 'sliding' | 'leaky';

/** What a new account has a minute. */
export const TIER_0: RateLimits = { agent: 50, chat: 50, chatSubmit: 5, chatLook: 6_000, chatList: 3_000 };

const MINUTE = 60_000;

/** Counts requests; a refused one is not counted, so that whoever waits long enough gets through. */
export function createRateLimits(limits: Partial<RateLimits>, counting: Counting = 'sliding') {
  const makeCounter = counting === 'leaky' ? createBucket : createWindow;
  const counters = new Map<string, Counter>();
  const counterOf = (kind: string, limit: number, windowMs: number): Counter => {
    const counter = counters.get(kind) ?? makeCounter(limit, windowMs);
    counters.set(kind, counter);
    return counter;
  };
  return {
    /** True when the request may go on; else it has been answered with 429. */
    pass(kind: Exclude<keyof RateLimits, 'agentSecond'>, response: ServerResponse): boolean {
      const limit = limits[kind];
      if (limit === undefined) return true;
      const perSecond = kind === 'agent' ? limits.agentSecond : undefined;
      const minute = counterOf(kind, limit, MINUTE);
      const second = perSecond === undefined ? null : counterOf('agentSecond', perSecond, 1_000);
      const now = Date.now();
      const waitMs = Math.max(minute.waitMs(now), second?.waitMs(now) ?? 0);
      const isOver = waitMs > 0;
      if (!isOver) for (const counter of [minute, second]) counter?.count(now);
      const used = Math.ceil(minute.used(now));
      const headers = {
        'x-ratelimit-limit': limit,
        'x-ratelimit-remaining': limit - used,
        'x-ratelimit-used': used,
        'x-ratelimit-reset': Math.ceil((now + Math.max(waitMs, minute.waitMs(now))) / 1000),
      };
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, String(value));
      if (isOver) sendError(response, 429, 'rate_limit_exceeded', 'Request rate limit exceeded.');
      return !isOver;
    },
  };
}

/** Times are milliseconds since the epoch. */
interface Counter {
  /** How much of the limit is used. */
  used(now: number): number;
  /** Until one more request would be within the limit; 0 when it is. */
  waitMs(now: number): number;
  count(now: number): void;
}

function createWindow(limit: number, windowMs: number): Counter {
  const times: number[] = [];
  const recent = (now: number): readonly number[] => {
    while ((times[0] ?? now) <= now - windowMs) times.shift();
    return times;
  };
  return {
    used: (now) => recent(now).length,
    waitMs: (now) => (recent(now).length < limit ? 0 : (times[0] ?? now) + windowMs - now),
    count: (now) => void times.push(now),
  };
}

function createBucket(limit: number, windowMs: number): Counter {
  let level = 0;
  let levelAt = 0;
  const used = (now: number): number => Math.max(0, level - ((now - levelAt) * limit) / windowMs);
  return {
    used,
    waitMs: (now) => Math.max(0, ((used(now) + 1 - limit) * windowMs) / limit),
    count(now) {
      level = used(now) + 1;
      levelAt = now;
    },
  };
}

/** The most of these moments that fall into any one minute. */
export function busiestMinute(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  let first = 0;
  let most = 0;
  for (const [index, at] of sorted.entries()) {
    while ((sorted[first] ?? at) <= at - MINUTE) first++;
    most = Math.max(most, index - first + 1);
  }
  return most;
}
