import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';
import { Failure, type FailureDetails, type FailureKind } from '../core/failures.ts';
import { asRecord, asText, type JsonObject } from '../core/untrusted.ts';
import { BodyTooLarge } from './response-body.ts';

/** The `code` of a failure to read an answer that was larger than any report. */
export const TOO_LARGE = 'TOO_LARGE';

/**
 * Translates what the client throws before a stream has begun, or while a short answer is read. Errors that are not about
 * the other side are ours and are returned as they are.
 */
export function translateRequestError(error: unknown): unknown {
  const { code, wasSent } = findNetworkFault(error);
  if (error instanceof APIConnectionError) return createConnectionFailure(error, code, wasSent);
  if (error instanceof APIError && typeof error.status === 'number') {
    // Typed as any by the client: whatever JSON the body's `error` field held.
    return createStatusFailure(error.status, asRecord(error.error), error.headers ?? new Headers());
  }
  const unreadable = explainUnreadable(error, code);
  if (unreadable) {
    const { what, ...details } = unreadable;
    return new Failure('malformed', `the answer from Perplexity ${what}`, { ...details, ambiguous: true });
  }
  // Node's fetch throws a TypeError with the network's error as its cause; without one it is a fault of ours.
  if (!(error instanceof TypeError) || code === undefined) return error;
  return new Failure('unreachable', 'the answer from Perplexity was cut', { code, ambiguous: true });
}

function createConnectionFailure(error: Error, code: string | undefined, wasSent: boolean): Failure {
  if (error instanceof APIConnectionTimeoutError && wasSent) {
    return new Failure('too-slow', 'no response from Perplexity', { cause: error, ambiguous: true });
  }
  const remedy = findTlsRemedy(code ?? '');
  const message = `Perplexity could not be reached (${code ?? 'no code'})${remedy ? `: ${remedy}` : ''}`;
  return new Failure('unreachable', message, { code, remedy, ambiguous: wasSent });
}

/** What cannot be read of an answer that came; null for any other error. Never quotes the text, as a parser's message does. */
function explainUnreadable(error: unknown, code = ''): Unreadable | null {
  if (error instanceof BodyTooLarge) return { what: 'is too large', code: TOO_LARGE };
  if (error instanceof SyntaxError) return { what: 'is not JSON' };
  if (!UNREADABLE_CODING.test(code)) return null;
  const remedy = 'something on the way there garbles its answers; check PERPLEXITY_BASE_URL and the proxies';
  return { what: `cannot be decompressed (${code})`, code, remedy };
}

type Unreadable = Pick<FailureDetails, 'code' | 'remedy'> & { readonly what: string };

/** The codes of Node's zlib and brotli, and ours. */
const UNREADABLE_CODING = /^Z_|^ERR__ERROR_|^UNKNOWN_CODING$/;

/** The failure for a status other than 2xx; `body` is the `error` object of the answer, if it had one. */
function createStatusFailure(status: number, body: JsonObject | null, headers: Headers): Failure {
  const code = readErrorCode(body);
  const kind = classifyStatus(meaningOf(status, body));
  const canWait = kind === 'rate-limited' || kind === 'unreachable';
  return new Failure(kind, describeError(`Perplexity answered ${status}`, body), {
    status,
    code,
    retryAfterMs: canWait ? readRetryAfter(headers, Date.now()) : undefined,
    remedy: findRemedy(status, body),
    ambiguous: isAmbiguous(status, code),
  });
}

/**
 * Whether a request that got this answer may have been carried out. 409 is what a second request with the same key may
 * meet. Most 5xx come from something in between, or after the work has begun; only the service itself gives an error a
 * type, and when it says with one that it is overloaded, it has not begun.
 */
function isAmbiguous(status: number, code: string | undefined): boolean {
  if (status === 503 || status === 529) return code === undefined;
  return status === 408 || status === 409 || status >= 500;
}

/** The code of the innermost network error (ECONNREFUSED, UND_ERR_SOCKET), and whether a request may have been written. */
function findNetworkFault(error: unknown): { readonly code: string | undefined; readonly wasSent: boolean } {
  let code: string | undefined;
  let wasSent = true;
  for (let at = error; at instanceof Error; at = at.cause) {
    code = asText('code' in at ? at.code : null) ?? code;
    if ('syscall' in at && (at.syscall === 'connect' || at.syscall === 'getaddrinfo')) wasSent = false;
    if (CONNECT_CODES.has(code ?? '') || TLS.test(code ?? '')) wasSent = false;
  }
  return { code, wasSent };
}

