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
}

/** What a new account has. */
export const TIER_0: RateLimits = { agent: 50, chat: 50, chatSubmit: 5, chatLook: 6_000, chatList: 3_000 };

const MINUTE = 60_000;

/** Counts requests in the last minute. */
export function createRateLimits(limits: Partial<RateLimits>) {
  const times = new Map<keyof RateLimits, number[]>();
  return {
    /** True when the request may go on; else it has been answered with 429. */
    pass(kind: keyof RateLimits, response: ServerResponse): boolean {
      const limit = limits[kind];
      if (limit === undefined) return true;
      const now = Date.now();
      const recent = (times.get(kind) ?? []).filter((at) => at > now - MINUTE);
      times.set(kind, recent);
      const isOver = recent.length >= limit;
      // A refused request is not counted: whoever waits long enough gets through.
      if (!isOver) recent.push(now);
      const reset = Math.ceil(((recent[0] ?? now) + MINUTE) / 1000);
      const headers = {
        'x-ratelimit-limit': limit,
        'x-ratelimit-remaining': limit - recent.length,
        'x-ratelimit-used': recent.length,
        'x-ratelimit-reset': reset,
      };
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, String(value));
      if (isOver) sendError(response, 429, 'rate_limit_exceeded', 'Request rate limit exceeded.');
      return !isOver;
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
