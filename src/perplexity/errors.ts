import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';
import { Failure, type FailureKind } from '../core/failures.ts';
import { asRecord, asText, type JsonObject } from '../core/untrusted.ts';
import { BodyTooLarge } from './response-body.ts';

/** The `code` of a failure to read an answer that was larger than any report. */
export const TOO_LARGE = 'TOO_LARGE';

/**
 * Translates what the client throws before a stream has begun, or while a short answer is read. Errors that are not about
 * the other side are ours and are returned as they are.
 */
export function translateRequestError(error: unknown): unknown {
  const code = findNetworkCode(error);
  if (error instanceof APIConnectionError) return createConnectionFailure(error, code);
  if (error instanceof APIError && typeof error.status === 'number') {
    // Typed as any by the client: whatever JSON the body's `error` field held.
    return createStatusFailure(error.status, asRecord(error.error), error.headers ?? new Headers());
  }
  if (error instanceof BodyTooLarge) {
    const details = { code: TOO_LARGE, ambiguous: true };
    return new Failure('malformed', 'the answer from Perplexity is too large', details);
  }
  // Told without the parser's message, which quotes the text.
  if (error instanceof SyntaxError) {
    return new Failure('malformed', 'the answer from Perplexity is not JSON', { ambiguous: true });
  }
  // Node's fetch throws a TypeError with the network's error as its cause; without one it is a fault of ours.
  if (!(error instanceof TypeError) || code === undefined) return error;
  return new Failure('unreachable', 'the answer from Perplexity was cut', { code, ambiguous: true });
}

function createConnectionFailure(error: APIConnectionError, code: string | undefined): Failure {
  const wasNeverSent = isConnectError(error);
  if (error instanceof APIConnectionTimeoutError && !wasNeverSent) {
    return new Failure('too-slow', 'no response from Perplexity', { cause: error, ambiguous: true });
  }
  const remedy = findCertificateRemedy(code ?? '');
  const message = `Perplexity could not be reached (${code ?? 'no code'})${remedy ? `: ${remedy}` : ''}`;
  return new Failure('unreachable', message, { code, remedy, ambiguous: !wasNeverSent });
}

/** The failure for a status other than 2xx; `body` is the `error` object of the answer, if it had one. */
function createStatusFailure(status: number, body: JsonObject | null, headers: Headers): Failure {
  const code = readErrorCode(body);
  const kind = classifyStatus(status, code);
  return new Failure(kind, describeError(`Perplexity answered ${status}`, body), {
    status,
    code,
    retryAfterMs:
      kind === 'rate-limited' || kind === 'unreachable' ? readRetryAfter(headers, Date.now()) : undefined,
    remedy: findRemedy(status, code, asText(body?.['message']) ?? ''),
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

/** True when the connection failed before any request was written to it. */
function isConnectError(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('syscall' in at && (at.syscall === 'connect' || at.syscall === 'getaddrinfo')) return true;
    const code = asText('code' in at ? at.code : null) ?? '';
    if (CONNECT_CODES.has(code) || /^ERR_TLS|^ERR_SSL/.test(code) || CERTIFICATE.test(code)) return true;
  }
  return false;
}

const CONNECT_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** The codes of a certificate that is not trusted, as OpenSSL and Node name them. */
const CERTIFICATE = /CERT|VERIFY/;

function findCertificateRemedy(code: string): string | undefined {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'the certificate there is for another host than the one in PERPLEXITY_BASE_URL';
  if (code === 'CERT_HAS_EXPIRED') return 'the certificate there has expired';
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
export function createCutFailure(what: string, hasText: boolean, cause?: unknown): Failure {
  return new Failure(hasText ? 'cut-off' : 'unreachable', `the stream from Perplexity ${what}`, {
    code: findNetworkCode(cause),
  });
}

/** Translates what the client throws while a stream is read: it was cut, cannot be read, or reports an error. */
export function translateStreamError(error: unknown, hasText: boolean): Failure {
  if (error instanceof APIError) return createReportedFailure(asRecord(error.error), hasText);
  const isTooLarge = error instanceof BodyTooLarge;
  // Told without the parser's message, which may quote the text.
  if (!isTooLarge && !(error instanceof SyntaxError)) return createCutFailure('was cut', hasText, error);
  const what = isTooLarge ? 'is too large' : 'is not JSON';
  return new Failure(hasText ? 'cut-off' : 'malformed', `the stream from Perplexity ${what}`);
}

/** The stream itself reported an error, after a 200. */
export function createReportedFailure(body: JsonObject | null, hasText: boolean): Failure {
  const code = readErrorCode(body);
  const status = Number(body?.['code']);
  const kind: FailureKind = status >= 400 && status < 600 ? classifyStatus(status, code) : 'unreachable';
  return new Failure(hasText ? 'cut-off' : kind, describeError('Perplexity reported an error', body), {
    code,
    remedy: hasText ? undefined : findRemedy(status, code, asText(body?.['message']) ?? ''),
  });
}

function classifyStatus(status: number, code: string | undefined): FailureKind {
  if (status === 401 || status === 402 || status === 403 || code === 'insufficient_quota')
    return 'not-authorised';
  if (status === 429) return 'rate-limited';
  if (status === 408 || status === 409 || status >= 500) return 'unreachable';
  return status >= 400 ? 'rejected' : 'malformed';
}

/** Fits into a sentence: no capital at its start, no full stop at its end. */
function findRemedy(status: number, code: string | undefined, message: string): string | undefined {
  if (RETIRED.has(code ?? '')) return 'PERPLEXITY_API has to be auto or agent for this key';
  if (status === 402 || code === 'insufficient_quota') return NEEDS_CREDIT;
  if (status === 401) return 'PERPLEXITY_API_KEY is not accepted by Perplexity';
  if (status === 403) return 'PERPLEXITY_API_KEY is not allowed to do this';
  if (status === 413 || TOO_LONG.test(message)) return IS_TOO_LONG;
  if (status >= 300 && status < 400) return 'PERPLEXITY_BASE_URL has to be the address that it redirects to';
  if (status === 404) return 'PERPLEXITY_BASE_URL does not lead to the Perplexity API';
  if (/\bmodel\b/i.test(message)) return 'Perplexity does not offer this model; choose another one';
  if (/domain/i.test(message)) return 'the list of sites to search was not accepted';
  return undefined;
}

/** The same for a research job that has failed; its message is free text, so only what is certain is taken from it. */
export function findJobRemedy(error: JsonObject | null): string | null {
  const code = readErrorCode(error);
  const message = asText(error?.['message']) ?? '';
  if (
    code === 'insufficient_quota' ||
    /\b(?:quota|insufficient (?:credits?|balance|funds))\b/i.test(message)
  ) {
    return NEEDS_CREDIT;
  }
  return TOO_LONG.test(message) ? IS_TOO_LONG : null;
}

const NEEDS_CREDIT = 'the Perplexity account needs credit';
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
    toWaitMs(Number.parseFloat(headers.get('x-ratelimit-reset') ?? ''), now),
  ];
  const wait = waits.find((ms) => Math.abs(ms) <= LONGEST_WAIT_MS);
  return wait === undefined ? undefined : Math.max(0, wait);
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

/** The code of the innermost network error: ECONNREFUSED, UND_ERR_SOCKET and the like. */
function findNetworkCode(error: unknown): string | undefined {
  let code: string | undefined;
  for (let at = error; at instanceof Error; at = at.cause) {
    code = asText('code' in at ? at.code : null) ?? code;
  }
  return code;
}
