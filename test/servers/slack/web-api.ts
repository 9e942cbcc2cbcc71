/** The HTTP side: reads a call, records it, injects faults, checks token, limits and arguments, answers. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import {
  type Args,
  checkArguments,
  decodeArguments,
  isKnownMethod,
  text,
  wantsAppToken,
} from './arguments.ts';
import type { Context } from './context.ts';
import type { Faults } from './faults.ts';
import type { Limits } from './limits.ts';
import { methods } from './methods.ts';
import { checkScopes } from './scopes.ts';
import { type Fault, type RecordedCall, SlackError } from './types.ts';

export interface WebApi {
  readonly context: Context;
  readonly faults: Faults;
  readonly limits: Limits;
  readonly calls: RecordedCall[];
  readonly botToken: string;
  readonly appToken: string;
  readonly latencyMs: number;
  /** Null for all of them. */
  readonly scopes: readonly string[] | null;
}

const BODY_MAX = 1_000_000;

/** Answers `POST /api/<method>`. */
export async function answerCall(
  api: WebApi,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const method = url.pathname.slice('/api/'.length);
  const raw = await readBody(request, Object.fromEntries(url.searchParams));
  const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  const token = bearer ?? (typeof raw['token'] === 'string' ? raw['token'] : null);
  const args = decodeArguments(method, raw);
  const call: RecordedCall = {
    method,
    args,
    token,
    at: Date.now(),
    result: 'pending',
    status: 0,
    insideRetryAfter: false,
  };
  api.calls.push(call);
  await answerWithFaults(api, call, response, () => execute(api, call, args));
}

/** Applies an injected fault, if there is one, around `run`; records what came out. */
export async function answerWithFaults(
  api: WebApi,
  call: RecordedCall,
  response: ServerResponse,
  run: () => Answer,
): Promise<void> {
  if (api.latencyMs > 0) await wait(api.latencyMs / 2, undefined, { ref: false });
  const fault = api.faults.take(call.method);
  if (fault !== null && typeof fault === 'object' && 'slowMs' in fault) {
    await wait(fault.slowMs, undefined, { ref: false });
    return reply(api, call, response, run());
  }
  if (fault === 'endless') return sendWithoutEnd(call, response);
  const answer = fault === null ? run() : injected(api, call, fault, run);
  if (answer === 'hang') return;
  if (answer === 'reset') response.destroy();
  else await reply(api, call, response, answer);
}

export interface Answer {
  readonly status: number;
  /** Recorded as the call's result. */
  readonly result: string;
  readonly retryAfter?: number;
  /** An object is sent as JSON, a string as HTML. */
  readonly body: object | string;
}

function injected(
  api: WebApi,
  call: RecordedCall,
  fault: Exclude<Fault, 'endless'>,
  run: () => Answer,
): Answer | 'hang' | 'reset' {
  call.result = typeof fault === 'string' ? fault : 'fault';
  if (typeof fault === 'object') {
    if ('error' in fault) return refusal(fault.error);
    if ('slowMs' in fault) return run();
    const { status, retryAfter } = fault;
    if (status !== 429) return { status, result: `http_${status}`, body: PAGE };
    if (retryAfter !== undefined) api.limits.block(call.method, channelOf(call), Date.now(), retryAfter);
    return rateLimited(retryAfter);
  }
  switch (fault) {
    case 'reset-before':
      return 'reset';
    case 'hang':
      return 'hang';
    case 'html':
      return { status: 200, result: 'html', body: PAGE };
    case 'commit-then-reset':
      return commit(run, 'reset');
    case 'commit-then-hang':
      return commit(run, 'hang');
    case 'commit-then-500':
      return commit(run, { status: 500, result: fault, body: PAGE });
  }
}

function commit<T>(run: () => Answer, then: T): T {
  run();
  return then;
}

function execute(api: WebApi, call: RecordedCall, args: Args): Answer {
  const { method, token } = call;
  try {
    if (!isKnownMethod(method)) throw new SlackError('unknown_method');
    checkToken(api, method, token);
    checkScopes(api.scopes, method, channelOf(call));
    const verdict = api.limits.check(method, channelOf(call), Date.now());
    call.insideRetryAfter = verdict.insideRetryAfter;
    if (verdict.retryAfter !== null) return rateLimited(verdict.retryAfter);
    checkArguments(method, args);
    const run = methods[method];
    if (run === undefined) throw new SlackError('unknown_method');
    return { status: 200, result: 'ok', body: { ok: true, ...run(args, api.context) } };
  } catch (error) {
    if (error instanceof SlackError) return refusal(error.code, error.details);
    // A fault of the stand-in itself: loud in the recording, and not mistaken for Slack's.
    return { status: 500, result: `stand-in: ${String(error)}`, body: PAGE };
  }
}

function checkToken(api: WebApi, method: string, token: string | null): void {
  if (token === null || token === '') throw new SlackError('not_authed');
  if (token !== api.botToken && token !== api.appToken) throw new SlackError('invalid_auth');
  if ((token === api.appToken) !== wantsAppToken(method)) throw new SlackError('not_allowed_token_type');
}

function channelOf(call: RecordedCall): string | null {
  return text(call.args, 'channel') ?? null;
}

function refusal(error: string, details: readonly string[] = []): Answer {
  const messages = details.length > 0 ? { response_metadata: { messages: details } } : {};
  return { status: 200, result: error, body: { ok: false, error, ...messages } };
}

function rateLimited(retryAfter: number | undefined): Answer {
  const wait = retryAfter === undefined ? {} : { retryAfter };
  return { status: 429, result: 'ratelimited', body: { ok: false, error: 'ratelimited' }, ...wait };
}

async function reply(
  api: WebApi,
  call: RecordedCall,
  response: ServerResponse,
  answer: Answer,
): Promise<void> {
  call.result = answer.result;
  call.status = answer.status;
  if (answer.retryAfter !== undefined) {
    call.retryAfter = answer.retryAfter;
    response.setHeader('retry-after', String(answer.retryAfter));
  }
  if (api.latencyMs > 0) await wait(api.latencyMs / 2, undefined, { ref: false });
  const isPage = typeof answer.body === 'string';
  response.writeHead(answer.status, {
    'content-type': isPage ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8',
  });
  response.end(isPage ? answer.body : JSON.stringify(answer.body));
}

/** As much as is taken, until whoever reads it goes away. */
async function sendWithoutEnd(call: RecordedCall, response: ServerResponse): Promise<void> {
  call.result = 'endless';
  call.status = 200;
  call.sentBytes = 0;
  const chunk = Buffer.alloc(1_000_000, 'x');
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
  while (!response.destroyed) {
    call.sentBytes += chunk.length;
    if (!response.write(chunk)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
  }
}

/** Form fields or a JSON object, over those of the query. A body that is neither counts as empty. */
export async function readBody(request: IncomingMessage, query: Args = {}): Promise<Args> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > BODY_MAX) break;
    parts.push(part);
  }
  const body = Buffer.concat(parts).toString();
  if (!request.headers['content-type']?.includes('json'))
    return { ...query, ...Object.fromEntries(new URLSearchParams(body)) };
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' ? { ...query, ...parsed } : query;
  } catch {
    return query;
  }
}

const PAGE = '<!doctype html><title>Slack</title><p>Something went wrong.</p>';
