import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerAgent } from './agent.ts';
import { answerChat } from './chat.ts';
import type { Exchange, RecordedRequest } from './exchange.ts';
import {
  askedFault,
  type FaultName,
  isStreamFault,
  type StreamFault,
  sendError,
  sendFault,
  sendHtml,
  sendRetired,
} from './faults.ts';
import type { Pace } from './play.ts';
import type { Said } from './topics.ts';

export interface PerplexityServerOptions {
  /** 0, the default, takes a free one. */
  readonly port?: number;
  readonly apiKey?: string;
  /** What chat completions answer: `both` works; the others are the two forms of the 403 of a retired key. */
  readonly api?: 'both' | 'agent-only' | 'agent-only-migration';
  /** 0, the default, is as fast as it goes. */
  readonly tokensPerSecond?: number;
  readonly firstTokenMs?: number;
  /** Characters in a piece of text; a word each by default. */
  readonly chunking?: number;
}

/** Takes the place of the next answers: a fault by name, or a function that writes the response itself. */
type ScriptedFault = FaultName | ((response: ServerResponse, record: RecordedRequest) => void);

export interface PerplexityServer {
  readonly url: string;
  readonly apiKey: string;
  /** Every request so far, oldest first. */
  readonly requests: readonly RecordedRequest[];
  /** The next `times` requests (default 1) meet this fault. Faults wait in line; they go before words in questions. */
  fault(fault: ScriptedFault, times?: number): void;
  close(): Promise<void>;
}

/** Starts the stand-in for api.perplexity.ai on 127.0.0.1. What it answers: `topics.ts`; what goes wrong: `faults.ts`. */
export async function startPerplexityServer(
  options: PerplexityServerOptions = {},
): Promise<PerplexityServer> {
  const apiKey = options.apiKey ?? `pplx-test-${randomUUID()}`;
  const pace: Pace = {
    tokensPerSecond: options.tokensPerSecond ?? 0,
    firstTokenMs: options.firstTokenMs ?? 0,
    chunking: options.chunking ?? 0,
  };
  const requests: RecordedRequest[] = [];
  const scripted: { fault: ScriptedFault; left: number }[] = [];
  const spent = new Map<string, number>();

  const nextFault = (said: readonly Said[]): ScriptedFault | null => {
    const first = scripted[0];
    if (!first) return askedFault(said.at(-1)?.text ?? '', JSON.stringify(said), spent);
    first.left--;
    if (first.left <= 0) scripted.shift();
    return first.fault;
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = parse(await readBody(request));
    const record = keepRecord(request, response, body);
    requests.push(record);
    response.setHeader('x-request-id', randomUUID());
    if (request.headers.authorization !== `Bearer ${apiKey}`) return sendHtml(response, 401);
    const chooseFault = (said: readonly Said[]): StreamFault | null | 'handled' =>
      meet(nextFault(said), response, record);
    await route(options.api ?? 'both', { response, body, pace, record, chooseFault });
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else sendError(response, 500, 'stand_in_bug', String(error));
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo; // Listening on a port, so never a pipe's name or null.
  return {
    url: `http://127.0.0.1:${port}`,
    apiKey,
    requests,
    fault: (fault, times = 1) => void scripted.push({ fault, left: times }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const CHAT_PATHS: ReadonlySet<string> = new Set(['/chat/completions', '/v1/chat/completions', '/v1/sonar']);
const AGENT_PATHS: ReadonlySet<string> = new Set(['/v1/responses', '/v1/agent']);

async function route(api: NonNullable<PerplexityServerOptions['api']>, exchange: Exchange): Promise<void> {
  const { response, record } = exchange;
  if (AGENT_PATHS.has(record.path)) return answerAgent(exchange);
  if (!CHAT_PATHS.has(record.path)) return sendError(response, 404, 'not_found', `No route ${record.path}`);
  if (api === 'agent-only') return sendRetired(response, 'chat_completions_not_available');
  if (api === 'agent-only-migration') return sendRetired(response, 'agent_api_migration_required');
  return answerChat(exchange);
}

function meet(
  fault: ScriptedFault | null,
  response: ServerResponse,
  record: RecordedRequest,
): StreamFault | null | 'handled' {
  if (fault === null) return null;
  if (typeof fault === 'function') fault(response, record);
  else if (isStreamFault(fault)) return fault;
  else sendFault(fault, response);
  return 'handled';
}

const KEPT_HEADERS = ['authorization', 'content-type', 'accept', 'user-agent'];

function keepRecord(request: IncomingMessage, response: ServerResponse, body: unknown): RecordedRequest {
  const headers: Record<string, string> = {};
  for (const name of KEPT_HEADERS) {
    const value = request.headers[name];
    if (typeof value === 'string') headers[name] = value;
  }
  const path = new URL(request.url ?? '/', 'http://stand-in').pathname;
  const record: RecordedRequest = {
    path,
    headers,
    body,
    at: Date.now(),
    connection: request.socket.remotePort ?? 0,
    status: null,
    answer: null,
    state: 'open',
  };
  response.once('close', () => {
    if (response.headersSent) record.status = response.statusCode;
    record.state = response.writableFinished ? 'complete' : 'aborted';
  });
  return record;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer); // A request without setEncoding yields Buffers.
  return Buffer.concat(chunks).toString('utf8');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
