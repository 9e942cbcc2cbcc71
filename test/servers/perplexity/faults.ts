/**
 * Everything that can go wrong upstream, by name. A fault is chosen by `server.fault(name, times)` or by a word in the
 * question: `fault:cut` always, `fault:429x1` once for that conversation and then no more. A question may name several:
 * `fault:429x1 fault:cut` is limited first and cut at the second try.
 *
 * Instead of an answer:
 *   400 401 402 403 404 422 500 502 503 529   that status with the body the real service sends (401 and 502 are HTML)
 *   429            with Retry-After 1           429-long   Retry-After 120        429-bare   no header
 *   429-date       Retry-After as a date        429-reset  x-ratelimit-reset only
 *   retired        the 403 of a key that cannot use chat completions     migration   its second form
 *   html           200 with a web page          json       200 with a JSON object that is no answer
 *   reset          the connection is reset before any header
 *   silence-headers   no header, ever
 *   endless-html, endless-json, endless-error   200 with a web page, 200 with JSON, 500 with JSON, none with an end
 * After the headers, before any text:
 *   silence-first  nothing, ever                keepalive  comments only, one every 20 ms
 *   cut-first      the connection is reset      error-first  an error event
 * In the middle of the text:
 *   cut            the connection is reset      clean-cut  the response ends in order, without a finish
 *   silence        nothing more                 keepalive-middle  comments only from there on
 *   malformed      an event with broken JSON    empty-event  events without data, then on as usual
 *   endless-event  an event without an end      endless-stream  large events without an end
 *   error-event    an error event, then the end
 *   odd            events with null choices, wrong types and unknown kinds, then on as usual
 * All along, and nothing is wrong with it:
 *   crlf           lines end in CR LF           comments   every event begins with a comment, and comments between them
 *   split          every event arrives in three pieces, cut anywhere
 * At the end:
 *   length, content-filter   the text stops half-way with that reason
 *   failed         (Agent API) `response.failed`; chat completions: an error event
 *
 * Research jobs have faults of their own: see `job-faults.ts`.
 */
import type { ServerResponse } from 'node:http';

/** Faults that a stream meets on its way; the writers of both APIs know them. */
export type StreamFault =
  | 'silence-first'
  | 'keepalive'
  | 'cut-first'
  | 'error-first'
  | 'cut'
  | 'clean-cut'
  | 'silence'
  | 'keepalive-middle'
  | 'malformed'
  | 'empty-event'
  | 'error-event'
  | 'endless-event'
  | 'endless-stream'
  | 'odd'
  | 'crlf'
  | 'comments'
  | 'split'
  | 'length'
  | 'content-filter'
  | 'failed';

const STREAM_FAULTS: ReadonlySet<string> = new Set<StreamFault>([
  'silence-first',
  'keepalive',
  'cut-first',
  'error-first',
  'cut',
  'clean-cut',
  'silence',
  'keepalive-middle',
  'malformed',
  'empty-event',
  'error-event',
  'endless-event',
  'endless-stream',
  'odd',
  'crlf',
  'comments',
  'split',
  'length',
  'content-filter',
  'failed',
]);

/** What takes the place of an answer. */
export type AnswerFault = keyof typeof ANSWERS;

export type FaultName = StreamFault | AnswerFault;

const HTML =
  '<html>\r\n<head><title>401 Authorization Required</title></head>\r\n<body>\r\n<center><h1>401 Authorization Required</h1></center>\r\n<hr><center>openresty/1.25.3.1</center>\r\n</body>\r\n</html>\r\n';

const RETIRED =
  'Sonar is now the Agent API. Use /v1/responses instead of /v1/sonar. Migrate here: https://docs.perplexity.ai/docs/agent-api/migrate-from-sonar/overview';