const CONNECT_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** The codes of a certificate that is not trusted, as OpenSSL and Node name them. */
const CERTIFICATE = /CERT|VERIFY/;
const TLS = /^ERR_TLS|^ERR_SSL|CERT|VERIFY/;

function findTlsRemedy(code: string): string | undefined {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'the certificate there is for another host than the one in PERPLEXITY_BASE_URL';
  if (code === 'CERT_HAS_EXPIRED') return 'the certificate there has expired';
  if (code.startsWith('ERR_SSL')) return 'PERPLEXITY_BASE_URL or a proxy does not speak TLS there';
  if (!CERTIFICATE.test(code)) return undefined;
  return 'the certificate there is signed by an authority that is not known here; if it is yours, name the file with its certificate in NODE_EXTRA_CA_CERTS';
}

/** True for the two refusals of a key or account that can only use the Agent API. */
export function isRetired(failure: Failure): boolean {
  return failure.status === 403 && RETIRED.has(failure.code ?? '');
}

const RETIRED: ReadonlySet<string> = new Set([
  'chat_completions_not_available',
  'agent_api_migration_required',
]);

/** A stream ended early: once a person has read some of it this is a cut, before that another try will do. */
export function createCutFailure(what: string, hasText: boolean, code?: string): Failure {
  return new Failure(hasText ? 'cut-off' : 'unreachable', `the stream from Perplexity ${what}`, { code });
}

/** Something else than a stream came with status 200: a web page of something between us and Perplexity, or a whole answer. */
export function createNoStreamFailure(contentType: string | null): Failure {
  const type = (contentType ?? 'no content type').slice(0, 60);
  const isWhole = /json/i.test(type);
  const remedy = isWhole ? 'what answers at PERPLEXITY_BASE_URL does not stream' : undefined;
  return new Failure('malformed', `Perplexity answered with ${type} instead of a stream`, { remedy });
}

/** The answer was allowed no more tokens when its text had not begun. */
export function createThoughtOnlyFailure(): Failure {
  const remedy = 'the length limit was used up by thinking; a larger MAX_TOKENS leaves room for the answer';
  return new Failure('malformed', 'the answer reached its limit while the model was thinking', { remedy });
}

/** Translates what the client throws while a stream is read: it was cut, cannot be read, or reports an error. */
export function translateStreamError(error: unknown, hasText: boolean): Failure {
  if (error instanceof APIError) return createReportedFailure(asRecord(error.error), hasText);
  const { code } = findNetworkFault(error);
  const unreadable = explainUnreadable(error, code);
  if (!unreadable) return createCutFailure('was cut', hasText, code);
  const { what, ...details } = unreadable;
  return new Failure(hasText ? 'cut-off' : 'malformed', `the stream from Perplexity ${what}`, details);
}

/** The stream itself reported an error, after a 200. */
export function createReportedFailure(body: JsonObject | null, hasText: boolean): Failure {
  const number = Number(body?.['code']);
  const status = number >= 400 && number < 600 ? number : 500;
  const kind = hasText ? 'cut-off' : classifyStatus(meaningOf(status, body));
  return new Failure(kind, describeError('Perplexity reported an error', body), {
    code: readErrorCode(body),
    remedy: findRemedy(status, body),
  });
}

/** The status that says the same, for an error that names itself in words, as the APIs behind gateways do. */
function meaningOf(status: number, body: JsonObject | null): number {
  const named = [body?.['code'], body?.['type']].map((name) => MEANINGS[asText(name) ?? '']);
  const meaning = named.find((found) => found !== undefined) ?? status;
  // That a request is invalid says less than any status of the same kind.
  return meaning === 400 && status < 500 ? status : meaning;
}

/** OpenAI's codes and types, Anthropic's types, and Perplexity's own. */
const MEANINGS: Readonly<Record<string, number>> = {
  invalid_api_key: 401,
  authentication_error: 401,
  insufficient_quota: 402,
  billing_error: 402,
  billing_hard_limit_reached: 402,
  billing_not_active: 402,
  account_deactivated: 403,
  permission_error: 403,
  context_length_exceeded: 413,
  request_too_large: 413,
  model_not_found: 400,
  invalid_request: 400,
  invalid_request_error: 400,
  invalid_message: 400,
  content_filter: 400,
  content_policy_violation: 400,
  rate_limit_exceeded: 429,
  rate_limit_error: 429,
};

