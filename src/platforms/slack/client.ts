import {
  type FetchFunction,
  type FilesUploadV2Arguments,
  type Logger,
  LogLevel,
  type WebAPICallResult,
  WebClient,
  type WebClientOptions,
} from '@slack/web-api';
import { readBounded } from '../../core/bounded-body.ts';
import type { Failure } from '../../core/failures.ts';
import type { Log } from '../../core/ports.ts';
import { toFailure } from './errors.ts';

/** How long one call may take in all, in milliseconds. */
const CALL_TIMEOUT_MS = 10_000;
/** The largest response is a page of 999 messages. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/**
 * Slack's client for the bot token. Every call is exactly one request.
 * @throws {Failure} from every method, for everything but `ok: true`
 */
export class SlackClient extends WebClient {
  readonly #log: Log;
  #isTokenRefused = false;

  constructor(token: string, apiUrl: string, log: Log) {
    super(token, clientOptions(apiUrl, log));
    this.#log = log;
  }

  /** False from the first call that Slack refuses because of the token until one succeeds again. */
  isTokenAccepted(): boolean {
    return !this.#isTokenRefused;
  }

  /** Every method of the client ends here, except for one step of `files.uploadV2`. */
  override async apiCall(method: string, options: Record<string, unknown> = {}): Promise<WebAPICallResult> {
    try {
      const result = await super.apiCall(method, toWellFormed(options));
      this.#isTokenRefused = false;
      return result;
    } catch (error) {
      const failure = toFailure(error, method);
      this.#checkToken(failure);
      throw failure;
    }
  }

  /** `files.uploadV2`: the file itself is sent without `apiCall`. */
  override async filesUploadV2(options: FilesUploadV2Arguments): ReturnType<WebClient['filesUploadV2']> {
    try {
      return await super.filesUploadV2(options);
    } catch (error) {
      throw toFailure(error, 'files.uploadV2');
    }
  }

  /** Logs a revoked token once, not for every answer. */
  #checkToken({ kind, code }: Failure): void {
    if (kind !== 'not-authorised') return;
    if (!this.#isTokenRefused)
      this.#log.error({ code }, 'SLACK_BOT_TOKEN: Slack refuses it; reinstall the app and copy the new one');
    this.#isTokenRefused = true;
  }
}

/**
 * Options for a client of Slack's: a new object each time, because clients write into the one they are given. Retries are
 * off, because the client would post twice after a failure with an unknown outcome, and so is its waiting after a 429,
 * which would pause calls that the 429 is not about.
 */
export function clientOptions(apiUrl: string, log: Log, timeout = CALL_TIMEOUT_MS): WebClientOptions {
  return {
    slackApiUrl: apiUrl,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    // The rate limits queue calls; in the client's own queue a call that hangs would delay others.
    maxRequestConcurrency: 1_000,
    timeout,
    fetch: fetchBounded,
    logger: createSdkLogger(log),
  };
}

/** Node's fetch with a limit on the body: the client reads bodies whole, however long they are. */
const fetchBounded: FetchFunction = async (url, init) => readBounded(await fetch(url, init), MAX_BODY_BYTES);

/** Half of a surrogate pair cannot be encoded: @slack/web-api 8.2.0 rejects the whole call with "URI malformed". */
function toWellFormed(options: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(options);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'string' ? value.toWellFormed() : value]),
  );
}

/** Passes warnings on at debug level. What the SDK logs at its own debug level holds whole payloads, so that is dropped. */
export function createSdkLogger(log: Log): Logger {
  const pass = (...parts: unknown[]): void => {
    log.debug({ slack: parts.map(String).join(' ').slice(0, 500) }, 'said by a Slack library');
  };
  return {
    debug: () => {},
    info: () => {},
    warn: pass,
    error: pass,
    setLevel: () => {},
    getLevel: () => LogLevel.ERROR,
    setName: () => {},
  };
}
