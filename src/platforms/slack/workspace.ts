import type { Log } from '../../core/ports.ts';
import { type RetryPolicy, retry } from '../../core/retry.ts';
import type { SlackClient } from './client.ts';
import type { SlackSelf } from './decode-text.ts';
import { type LimitedMethod, RateLimits } from './limits.ts';
import { Names } from './names.ts';

/** What all answers in one workspace share. */
export interface SlackWorkspace {
  readonly client: SlackClient;
  readonly limits: RateLimits;
  /** What Slack has refused because it is not to be had in this workspace; `steps`: chunks other than text in a stream. */
  readonly unsupported: Record<'streams' | 'steps' | 'status' | 'sessions', boolean>;
  readonly self: SlackSelf;
  readonly names: Names;
  readonly log: Log;
}

/** A workspace where nothing was written yet. */
export function createWorkspace(access: Pick<SlackWorkspace, 'client' | 'self' | 'log'>): SlackWorkspace {
  const unsupported = { streams: false, steps: false, status: false, sessions: false };
  const limits = new RateLimits();
  return { ...access, unsupported, limits, names: new Names({ ...access, limits }) };
}

const ATTEMPTS = 5;
/** Retries end by their number: while the service stops, running answers still need their last write. */
const NEVER = new AbortController().signal;
/** Slack's windows are one minute; a longer wait is left to the caller. */
const LONGEST_WAIT_MS = 65_000;

/** Makes one call under its rate limit and repeats it until Slack has it. Only for calls that may take effect twice. @throws {Failure} */
export function callWithRetry<T>(
  { client, limits, log }: SlackWorkspace,
  method: LimitedMethod,
  run: (client: SlackClient) => Promise<T>,
): Promise<T> {
  return retry(retryPolicy(log), () => limits.call(method, () => run(client)));
}

/** How often and how long a write is tried that must not be left out. */
export function retryPolicy(log: Log): RetryPolicy {
  return {
    attempts: ATTEMPTS,
    baseMs: 300,
    capMs: 5_000,
    longestWaitMs: LONGEST_WAIT_MS,
    signal: NEVER,
    onWait: (failure, waitMs) => {
      log.debug({ code: failure.code, kind: failure.kind, waitMs }, 'waiting before the next try');
    },
  };
}
