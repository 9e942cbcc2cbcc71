import OpenAI from 'openai';
import { Failure } from '../core/failures.ts';
import type { RequestKind } from '../core/model-rate-limiter.ts';
import { type Deadline, startDeadline, type Timeouts } from './deadline.ts';
import { readReset, translateRequestError } from './errors.ts';
import { boundedFetch } from './response-body.ts';

export interface ClientOptions {
  readonly apiKey: string;
  /** Such as `https://api.perplexity.ai`; a trailing slash or `/v1` makes no difference. */
  readonly baseUrl: string;
  /** Told with every response that says something about the rate limit of the key. */
  readonly onRateLimit?: (kind: RequestKind, said: RateLimitNotice) => void;
}

/** What a response says about the rate limit, each null where it does not. */
export interface RateLimitNotice {
  readonly perMinute: number | null;
  /** No request is left: so many milliseconds from now there will be one. */
  readonly usedUpForMs: number | null;
}

/** One client for each of the addresses that Perplexity's APIs live under. */
export interface Clients {
  /** `chat.completions`: lives at the root and under `/v1`; a given `/v1` is kept for gateways. */
  readonly chat: OpenAI;
  /** Asynchronous chat completions: at the root only. */
  readonly chatJobs: OpenAI;
  /** `responses`, Perplexity's Agent API: under `/v1` only. */
  readonly agent: OpenAI;
}

/** The lowest tiers. A smaller number is one for another time than a minute. */
const LEAST_PER_MINUTE: Readonly<Record<RequestKind, number>> = {
  agent: 50,
  chat: 50,
  'chat-submit': 5,
  'chat-poll': 50,
};

/** Which limit a request counts for; null for one that counts for none of ours. */
function kindOf(url: string, method: string): RequestKind | null {
  const { pathname } = new URL(url);
  if (pathname.includes('/async/')) return method.toUpperCase() === 'POST' ? 'chat-submit' : 'chat-poll';
  if (pathname.endsWith('/chat/completions')) return 'chat';
  return /\/v1\/(?:responses|agent)\b/.test(pathname) ? 'agent' : null;
}

/** No limit of Perplexity's is counted for longer than a minute, and resets are whole seconds: a later one means something else. */
const LONGEST_RESET_MS = 61_000;

/** Null where it says nothing. */
function readRateLimit(kind: RequestKind, { ok, headers }: Response): RateLimitNotice | null {
  const perMinute = Number(headers.get('x-ratelimit-limit') ?? '');
  const isKnown = Number.isInteger(perMinute) && perMinute >= LEAST_PER_MINUTE[kind];
  const resetMs = readReset(headers, Date.now());
  // A refusal is heeded where it is handled.
  const isUsedUp = ok && headers.get('x-ratelimit-remaining') === '0' && resetMs > 0;
  const usedUpForMs = isUsedUp && resetMs <= LONGEST_RESET_MS ? resetMs : null;
  return isKnown || usedUpForMs !== null ? { perMinute: isKnown ? perMinute : null, usedUpForMs } : null;
}

/** Everything the client would otherwise take from `OPENAI_*` variables is given here. It retries nothing. */
export function createClients({ apiKey, baseUrl, onRateLimit }: ClientOptions): Clients {
  const listeningFetch: typeof fetch = async (url, init) => {
    const response = await boundedFetch(url, init);
    const kind = kindOf(url instanceof Request ? url.url : String(url), init?.method ?? 'GET');
    const said = kind && readRateLimit(kind, response);
    if (kind && said) onRateLimit?.(kind, said);
    return response;
  };
  const trimmed = baseUrl.replace(/\/+$/, '');
  const root = trimmed.replace(/\/v1$/, '');
  const chat = new OpenAI({
    apiKey,
    baseURL: trimmed,
    fetch: listeningFetch,
    maxRetries: 0,
    logLevel: 'off',
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
  });
  return {
    chat,
    chatJobs: chat.withOptions({ baseURL: root }),
    agent: chat.withOptions({ baseURL: `${root}/v1` }),
  };
}

/** Makes a request of one of the clients; the promise of every method of theirs has `asResponse`. */
export type Send = (options: { readonly signal: AbortSignal; readonly timeout: number }) => {
  asResponse(): Promise<Response>;
};

/**
 * Makes one short request and resolves with the JSON it is answered with, of whatever shape. The client's own parsing is
 * passed by: it knows no idle timeout, and expects of an answer what only OpenAI's API promises.
 * @throws {Failure} of every kind but `cut-off`; `ambiguous` when the request may have been carried out all the same.
 */
export async function requestJson(send: Send, timeouts: Timeouts, caller: AbortSignal): Promise<unknown> {
  const deadline = startDeadline(timeouts, caller);
  const refused = deadline.reason();
  try {
    if (refused) throw refused;
    const response = await send({ signal: deadline.signal, timeout: timeouts.totalMs }).asResponse();
    deadline.headersArrived();
    return JSON.parse(await readText(response, deadline));
  } catch (error) {
    const reason = deadline.reason();
    if (refused || !reason) throw translateRequestError(error);
    // Once a request is under way, nobody knows how far it got when it was given up.
    throw new Failure(reason.kind, reason.message, { ambiguous: true });
  } finally {
    deadline.close();
    // Closes the connection when the body was not read to its end.
    deadline.abort();
  }
}

async function readText(response: Response, deadline: Deadline): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes, { stream: true });
    deadline.resume();
  }
  return text + decoder.decode();
}
