import OpenAI from 'openai';
import { Failure } from '../core/failures.ts';
import { type Deadline, startDeadline, type Timeouts } from './deadline.ts';
import { failureFrom, networkCode } from './errors.ts';
import { BodyTooLarge, boundedFetch } from './response-body.ts';

export interface ClientOptions {
  readonly apiKey: string;
  /** Such as `https://api.perplexity.ai`; a trailing slash or `/v1` makes no difference. */
  readonly baseUrl: string;
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

/** Everything the client would otherwise take from `OPENAI_*` variables is given here. It retries nothing. */
export function createClients({ apiKey, baseUrl }: ClientOptions): Clients {
  const trimmed = baseUrl.replace(/\/+$/, '');
  const root = trimmed.replace(/\/v1$/, '');
  const chat = new OpenAI({
    apiKey,
    baseURL: trimmed,
    fetch: boundedFetch,
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

/** The `code` of a failure to read an answer that was larger than any report. */
export const TOO_LARGE = 'TOO_LARGE';

/**
 * Makes one short request and resolves with the JSON it is answered with, of whatever shape. The client's own parsing is
 * passed by: it knows neither an idle timeout nor answers that are not what they should be.
 * @throws {Failure} of every kind but `cut-off`; `ambiguous` when the request may have been carried out all the same.
 */
export async function requestJson(send: Send, timeouts: Timeouts, caller: AbortSignal): Promise<unknown> {
  const deadline = startDeadline(timeouts, caller);
  try {
    const refused = deadline.reason();
    if (refused) throw refused;
    const response = await receive(send, timeouts, deadline);
    return parse(await readBody(response, deadline));
  } finally {
    deadline.close();
    // Closes the connection when the body was not read to its end.
    deadline.abort();
  }
}

async function receive(send: Send, timeouts: Timeouts, deadline: Deadline): Promise<Response> {
  try {
    const response = await send({ signal: deadline.signal, timeout: timeouts.totalMs }).asResponse();
    deadline.headersArrived();
    return response;
  } catch (error) {
    throw ambiguous(deadline.reason()) ?? failureFrom(error);
  }
}

async function readBody(response: Response, deadline: Deadline): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const bytes of response.body ?? []) {
      text += decoder.decode(bytes, { stream: true });
      deadline.resume();
    }
  } catch (error) {
    throw ambiguous(deadline.reason()) ?? unreadBody(error);
  }
  const reason = ambiguous(deadline.reason());
  if (reason) throw reason;
  return text + decoder.decode();
}

function unreadBody(error: unknown): Failure {
  if (error instanceof BodyTooLarge) {
    const details = { code: TOO_LARGE, ambiguous: true };
    return new Failure('malformed', 'the answer from Perplexity is too large', details);
  }
  const code = networkCode(error);
  return new Failure('unreachable', 'the answer from Perplexity was cut', { code, ambiguous: true });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Told without the parser's message, which quotes the text.
    throw new Failure('malformed', 'the answer from Perplexity is not JSON', { ambiguous: true });
  }
}

/** Once a request is under way, nobody knows how far it got when it was given up. */
function ambiguous(reason: Failure | null): Failure | null {
  return reason && new Failure(reason.kind, reason.message, { ambiguous: true });
}