function classifyStatus(status: number): FailureKind {
  if (status === 401 || status === 402 || status === 403) return 'not-authorised';
  if (status === 429) return 'rate-limited';
  // 3xx: it is to be reached elsewhere.
  if ((status >= 300 && status < 400) || status === 408 || status === 409 || status >= 500)
    return 'unreachable';
  return status >= 400 ? 'rejected' : 'malformed';
}

/** What an operator or the asker can do; fits into a sentence: no capital at its start, no full stop at its end. */
function findRemedy(answered: number, body: JsonObject | null): string | undefined {
  const status = meaningOf(answered, body);
  const message = asText(body?.['message']) ?? '';
  if (RETIRED.has(readErrorCode(body) ?? '')) return 'PERPLEXITY_API has to be auto or agent for this key';
  if (status >= 300 && status < 400) return 'PERPLEXITY_BASE_URL has to be the address that it redirects to';
  if (status in REFUSALS) return REFUSALS[status];
  if (classifyStatus(status) !== 'rejected') return undefined;
  if (status === 413 || TOO_LONG.test(message)) return IS_TOO_LONG;
  if (/\bmodel\b/i.test(message)) return 'Perplexity does not offer this model; choose another one';
  if (status === 404) return 'PERPLEXITY_BASE_URL does not lead to the Perplexity API';
  return /domain/i.test(message) ? 'the list of sites to search was not accepted' : undefined;
}

/** The same for a research job that has failed; its message is free text, so only what is certain is taken from it. */
export function findJobRemedy(error: JsonObject | null): string | null {
  const message = asText(error?.['message']) ?? '';
  const isUnpaid = /\b(?:quota|insufficient (?:credits?|balance|funds))\b/i.test(message);
  if (isUnpaid || meaningOf(500, error) === 402) return NEEDS_CREDIT;
  return TOO_LONG.test(message) ? IS_TOO_LONG : null;
}

const NEEDS_CREDIT = 'the Perplexity account needs credit';
const REFUSALS: Readonly<Record<number, string>> = {
  401: 'PERPLEXITY_API_KEY is not accepted by Perplexity',
  402: NEEDS_CREDIT,
  403: 'PERPLEXITY_API_KEY is not allowed to do this',
};
const TOO_LONG = /context (?:length|window)|too (?:long|large|many tokens)/i;
const IS_TOO_LONG = 'the question and its thread are too long; ask it in a new thread';

/** In milliseconds. No rate limit lasts longer: a longer wait is a number that means something else. */
const LONGEST_WAIT_MS = 24 * 3_600_000;

/**
 * Reads, in this order, `retry-after-ms`, Retry-After (seconds or a date), and `x-ratelimit-reset` (epoch seconds). Gateways
 * send moments for seconds and milliseconds for moments; what makes no sense as either is passed over.
 */
function readRetryAfter(headers: Headers, now: number): number | undefined {
  const after = headers.get('retry-after') ?? '';
  const waits = [
    Number.parseFloat(headers.get('retry-after-ms') ?? ''),
    Number.isNaN(Number(after)) ? Date.parse(after) - now : toWaitMs(Number.parseFloat(after), now),
    readReset(headers, now),
  ];
  const wait = waits.find((ms) => Math.abs(ms) <= LONGEST_WAIT_MS);
  return wait === undefined ? undefined : Math.max(0, wait);
}

/** Milliseconds until the rate limit allows requests again; NaN where it is not said. */
export function readReset(headers: Headers, now: number): number {
  return toWaitMs(Number.parseFloat(headers.get('x-ratelimit-reset') ?? ''), now);
}

/** The wait in milliseconds that a number stands for: seconds, or a moment in epoch seconds or milliseconds. */
function toWaitMs(value: number, now: number): number {
  if (value > 1e12) return value - now;
  return value > 1e9 ? value * 1000 - now : value * 1000;
}

function readErrorCode(body: JsonObject | null): string | undefined {
  return asText(body?.['type']) ?? asText(body?.['code']) ?? undefined;
}

/** For the log: one short line, whatever the other side sent. */
function describeError(what: string, body: JsonObject | null): string {
  const message = asText(body?.['message'])?.replaceAll(/\s+/g, ' ').slice(0, 200);
  return [what, readErrorCode(body), message].filter((part) => part !== undefined).join(': ');
}
