import { RateLimitError, type REST, RESTEvents, RequestMethod } from 'discord.js';
import { sleep } from '../../core/concurrency.ts';
import { Failure } from '../../core/failures.ts';
import type { Priority } from '../../core/limits/call-limiter.ts';
import type { Log } from '../../core/ports.ts';
import type { Question } from '../../core/types.ts';
import { createDiscordClient } from './client.ts';
import { CODE, failureOf } from './errors.ts';
import { createRateLimits, type RateLimits } from './limits.ts';

/** A text file that goes with a message. */
export interface TextFile {
  readonly name: string;
  readonly text: string;
}

interface CallOptions {
  /** Sent as JSON; callers give it one of discord.js' `RESTPost…` or `RESTPatch…` types. */
  readonly body?: unknown;
  /** Sent beside the body, as UTF-8. */
  readonly files?: readonly TextFile[];
  readonly query?: Readonly<Record<string, string>>;
  /** `progress` when left out; `acquired`: the caller has acquired the call from `limits`. */
  readonly urgency?: Priority | 'acquired';
  /** See `CallLimiter.acquire`. */
  readonly since?: number;
  /** The person whose answer it is. Left out, it is shared by all such calls, but those of interactions, which cannot wait. */
  readonly owner?: string;
  /** False for interactions: their routes carry a token of their own. */
  readonly auth?: false;
  readonly signal?: AbortSignal;
}

export interface RestOptions {
  readonly token: string;
  /** What discord.js calls `rest.api`, without the version; null for Discord's own. */
  readonly apiUrl: string | null;
  readonly log: Log;
}

/**
 * Discord's REST API through discord.js' REST client. A call waits for its rate limits, is made once, and is never repeated.
 * Routes come from discord.js' `Routes`. Every method throws {Failure} and nothing else.
 */
export function createRest({ token, apiUrl, log }: RestOptions) {
  const limits = createRateLimits();
  const client = createDiscordClient({ apiUrl }).rest.setToken(token);
  heedHeaders(client, limits);
  let isAuthorised = true;
  const send = async (method: RequestMethod, route: string, options: CallOptions = {}): Promise<unknown> => {
    const { body, files = [], query, urgency, auth = true, signal } = options;
    const call = { method, route };
    const isAcquired = urgency === 'acquired' || (await limits.acquire(call, toWaiting(options)));
    if (!isAcquired) throw new Failure('stopped', `stopped before ${nameOf(route)}`);
    try {
      return await client.request({
        method,
        // All routes begin with a slash; the type wants it proven.
        fullRoute: route as `/${string}`,
        ...(body !== undefined && { body }),
        files: files.map(({ name, text }) => ({ name, data: text, contentType: 'text/markdown' })),
        ...(query && { query: new URLSearchParams(query) }),
        ...(signal && { signal }),
        auth,
      });
    } catch (error) {
      const failure = failureOf(error, `${method} ${nameOf(route)}`, signal);
      if (error instanceof RateLimitError)
        limits.blockFor(error.global ? 'all' : call, failure.retryAfterMs ?? 0);
      if (failure.kind === 'not-authorised' && auth && isAuthorised) {
        log.error({ code: failure.code }, 'Discord refuses DISCORD_TOKEN: restart with a new one');
        isAuthorised = false;
      }
      throw failure;
    } finally {
      limits.settle(call);
    }
  };
  const by = (method: RequestMethod) => (route: string, options?: CallOptions) =>
    send(method, route, options);
  return {
    get: by(RequestMethod.Get),
    post: by(RequestMethod.Post),
    put: by(RequestMethod.Put),
    patch: by(RequestMethod.Patch),
    delete: by(RequestMethod.Delete),
    limits,
    /** False once Discord has refused the token: nothing will work until the process is restarted with another. */
    isAuthorised: (): boolean => isAuthorised,
    close(): void {
      client.clearHashSweeper();
      client.clearHandlerSweeper();
    },
  };
}

/** How a call that is not acquired waits. */
function toWaiting({ urgency = 'progress', auth, owner, since, signal }: CallOptions) {
  const priority = urgency === 'acquired' ? 'progress' : urgency;
  return { priority, since, signal, owner: owner ?? (auth === false ? '' : 'all') };
}

export type DiscordRest = ReturnType<typeof createRest>;

/** A response that says its bucket is used up blocks such calls until the reset. */
function heedHeaders(client: REST, limits: RateLimits): void {
  client.on(RESTEvents.Response, ({ method, path }, { headers }) => {
    if (headers.get('x-ratelimit-remaining') !== '0') return;
    const resetMs = Number(headers.get('x-ratelimit-reset-after')) * 1000;
    // discord.js refuses calls until 50 ms after the reset.
    if (resetMs > 0) limits.blockFor({ method: method.toUpperCase(), route: path }, resetMs + 60);
  });
}

/** Discord's interaction tokens are valid for 15 minutes; the margin is for clocks. */
const TOKEN_LIFETIME_MS = 14 * 60_000;

/** The response to an interaction is on its way while its question is answered already: it is given this long to appear. */
const RESPONSE_WAITS_MS = [0, 100, 200, 400, 800, 1_500];
/** A question older than this was taken up again: a response that is not there by now will not come. */
const FRESH_MS = 20_000;

/**
 * Makes a call with the token of a question's interaction, which opens nothing before the response to the interaction. Null where
 * it never does. @throws {Failure}
 */
export async function callInteraction<T>(
  { delivery, askedAt }: Question,
  call: (application: string, token: string) => Promise<T>,
): Promise<T | null> {
  const { application, token } = delivery;
  const ageMs = Date.now() - askedAt;
  if (!application || !token || ageMs > TOKEN_LIFETIME_MS) return null;
  for (const waitMs of ageMs > FRESH_MS ? [0] : RESPONSE_WAITS_MS) {
    await sleep(waitMs);
    try {
      return await call(application, token);
    } catch (error) {
      if (!isInteractionOver(error)) throw error;
    }
  }
  return null;
}

/** True when an interaction's token opens nothing: not acknowledged, deleted, or older than 15 minutes. */
function isInteractionOver(error: unknown): boolean {
  return error instanceof Failure && (error.status === 404 || error.code === CODE.interactionExpired);
}

/** A route for logs: interaction tokens are secrets. */
function nameOf(route: string): string {
  return route.replace(/^(\/(?:webhooks|interactions)\/\d+\/)[^/]+/, '$1…');
}
