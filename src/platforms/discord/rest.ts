import { type REST, RESTEvents, RequestMethod } from 'discord.js';
import { Failure } from '../../core/failures.ts';
import type { Priority } from '../../core/limits/rate-limiter.ts';
import type { Log } from '../../core/ports.ts';
import { createDiscordClient } from './client.ts';
import { CODE, failureOf } from './errors.ts';
import { createPaces, type Paces } from './pace.ts';

/** A text file that goes with a message. */
interface TextFile {
  readonly name: string;
  readonly text: string;
}

interface CallOptions {
  readonly body?: unknown;
  /** Sent beside the body, as a form. */
  readonly files?: readonly TextFile[];
  readonly query?: Readonly<Record<string, string>>;
  /** `final` goes before everything that is waiting; `progress` when left out; `paid`: the call was taken from `paces.all`. */
  readonly urgency?: Priority | 'paid';
  /** False for interaction callbacks and webhooks: they carry their own token and do not count against the bot's limit. */
  readonly auth?: false;
  readonly signal?: AbortSignal;
}

/**
 * Discord's REST API: one try per call, never a hidden wait for a limit.
 * Every method throws {Failure} and nothing else.
 */
export interface DiscordRest {
  get(route: string, options?: CallOptions): Promise<unknown>;
  post(route: string, options?: CallOptions): Promise<unknown>;
  put(route: string, options?: CallOptions): Promise<unknown>;
  patch(route: string, options?: CallOptions): Promise<unknown>;
  delete(route: string, options?: CallOptions): Promise<unknown>;
  readonly paces: Paces;
  /** False once Discord has refused the token: nothing will work until the process is restarted with another. */
  isAuthorised(): boolean;
  /** discord.js's own client, for the gateway to ask where to connect. */
  readonly client: REST;
  close(): void;
}

export interface RestOptions {
  readonly token: string;
  /** Without the version; null for Discord's own. */
  readonly apiUrl: string | null;
  readonly log: Log;
}

export function createRest(options: RestOptions): DiscordRest {
  const paces = createPaces();
  const client = createClient(options, paces);
  let isAuthorised = true;
  const refuse = (failure: Failure): void => {
    if (isAuthorised)
      options.log.error({ code: failure.code }, 'Discord refuses DISCORD_TOKEN: restart with a new one');
    isAuthorised = false;
  };
  const send = async (method: RequestMethod, route: string, call: CallOptions = {}): Promise<unknown> => {
    const { body, files = [], query, urgency = 'progress', auth = true, signal } = call;
    const isPaid = !auth || urgency === 'paid' || (await paces.all.acquire(urgency, signal));
    if (!isPaid) throw new Failure('stopped', `stopped before ${nameOf(route)}`);
    try {
      return await client.request({
        method,
        fullRoute: asRoute(route),
        ...(files.length > 0 ? await formOf(body, files) : body !== undefined && { body }),
        ...(query && { query: new URLSearchParams(query) }),
        ...(signal && { signal }),
        auth,
      });
    } catch (error) {
      const failure = failureOf(error, `${method} ${nameOf(route)}`, signal);
      if (failure.kind === 'rate-limited') noteLimit(paces, method, route, failure, isGlobal(error));
      if (failure.kind === 'not-authorised' && auth) refuse(failure);
      throw failure;
    } finally {
      if (auth) paces.settle(method, route);
    }
  };
  return {
    get: (route, call) => send(RequestMethod.Get, route, call),
    post: (route, call) => send(RequestMethod.Post, route, call),
    put: (route, call) => send(RequestMethod.Put, route, call),
    patch: (route, call) => send(RequestMethod.Patch, route, call),
    delete: (route, call) => send(RequestMethod.Delete, route, call),
    paces,
    isAuthorised: () => isAuthorised,
    client,
    close() {
      client.clearHashSweeper();
      client.clearHandlerSweeper();
    },
  };
}

function createClient({ token, apiUrl }: RestOptions, paces: Paces): REST {
  const client = createDiscordClient({ apiUrl }).rest;
  client.on(RESTEvents.Response, ({ method, path }, { headers }) => {
    if (headers.get('x-ratelimit-remaining') !== '0') return;
    const resetMs = Number(headers.get('x-ratelimit-reset-after')) * 1000;
    // discord.js refuses calls until 50 ms after the reset.
    if (resetMs > 0) paces.correct(method.toUpperCase(), path, resetMs + 60);
  });
  return client.setToken(token);
}

/**
 * Body and files as one form, already in bytes: discord.js would hand the form itself to whatever HTTP client was loaded first
 * in this process, and Slack's is of a version that does not know its forms.
 */
async function formOf(body: unknown, files: readonly TextFile[]) {
  const form = new FormData();
  for (const [n, { name, text }] of files.entries()) {
    form.append(`files[${n}]`, new Blob([text], { type: 'text/markdown' }), name);
  }
  form.append('payload_json', JSON.stringify(body));
  const encoded = new Response(form);
  return {
    body: new Uint8Array(await encoded.arrayBuffer()),
    passThroughBody: true,
    headers: { 'Content-Type': encoded.headers.get('content-type') ?? '' },
  };
}

/** True when an interaction's token no longer opens anything: never acknowledged, deleted, or older than 15 minutes. */
export function isInteractionOver(error: unknown): boolean {
  const over: readonly string[] = [
    CODE.unknownWebhook,
    CODE.unknownInteraction,
    CODE.unknownMessage,
    CODE.interactionExpired,
  ];
  return error instanceof Failure && (over.includes(error.code ?? '') || error.status === 404);
}

function asRoute(route: string): `/${string}` {
  // All our routes begin with a slash; the type wants it proven.
  return route as `/${string}`;
}

/** A route for logs: interaction tokens are secrets. */
function nameOf(route: string): string {
  return route.replace(/^(\/(?:webhooks|interactions)\/\d+\/)[^/]+/, '$1…');
}

function isGlobal(error: unknown): boolean {
  return error instanceof Error && 'global' in error && error.global === true;
}

function noteLimit(paces: Paces, method: string, route: string, failure: Failure, isGlobal: boolean): void {
  const waitMs = failure.retryAfterMs ?? 0;
  if (isGlobal) paces.all.blockFor(waitMs);
  else paces.correct(method, route, waitMs);
}
