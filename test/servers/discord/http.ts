import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { sleep } from '../../../src/core/concurrency.ts';
import { DiscordError } from './errors.ts';
import type { Limits } from './limits.ts';
import type { Fault, Faults, RecordedCall, UploadedFile } from './recording.ts';
import { type Answer, type Match, matchRoute, type Route } from './routing.ts';
import type { World } from './world.ts';

const MAX_BODY_BYTES = 25 * 1024 * 1024;
const HTML = '<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Error</h1></body></html>';

export interface HttpOptions {
  readonly world: World;
  readonly routes: readonly Route[];
  readonly limits: Limits;
  readonly faults: Faults;
  readonly calls: RecordedCall[];
  readonly latencyMs: number;
}

/** Answers REST calls: records, delays, breaks, limits and only then handles them. */
export function createListener(options: HttpOptions): RequestListener {
  return (request, response) => {
    serve(options, request, response).catch((error: unknown) => {
      // A bug of the stand-in: said loudly to whoever called.
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ message: String(error), code: 0 }));
    });
  };
}

async function serve(
  options: HttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (url.pathname.startsWith('/attachments/')) return serveFile(options.world, url, response);
  const raw = await readBody(request);
  const path = url.pathname.replace(/^\/api(\/v\d+)?(?=\/)/, '');
  const match = matchRoute(options.routes, request.method ?? 'GET', path);
  const { call, body, isBadJson } = await record(options, request, { url, path, match, raw });
  if (options.latencyMs > 0) await sleep(options.latencyMs);
  const { fault } = call;
  if (fault === 'hang') return;
  if (fault === 'reset-before') return reset(request);
  if (isSlow(fault)) await sleep(fault.slow);
  if (fault === 'html' || (typeof fault === 'object' && fault && 'html' in fault)) {
    return answerHtml(call, response, fault === 'html' ? 503 : fault.html);
  }
  const result = planned(options, call, match) ?? handle(options, { call, match, url, body, isBadJson });
  if (fault === 'commit-then-reset') return reset(request);
  if (fault === 'commit-then-hang') return;
  call.status = result.status;
  call.code = codeOf(result.body);
  options.limits.answered(result.status, result.headers['x-ratelimit-scope'] ?? null);
  write(response, result);
  options.world.touch();
}

function isSlow(fault: Fault | null): fault is { readonly slow: number } {
  return typeof fault === 'object' && fault !== null && 'slow' in fault;
}

interface Incoming {
  readonly url: URL;
  readonly path: string;
  readonly match: Match | null;
  readonly raw: Buffer;
}

async function record(
  { world, calls, limits, faults }: HttpOptions,
  request: IncomingMessage,
  { url, path, match, raw }: Incoming,
): Promise<{ call: RecordedCall; body: unknown; isBadJson: boolean }> {
  const method = request.method ?? 'GET';
  const route = match?.route.template ?? 'unknown';
  const { body, files, isBadJson } = await parseBody(request.headers['content-type'] ?? '', raw);
  const isOpen = match?.route.isOpen ?? false;
  const call: RecordedCall = {
    method,
    route,
    path,
    body,
    files,
    query: Object.fromEntries(url.searchParams),
    at: world.now(),
    auth: request.headers.authorization ?? null,
    status: null,
    code: null,
    insideRetryAfter: limits.isBlocked(method, route, majorOf(match), isOpen),
    fault: faults.take(method, route, path),
  };
  calls.push(call);
  return { call, body, isBadJson };
}

interface Result extends Answer {
  readonly headers: Record<string, string>;
}

/** The answer of a fault that is one, or null. */
function planned({ limits }: HttpOptions, call: RecordedCall, match: Match | null): Result | null {
  const { fault } = call;
  if (typeof fault !== 'object' || fault === null) return null;
  if ('retryAfter' in fault) {
    const scope = fault.scope ?? (fault.global ? 'global' : 'user');
    const isGlobal = fault.global ?? scope === 'global';
    limits.block(call.method, call.route, majorOf(match), fault.retryAfter, isGlobal);
    return tooMany(call, fault.retryAfter, scope, isGlobal ? {} : usedUp(call, fault.retryAfter));
  }
  if (!('status' in fault)) return null;
  const body = { message: fault.message ?? `${fault.status}: made to fail`, code: fault.code ?? 0 };
  return { status: fault.status, body, headers: { ...fault.headers } };
}

/** The headers of a bucket that is used up: Discord's 429s carry them, but for the global limit's. */
function usedUp({ method, route, at }: RecordedCall, seconds: number): Readonly<Record<string, string>> {
  return {
    'x-ratelimit-limit': '5',
    'x-ratelimit-remaining': '0',
    'x-ratelimit-reset': (at / 1000 + seconds).toFixed(3),
    'x-ratelimit-reset-after': seconds.toFixed(3),
    'x-ratelimit-bucket': `made to fail: ${method} ${route}`,
  };
}

