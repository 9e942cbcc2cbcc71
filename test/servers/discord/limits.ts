import { createHash } from 'node:crypto';

/** How many calls a bucket takes per window. The window begins with its first call, as Discord's do. */
interface Rule {
  readonly limit: number;
  readonly windowMs: number;
  /** What its 429 names; `user` when left out. */
  readonly scope?: 'user' | 'shared';
}

interface Window {
  readonly rule: Rule;
  used: number;
  resetAt: number;
}

/** What a call met: headers to send, and how long to wait when it is refused. */
interface Verdict {
  readonly headers: Readonly<Record<string, string>>;
  /** Seconds; null when the call may go ahead. */
  readonly retryAfter: number | null;
  readonly scope: 'user' | 'shared' | 'global';
}

const GLOBAL: Rule = { limit: 50, windowMs: 1000 };

/**
 * Per route and major parameter. Create and edit are the commonly observed values, webhooks what staff once named (5 in 2 s);
 * Discord documents none of them. Starting threads is the harsh one: public reports show waits of 220 to 280 s and the scope
 * `shared`, so a window of some five minutes; the 50 is the number people name. The rest is chosen, not measured.
 */
const RULES: Readonly<Record<string, Rule>> = {
  'POST /channels/:channel/messages': { limit: 5, windowMs: 5000 },
  'PATCH /channels/:channel/messages/:message': { limit: 5, windowMs: 5000 },
  'DELETE /channels/:channel/messages/:message': { limit: 5, windowMs: 1000 },
  'PUT /channels/:channel/messages/:message/reactions/:emoji/@me': { limit: 1, windowMs: 250 },
  'DELETE /channels/:channel/messages/:message/reactions/:emoji/@me': { limit: 1, windowMs: 250 },
  'POST /channels/:channel/typing': { limit: 5, windowMs: 5000 },
  'POST /channels/:channel/messages/:message/threads': { limit: 50, windowMs: 300_000, scope: 'shared' },
  'POST /channels/:channel/threads': { limit: 50, windowMs: 300_000, scope: 'shared' },
  'PATCH /channels/:channel': { limit: 5, windowMs: 15_000 },
  'POST /webhooks/:application/:token': { limit: 5, windowMs: 2000 },
  'PATCH /webhooks/:application/:token/messages/:message': { limit: 5, windowMs: 2000 },
  'PUT /applications/:application/commands': { limit: 2, windowMs: 5000 },
};
const OTHERS: Rule = { limit: 10, windowMs: 5000 };

/**
 * `real`: as Discord documents it, calls with an interaction's token do not count for the bot. `strict`: they do, but for the first
 * response, which cannot wait.
 */
export type LimitMode = 'real' | 'strict' | 'off';

/** Rate limits of every bucket, the waits they asked for, and the count of invalid requests. */
export interface Limits {
  /** @param major the channel, guild or webhook token the bucket is split by. */
  check(method: string, route: string, major: string, isInteraction: boolean): Verdict;
  /** Whether a wait asked for in this bucket, or globally, is still on. */
  isBlocked(method: string, route: string, major: string, isInteraction: boolean): boolean;
  /** Notes a wait that was asked for. */
  block(method: string, route: string, major: string, seconds: number, global: boolean): void;
  /** Notes an answer; 401, 403 and 429 (but scope shared) count as invalid. */
  answered(status: number, scope: string | null): void;
  /** Invalid requests of the last 10 minutes; Discord bans the address at 10,000. */
  invalid(): number;
}

export function createLimits(mode: LimitMode, now: () => number): Limits {
  const windows = new Map<string, Window>();
  const blocked = new Map<string, number>();
  let invalid: number[] = [];
  const key = (method: string, route: string, major: string): string => `${method} ${route} ${major}`;
  const open = (name: string, rule: Rule): Window => {
    const existing = windows.get(name);
    if (existing && existing.resetAt > now()) return existing;
    const fresh = { rule, used: 0, resetAt: now() + rule.windowMs };
    windows.set(name, fresh);
    return fresh;
  };
  const takeGlobal = (isInteraction: boolean): number | null => {
    if (isInteraction && mode !== 'strict') return null;
    const window = open('global', GLOBAL);
    window.used += 1;
    return window.used > GLOBAL.limit ? secondsUntil(window.resetAt, now()) : null;
  };

  return {
    check(method, route, major, isInteraction) {
      const isFree = mode === 'off' || route.endsWith('/callback') || route === '/gateway/bot';
      if (isFree) return { headers: {}, retryAfter: null, scope: 'user' };
      const global = takeGlobal(isInteraction);
      if (global !== null) return { headers: {}, retryAfter: global, scope: 'global' };
      const window = open(key(method, route, major), RULES[`${method} ${route}`] ?? OTHERS);
      const isOver = window.used >= window.rule.limit;
      if (!isOver) window.used += 1;
      const headers = headersOf(window, `${method} ${route}`, now());
      const scope = window.rule.scope ?? 'user';
      return { headers, retryAfter: isOver ? secondsUntil(window.resetAt, now()) : null, scope };
    },
    isBlocked(method, route, major, isInteraction) {
      const until = blocked.get(key(method, route, major)) ?? 0;
      const globalUntil = isInteraction && mode !== 'strict' ? 0 : (blocked.get('global') ?? 0);
      return Math.max(until, globalUntil) > now();
    },
    block(method, route, major, seconds, global) {
      blocked.set(global ? 'global' : key(method, route, major), now() + seconds * 1000);
    },
    answered(status, scope) {
      if (![401, 403, 429].includes(status) || scope === 'shared') return;
      invalid = [...invalid.filter((at) => at > now() - 600_000), now()];
    },
    invalid: () => invalid.filter((at) => at > now() - 600_000).length,
  };
}

function secondsUntil(at: number, now: number): number {
  return Math.max(0.001, Math.ceil(at - now) / 1000);
}

function headersOf(window: Window, name: string, now: number): Record<string, string> {
  return {
    'x-ratelimit-limit': String(window.rule.limit),
    'x-ratelimit-remaining': String(window.rule.limit - window.used),
    'x-ratelimit-reset': (window.resetAt / 1000).toFixed(3),
    'x-ratelimit-reset-after': secondsUntil(window.resetAt, now).toFixed(3),
    'x-ratelimit-bucket': createHash('md5').update(name).digest('hex'),
  };
}
