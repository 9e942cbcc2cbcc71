import { type Logger, WebClient, type WebClientOptions } from '@slack/web-api';
import { Failure } from '../../core/failures.ts';
import type { Log } from '../../core/ports.ts';
import { asRecord } from './payload.ts';
import { toFailure } from './slack-failures.ts';

/** A call that has not been answered by then never will be. */
const CALL_TIMEOUT_MS = 10_000;

/** One Web API call, exactly one request. @throws {Failure} for everything but `ok: true`. */
export type SlackCall = (
  method: string,
  args: Readonly<Record<string, unknown>>,
) => Promise<Readonly<Record<string, unknown>>>;

/**
 * The client's options, a new object each time: clients write into the object they are given. Retries are ours alone
 * (the client would post twice after an ambiguous failure), and a 429 must not pause the client's whole queue.
 */
export function clientOptions(apiUrl: string, log: Log, timeoutMs = CALL_TIMEOUT_MS): WebClientOptions {
  return {
    slackApiUrl: apiUrl,
    retryConfig: { retries: 0 },
    // Our budgets are the queue; calls that hang must not hold up others in the client's own.
    maxRequestConcurrency: 1_000,
    rejectRateLimitedCalls: true,
    timeout: timeoutMs,
    logger: sdkLogger(log),
  };
}

/** A caller for one token. */
export function createCall(token: string, apiUrl: string, log: Log, timeoutMs?: number): SlackCall {
  const client = new WebClient(token, clientOptions(apiUrl, log, timeoutMs));
  return async (method, args) => {
    try {
      const result = await client.apiCall(method, { ...args });
      return asRecord(result) ?? {};
    } catch (error) {
      throw toFailure(error, method);
    }
  };
}

/** True for a Failure with one of these codes of Slack's. */
export function hasCode(error: unknown, codes: ReadonlySet<string>): boolean {
  return error instanceof Failure && error.code !== undefined && codes.has(error.code);
}

/** What Slack's libraries say is for debugging only: at their debug level they print whole payloads, so that is dropped. */
export function sdkLogger(log: Log): Logger {
  const pass = (...parts: unknown[]): void => {
    log.debug({ slack: parts.map(String).join(' ').slice(0, 500) }, 'said by a Slack library');
  };
  return {
    debug: () => {},
    info: () => {},
    warn: pass,
    error: pass,
    setLevel: () => {},
    // LogLevel.ERROR; the enum is not worth loading a library for.
    getLevel: () => 'error' as ReturnType<Logger['getLevel']>,
    setName: () => {},
  };
}