function tooMany(
  call: RecordedCall,
  retryAfter: number,
  scope: 'user' | 'global' | 'shared',
  headers: Readonly<Record<string, string>>,
): Result {
  call.retryAfter = retryAfter;
  const isGlobal = scope === 'global';
  const body = { message: 'You are being rate limited.', retry_after: retryAfter, global: isGlobal };
  const own = { 'retry-after': String(Math.ceil(retryAfter)), 'x-ratelimit-scope': scope };
  const global = isGlobal ? { 'x-ratelimit-global': 'true' } : {};
  return { status: 429, body, headers: { ...headers, ...own, ...global } };
}

interface Received {
  readonly call: RecordedCall;
  readonly match: Match | null;
  readonly url: URL;
  readonly body: unknown;
  readonly isBadJson: boolean;
}

function handle({ world, limits }: HttpOptions, { call, match, url, body, isBadJson }: Received): Result {
  if (!match) return { status: 404, body: { message: '404: Not Found', code: 0 }, headers: {} };
  const { route, params } = match;
  const isOpen = route.isOpen ?? false;
  if (!isOpen && call.auth !== `Bot ${world.state.token}`) return failure(new DiscordError(0), {});
  const { headers, retryAfter, scope } = limits.check(call.method, call.route, majorOf(match), isOpen);
  if (retryAfter !== null) {
    limits.block(call.method, call.route, majorOf(match), retryAfter, scope === 'global');
    return tooMany(call, retryAfter, scope, headers);
  }
  try {
    if (isBadJson) throw new DiscordError(50109);
    const answer = route.handle({ world, params, query: url.searchParams, body, files: call.files });
    return { ...answer, headers };
  } catch (error) {
    if (error instanceof DiscordError) return failure(error, headers);
    throw error;
  }
}

function failure(error: DiscordError, headers: Readonly<Record<string, string>>): Result {
  // Its wait is not documented; a minute is a guess that a caller must cope with.
  const late = error.code === 30_046 ? { 'retry-after': '60', 'x-ratelimit-scope': 'user' } : {};
  const body = error.code === 30_046 ? { ...error.body(), retry_after: 60, global: false } : error.body();
  return { status: error.status, body, headers: { ...headers, ...late } };
}

/** What a bucket is split by. */
function majorOf(match: Match | null): string {
  const { channel, guild, token } = match?.params ?? {};
  return channel ?? token ?? guild ?? '';
}

function codeOf(body: unknown): number | null {
  const isError = typeof body === 'object' && body !== null && 'code' in body && 'message' in body;
  return isError && typeof body.code === 'number' ? body.code : null;
}

function write(response: ServerResponse, { status, body, headers }: Result): void {
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  response.writeHead(status, { ...headers, ...type });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

function answerHtml(call: RecordedCall, response: ServerResponse, status: number): void {
  call.status = status;
  response.writeHead(status, { 'content-type': 'text/html; charset=UTF-8' });
  response.end(HTML);
}

function reset(request: IncomingMessage): void {
  request.socket.resetAndDestroy();
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const buffer = Buffer.from(chunk as Uint8Array);
    size += buffer.length;
    if (size > MAX_BODY_BYTES) throw new Error('request entity too large');
    chunks.push(buffer);
  }
  return Buffer.concat(chunks);
}

async function parseBody(
  type: string,
  raw: Buffer,
): Promise<{ body: unknown; files: UploadedFile[]; isBadJson: boolean }> {
  if (raw.length === 0) return { body: null, files: [], isBadJson: false };
  if (!type.startsWith('multipart/form-data')) return { ...parseJson(raw.toString()), files: [] };
  const form = await new Response(new Uint8Array(raw), { headers: { 'content-type': type } }).formData();
  const files: UploadedFile[] = [];
  for (const [field, value] of form) {
    if (typeof value === 'string') continue;
    const contentType = value.type || null;
    files.push({ field, filename: value.name, contentType, size: value.size, text: await value.text() });
  }
  const payload = form.get('payload_json');
  return { ...parseJson(typeof payload === 'string' ? payload : '{}'), files };
}

function parseJson(text: string): { body: unknown; isBadJson: boolean } {
  try {
    return { body: JSON.parse(text) as unknown, isBadJson: false };
  } catch {
    return { body: text, isBadJson: true };
  }
}

/** The attachment CDN: `/attachments/{channel}/{attachment}/{name}`. */
function serveFile(world: World, url: URL, response: ServerResponse): void {
  const [, , channel = '', id] = url.pathname.split('/');
  const files = (world.state.messages[channel] ?? []).flatMap(({ attachments }) => attachments);
  const file = files.find((attachment) => attachment.id === id);
  // An address whose time is up opens nothing.
  const isSigned = Number.parseInt(url.searchParams.get('ex') ?? '', 16) * 1000 > world.now();
  const isServed = file !== undefined && isSigned;
  response.writeHead(isServed ? 200 : 404, {
    'content-type': file?.contentType ?? 'application/octet-stream',
  });
  const bytes = file?.data === undefined ? file?.text : Buffer.from(file.data, 'base64');
  response.end(isServed ? bytes : 'This content is no longer available.');
}
