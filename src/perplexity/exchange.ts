import type OpenAI from 'openai';
import { Failure } from '../core/failures.ts';
import type { JsonObject } from '../core/untrusted.ts';
import { failureFrom, networkCode } from './errors.ts';
import { startWatch, type Timers, type Watch } from './watch.ts';

/** One short request whose answer is one JSON document. */
export interface Request {
  readonly client: OpenAI;
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: JsonObject;
  readonly timers: Timers;
}

/** The `code` of a failure to read an answer that was larger than any report. */
export const TOO_LARGE = 'TOO_LARGE';

/** In bytes: a long report with the excerpts of some hundred pages stays well below. */
const LARGEST_BODY = 8_000_000;

/**
 * Makes one request and resolves with the JSON it is answered with, of whatever shape.
 * @throws {Failure} of every kind but `cut-off`; `ambiguous` when the request may have been carried out all the same.
 */
export async function exchange(request: Request, caller: AbortSignal): Promise<unknown> {
  const watch = startWatch(request.timers, caller);
  try {
    const refused = watch.verdict();
    if (refused) throw refused;
    return parse(await readBody(await send(request, watch), watch));
  } finally {
    watch.close();
    // Lets go of what was not read to its end.
    watch.abort();
  }
}

async function send({ client, method, path, query, body, timers }: Request, watch: Watch): Promise<Response> {
  try {
    const options = { query, body, signal: watch.signal, timeout: timers.totalMs };
    const response = await client[method](path, options).asResponse();
    watch.headers();
    return response;
  } catch (error) {
    throw uncertain(watch.verdict()) ?? failureFrom(error);
  }
}

async function readBody(response: Response, watch: Watch): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytesRead = 0;
  try {
    for await (const bytes of response.body ?? []) {
      bytesRead += bytes.length;
      if (bytesRead > LARGEST_BODY) break;
      text += decoder.decode(bytes, { stream: true });
      watch.resume();
    }
  } catch (error) {
    const code = networkCode(error);
    const cut = new Failure('unreachable', 'the answer from Perplexity was cut', { code, ambiguous: true });
    throw uncertain(watch.verdict()) ?? cut;
  }
  const verdict = uncertain(watch.verdict());
  if (verdict) throw verdict;
  if (bytesRead <= LARGEST_BODY) return text + decoder.decode();
  const details = { code: TOO_LARGE, ambiguous: true };
  throw new Failure('malformed', 'the answer from Perplexity is too large', details);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Told without the parser's message, which quotes the text.
    throw new Failure('malformed', 'the answer from Perplexity is not JSON', { ambiguous: true });
  }
}

/** Once a request is under way, nobody knows how far it got when we gave up on it. */
function uncertain(verdict: Failure | null): Failure | null {
  return verdict && new Failure(verdict.kind, verdict.message, { ambiguous: true });
}