/** An error in the shape both APIs use. */
export function sendError(
  response: ServerResponse,
  status: number,
  type: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  sendJson(response, status, { error: { message, type, code: status } }, headers);
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

export function sendHtml(response: ServerResponse, status: number, html = HTML): void {
  response.writeHead(status, { 'content-type': 'text/html' });
  response.end(html);
}

function limited(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
  sendError(
    response,
    429,
    'rate_limit_exceeded',
    'Request rate limit exceeded, please try again later.',
    headers,
  );
}

const ANSWERS = {
  '400': (response: ServerResponse) =>
    sendError(response, 400, 'invalid_request', 'invalid request body: json: unknown field "x"'),
  '401': (response: ServerResponse) => sendHtml(response, 401),
  '402': (response: ServerResponse) =>
    sendError(
      response,
      402,
      'insufficient_quota',
      'You exceeded your current quota, please check your plan.',
    ),
  '403': (response: ServerResponse) => sendError(response, 403, 'forbidden', 'This key may not do that.'),
  '404': (response: ServerResponse) => sendError(response, 404, 'not_found', 'No such resource.'),
  '422': (response: ServerResponse) =>
    sendJson(response, 422, {
      detail: [{ loc: ['body', 'messages'], msg: 'field required', type: 'missing' }],
    }),
  '429': (response: ServerResponse) => limited(response, { 'retry-after': '1' }),
  '429-long': (response: ServerResponse) => limited(response, { 'retry-after': '120' }),
  '429-bare': (response: ServerResponse) => limited(response, {}),
  '429-date': (response: ServerResponse) =>
    limited(response, { 'retry-after': new Date(Date.now() + 5000).toUTCString() }),
  '429-reset': (response: ServerResponse) =>
    limited(response, { 'x-ratelimit-reset': String(Math.ceil(Date.now() / 1000) + 5) }),
  '500': (response: ServerResponse) => sendError(response, 500, 'internal_server_error', 'Internal error.'),
  '502': (response: ServerResponse) =>
    sendHtml(
      response,
      502,
      '<html><head><title>502 Bad Gateway</title></head><body>cloudflare</body></html>',
    ),
  '503': (response: ServerResponse) => sendError(response, 503, 'service_unavailable', 'Try again later.'),
  '529': (response: ServerResponse) => sendError(response, 529, 'overloaded', 'Overloaded.'),
  retired: (response: ServerResponse) => sendRetired(response, 'chat_completions_not_available'),
  migration: (response: ServerResponse) => sendRetired(response, 'agent_api_migration_required'),
  html: (response: ServerResponse) =>
    sendHtml(response, 200, '<html><head><title>Just a moment…</title></head><body>Checking.</body></html>'),
  json: (response: ServerResponse) => sendJson(response, 200, { hello: 'world' }),
  reset: (response: ServerResponse) => response.socket?.resetAndDestroy(),
  'silence-headers': () => undefined,
  'endless-html': (response: ServerResponse) => sendEndless(response, 200, 'text/html', '<html><body>'),
  'endless-json': (response: ServerResponse) => sendEndless(response, 200, 'application/json', '{"status":"'),
  'endless-error': (response: ServerResponse) =>
    sendEndless(response, 500, 'application/json', '{"error":{"message":"'),
};

function sendEndless(response: ServerResponse, status: number, type: string, start: string): void {
  response.writeHead(status, { 'content-type': type });
  response.write(start);
  repeat(response, 'x'.repeat(64_000));
}

/** Writes the same again and again, as fast as it is read, until the connection goes away. */
export function repeat(response: ServerResponse, text: string): void {
  const write = (): void => {
    while (!response.destroyed && response.write(text));
  };
  response.on('drain', write);
  write();
}

/** The two forms of the 403 that a key meets when chat completions are closed to it. */
export function sendRetired(
  response: ServerResponse,
  type: 'chat_completions_not_available' | 'agent_api_migration_required',
): void {
  sendError(response, 403, type, RETIRED);
}

/** Sends what takes an answer's place. */
export function sendFault(name: AnswerFault, response: ServerResponse): void {
  ANSWERS[name](response);
}

export function isStreamFault(name: string): name is StreamFault {
  return STREAM_FAULTS.has(name);
}

export function isAnswerFault(name: string): name is AnswerFault {
  return Object.hasOwn(ANSWERS, name);
}

function isFaultName(name: string): name is FaultName {
  return STREAM_FAULTS.has(name) || isAnswerFault(name);
}

/** Every `fault:name` and `fault:namex2` in a question; `times` is undefined without a number. */
export function faultWords(question: string): readonly { name: string; times: number | undefined }[] {
  const words = question.matchAll(/fault:([a-z0-9-]+?)(?:x(\d+))?(?=[^a-z0-9-]|$)/gi);
  return [...words].map(([, name = '', times]) => ({
    name: name.toLowerCase(),
    times: times === undefined ? undefined : Number(times),
  }));
}

/**
 * The fault the question asks for, if any is left; `find` tells which words count here. `used` counts how often each
 * counted word has been spent, by conversation.
 */
export function askedFault<Fault extends string>(
  question: string,
  conversation: string,
  used: Map<string, number>,
  find: (name: string) => Fault | null,
): Fault | null {
  for (const { name, times } of faultWords(question)) {
    const fault = find(name);
    if (fault === null) continue;
    if (times === undefined) return fault;
    const key = `${conversation}\u0000${name}`;
    const count = used.get(key) ?? 0;
    if (count >= times) continue;
    used.set(key, count + 1);
    return fault;
  }
  return null;
}

/** The faults of answers. */
export function answerFault(name: string): FaultName | null {
  return isFaultName(name) ? name : null;
}
