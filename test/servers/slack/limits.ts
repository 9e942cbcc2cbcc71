/** Slack's rate limits: sliding 60 s windows per method and workspace, and the special rule of chat.postMessage. */

/** Calls a minute: tier 2 is 20, tier 3 is 50, tier 4 is 100. Special tiers are generous guesses. */
const PER_MINUTE: Readonly<Record<string, number>> = {
  'auth.test': 600,
  'apps.connections.open': 50,
  'chat.postMessage': 300,
  'chat.update': 50,
  'chat.delete': 50,
  'chat.postEphemeral': 100,
  'chat.getPermalink': 300,
  'chat.startStream': 20,
  'chat.appendStream': 100,
  'chat.stopStream': 20,
  'conversations.replies': 50,
  'conversations.history': 50,
  'conversations.info': 50,
  'conversations.open': 50,
  'files.getUploadURLExternal': 100,
  'files.completeUploadExternal': 100,
  'files.info': 100,
  'users.info': 100,
  'reactions.add': 50,
  'reactions.remove': 20,
  'assistant.threads.setStatus': 120,
  'agents.sessions.setStatus': 50,
  'views.open': 100,
};

/** One message a second per channel; Slack tolerates short bursts of unpublished size. */
const POST_BURST = 3;
const WINDOW_MS = 60_000;
/** A timer may fire a millisecond early; that is not a breach. */
const TOLERANCE_MS = 5;
/** Calls already on their way when the 429 was answered are refused too, but nobody can be blamed for them. */
const IN_FLIGHT_MS = 50;

interface Verdict {
  /** Seconds to wait, or null when the call may go ahead. */
  readonly retryAfter: number | null;
  readonly insideRetryAfter: boolean;
}

export interface Limits {
  /** Counts a call. `now` is in milliseconds. */
  check(method: string, channel: string | null, now: number): Verdict;
  /** An injected 429: the budget is closed for `seconds`. */
  block(method: string, channel: string | null, now: number, seconds: number): void;
}

export function createLimits(mode: 'real' | 'off'): Limits {
  const windows = new Map<string, number[]>();
  const buckets = new Map<string, { tokens: number; at: number }>();
  const blocked = new Map<string, { readonly since: number; readonly until: number }>();

  const windowWait = (method: string, now: number): number => {
    const calls = (windows.get(method) ?? []).filter((at) => at > now - WINDOW_MS);
    windows.set(method, calls);
    const limit = PER_MINUTE[method] ?? 50;
    const oldest = calls[calls.length - limit];
    return oldest === undefined ? 0 : oldest + WINDOW_MS - now;
  };
  const bucketOf = (channel: string, now: number): { tokens: number; at: number } => {
    const before = buckets.get(channel) ?? { tokens: POST_BURST, at: now };
    const bucket = { tokens: Math.min(POST_BURST, before.tokens + (now - before.at) / 1000), at: now };
    buckets.set(channel, bucket);
    return bucket;
  };
  const waitMs = (method: string, channel: string | null, now: number): number => {
    const wait = windowWait(method, now);
    if (method !== 'chat.postMessage' || channel === null) return wait;
    const missing = 1 - bucketOf(channel, now).tokens;
    return Math.max(wait, missing > 0.005 ? missing * 1000 : 0);
  };

  return {
    check(method, channel, now) {
      const block = blocked.get(scope(method, channel)) ?? { since: 0, until: 0 };
      const left = block.until - now;
      if (left > TOLERANCE_MS)
        return { retryAfter: Math.ceil(left / 1000), insideRetryAfter: now - block.since > IN_FLIGHT_MS };
      if (mode === 'off') return { retryAfter: null, insideRetryAfter: false };
      const wait = waitMs(method, channel, now);
      if (wait > 0) {
        const retryAfter = Math.max(1, Math.ceil(wait / 1000));
        this.block(method, channel, now, retryAfter);
        return { retryAfter, insideRetryAfter: false };
      }
      windows.get(method)?.push(now);
      if (method === 'chat.postMessage' && channel !== null) bucketOf(channel, now).tokens -= 1;
      return { retryAfter: null, insideRetryAfter: false };
    },
    block(method, channel, now, seconds) {
      blocked.set(scope(method, channel), { since: now, until: now + seconds * 1000 });
    },
  };
}

/** chat.postMessage is limited per channel, the rest per workspace. */
function scope(method: string, channel: string | null): string {
  return method === 'chat.postMessage' ? `${method} ${channel ?? ''}` : method;
}
