/** What a response says before its body. */
export interface ResponseHead {
  readonly status: number;
  /** By their names in lower case; what is there more than once is joined by commas. */
  readonly headers: ReadonlyMap<string, string>;
  /** In bytes; `rest` is everything until the connection ends. */
  readonly bodyLength: number | 'chunked' | 'rest';
  /** How long the connection waits for another request, in milliseconds; 0 when it does not. */
  readonly keptMs: number;
}

/** The other side does not speak HTTP as it should. */
export class ResponseError extends Error {
  readonly code = 'ERR_HTTP_RESPONSE';

  constructor(what: string) {
    super(`not a response of HTTP/1.1: ${what}`);
    this.name = 'ResponseError';
  }
}

/**
 * Understands the lines of a head, the empty one at its end left out.
 * @throws {ResponseError} which quotes nothing of what came.
 */
export function responseHead([first = '', ...fields]: readonly string[]): ResponseHead {
  const [, version, digits] = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: |$)/.exec(first) ?? [];
  if (digits === undefined) throw new ResponseError('no status line');
  const status = Number(digits);
  const headers = headersOf(fields);
  const bodyLength = bodyLengthOf(status, headers);
  const isClosing = /\bclose\b/i.test(headers.get('connection') ?? '');
  // Where two lengths are given, what follows may not be what it seems.
  const isClear = !(headers.has('transfer-encoding') && headers.has('content-length'));
  const isKept = version === '1' && bodyLength !== 'rest' && isClear && !isClosing;
  return { status, headers, bodyLength, keptMs: isKept ? keptMsOf(headers) : 0 };
}

function headersOf(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value = ''] = FIELD.exec(line) ?? [];
    if (name === undefined) throw new ResponseError('a field cannot be read');
    const key = name.toLowerCase();
    const known = headers.get(key);
    headers.set(key, known === undefined ? value : `${known}, ${value}`);
  }
  return headers;
}

const FIELD = /^([\w!#$%&'*+.^`|~-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/;

/** As in RFC 9112, section 6.3. */
function bodyLengthOf(status: number, headers: ReadonlyMap<string, string>): ResponseHead['bodyLength'] {
  if (status < 200 || status === 204 || status === 304) return 0;
  const coding = headers.get('transfer-encoding');
  if (coding !== undefined) {
    if (coding.toLowerCase() !== 'chunked') throw new ResponseError('an unknown transfer coding');
    return 'chunked';
  }
  const length = headers.get('content-length');
  if (length === undefined) return 'rest';
  if (!/^\d{1,15}$/.test(length)) throw new ResponseError('no length that can be read');
  return Number(length);
}

/** Shorter than servers wait if they do not say how long (Node's 5 s). */
const KEPT_MS = 4_000;
/** What is on its way when the server closes must not be a request. */
const MARGIN_MS = 1_000;

function keptMsOf(headers: ReadonlyMap<string, string>): number {
  const [, seconds] = /\btimeout=(\d{1,6})\b/i.exec(headers.get('keep-alive') ?? '') ?? [];
  if (seconds === undefined) return KEPT_MS;
  return Math.min(KEPT_MS, Math.max(0, Number(seconds) * 1000 - MARGIN_MS));
}
