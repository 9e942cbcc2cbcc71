import type { Logger, WebClientOptions } from '@slack/web-api';
import { Failure } from '../../core/failures.ts';
import type { Log } from '../../core/ports.ts';
import { type Posted, post } from '../../http/post.ts';
import { proxiedPost, usesProxies } from '../../http/proxied.ts';
import { asRecord } from './payload.ts';
import { noAnswer, refusal } from './slack-failures.ts';

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
export function clientOptions(apiUrl: string, log: Log): WebClientOptions {
  return {
    slackApiUrl: apiUrl,
    retryConfig: { retries: 0 },
    // Our budgets are the queue; calls that hang must not hold up others in the client's own.
    maxRequestConcurrency: 1_000,
    rejectRateLimitedCalls: true,
    timeout: CALL_TIMEOUT_MS,
    logger: sdkLogger(log),
  };
}

/**
 * A caller for one token. The calls are made here and not by Slack's client: an answer is a dozen of them, and each would be
 * queued, copied and written out for a log that nobody reads, at twice the cost of the call itself.
 */
export function createCall(token: string, apiUrl: string, timeoutMs = CALL_TIMEOUT_MS): SlackCall {
  const headers = {
    authorization: `Bearer ${token}`,
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded',
    'user-agent': 'footnote',
  };
  const send = usesProxies() ? proxiedPost : post;
  return async (method, args) => {
    let answer: Posted;
    try {
      answer = await send(new URL(apiUrl + method), headers, formOf(args), timeoutMs);
    } catch (error) {
      throw noAnswer(error, method);
    }
    const result = asRecord(jsonIn(answer.text));
    if (answer.status !== 200 || result?.ok !== true) throw refusal(answer, result, method);
    return result;
  };
}

/** What is no text travels as JSON; what is left out is not sent. */
function formOf(args: Readonly<Record<string, unknown>>): string {
  const fields: string[] = [];
  for (const [name, value] of Object.entries(args)) {
    if (value === undefined || value === null) continue;
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    fields.push(`${name}=${encodeURIComponent(text.toWellFormed())}`);
  }
  return fields.join('&');
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
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
