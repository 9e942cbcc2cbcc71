import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerAgent } from './agent.ts';
import { cancelRun, showRun } from './agent-runs.ts';
import { beginChatJob, listChatJobs, showChatJob } from './async-chat.ts';
import { answerChat } from './chat.ts';
import type { Exchange, RecordedRequest } from './exchange.ts';
import { createFaultLines, type FaultScript } from './fault-lines.ts';
import {
  type AnswerFault,
  type FaultName,
  sendError,
  sendFault,
  sendHtml,
  sendJson,
  sendRetired,
} from './faults.ts';
import type { LateFault, Occasion } from './job-faults.ts';
import {
  createJobs,
  type JobPace,
  type Jobs,
  type RecordedJob,
  type SavedJob,
  type Submission,
} from './jobs.ts';
import type { Pace } from './play.ts';
import { busiestMinute, type Counting, createRateLimits, type RateLimits, TIER_0 } from './rate-limits.ts';

export interface PerplexityServerOptions {
  /** 0, the default, takes a free one. */
  readonly port?: number;
  readonly apiKey?: string;
  /** What chat completions answer: `both` works; the others are the two forms of the 403 of a retired key. */
  readonly api?: ApiState;
  /** 0, the default, is as fast as it goes. */
  readonly tokensPerSecond?: number;
  readonly firstTokenMs?: number;
  /** Characters in a piece of text; a word each by default. */
  readonly chunking?: number;
  /** How long research jobs take; see `jobs.ts`. */
  readonly jobs?: Partial<JobPace>;
  /** Requests a minute, or those of a new account; without limits by default. */
  readonly limits?: 'off' | 'tier-0' | Partial<RateLimits>;
  /** How they are counted; over a sliding time by default. */
  readonly counting?: Counting;
  /** Goes on from a snapshot. */
  readonly state?: PerplexityState;
}

/** What outlives a restart: upstream goes on working while nobody looks. */
export interface PerplexityState {
  readonly research: readonly SavedJob[];
}

type ApiState = 'both' | 'agent-only' | 'agent-only-migration';

export interface PerplexityServer {
  readonly url: string;
  readonly apiKey: string;
  /** Every request so far but those for the list of models, oldest first. */
  readonly requests: readonly RecordedRequest[];
  /** Every request for the list of models, which costs nothing and tells whether a key is accepted. */
  readonly keyChecks: readonly RecordedRequest[];
  readonly research: ResearchControl;
  /**
   * The next `times` requests (default 1) meet this fault: those for an answer, or those about research jobs that `on`
   * names. Faults wait in line; they go before words in questions.
   */
  fault(fault: FaultName | FaultScript, times?: number): void;
  fault(fault: AnswerFault | LateFault | FaultScript, times: number, on: Exclude<Occasion, 'answer'>): void;
  /** What every request meets from now on, whatever it is for; null for nothing. */
  setAccount(state: '401' | '402' | '403' | null): void;
  /** The most of these requests, refused ones included, that came within any one minute. */
  busiestMinute(which: (request: RecordedRequest) => boolean): number;
  /** Changes what chat completions answer from now on. */
  setApi(state: ApiState): void;
  /** Calls the listener after every change of what `snapshot` tells. */
  onChange(listener: () => void): void;
  snapshot(): PerplexityState;
  close(): Promise<void>;
}

/** The research jobs so far, and how they go on. */
interface ResearchControl
  extends Pick<Jobs, 'start' | 'finish' | 'expire' | 'setPace' | 'pace' | 'spoilNext'> {
  /** Oldest first. */
  readonly jobs: readonly RecordedJob[];
  /** Every attempt to hand one in that came as far as being one. */
  readonly submissions: readonly Submission[];
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
  let api = options.api ?? 'both';
  let account: AnswerFault | null = null;
  const requests: RecordedRequest[] = [];
  const keyChecks: RecordedRequest[] = [];
  const faults = createFaultLines();
  const jobs = createJobs(options.jobs ?? {}, options.state?.research);
  const limits = createRateLimits(limitsOf(options.limits ?? 'off'), options.counting);

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = parse(await readBody(request));
    const record = keepRecord(request, response, body);
    const isKeyCheck = record.path === '/v1/models';
    (isKeyCheck ? keyChecks : requests).push(record);
    response.setHeader('x-request-id', randomUUID());
    if (request.headers.authorization !== `Bearer ${apiKey}`) return sendHtml(response, 401);
    if (account) return sendFault(account, response);
    if (isKeyCheck) return sendJson(response, 200, MODELS);
    const route = ROUTES.find(({ path, method }) => path.test(record.path) && method.includes(record.method));
    if (!route) return sendError(response, 404, 'not_found', `No route ${record.method} ${record.path}`);
    if (!limits.pass(route.limit, response)) return;
    if (route.limit !== 'agent' && api !== 'both') {
      const type = api === 'agent-only' ? 'chat_completions_not_available' : 'agent_api_migration_required';
      return sendRetired(response, type);
    }
    const chosen = faults.forRequest(response, record);
    await route.answer({ response, body, pace, record, jobs, ...chosen }, idIn(route.path, record.path));
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
    keyChecks,
    setAccount: (state) => void (account = state),
    research: { ...jobs, jobs: jobs.all },
    fault: (fault: Parameters<typeof faults.add>[0], times = 1, on: Occasion = 'answer') =>
      faults.add(fault, times, on),
    busiestMinute: (which) => busiestMinute(requests.filter(which).map(({ at }) => at)),
    setApi: (state) => void (api = state),
    onChange: jobs.onChange,
    snapshot: () => ({ research: jobs.snapshot() }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function limitsOf(limits: NonNullable<PerplexityServerOptions['limits']>): Partial<RateLimits> {
  if (limits === 'off') return {};
  return limits === 'tier-0' ? TIER_0 : limits;
}

const MODELS = {
  object: 'list',
  data: [{ id: 'perplexity/sonar', object: 'model', created: 0, owned_by: 'perplexity' }],
};

interface Route {
  readonly path: RegExp;
  readonly method: string;
  readonly limit: Exclude<keyof RateLimits, 'agentSecond'>;
  readonly answer: (exchange: Exchange, id: string) => Promise<void>;
}

const CHAT_JOBS = '/(?:async/chat/completions|v1/async/sonar)';
const AGENT = '/v1/(?:responses|agent)';

const ROUTES: readonly Route[] = [
  { path: /^\/(?:v1\/)?(?:chat\/completions|sonar)$/, method: 'POST', limit: 'chat', answer: answerChat },
  { path: new RegExp(`^${CHAT_JOBS}$`), method: 'POST', limit: 'chatSubmit', answer: beginChatJob },
  { path: new RegExp(`^${CHAT_JOBS}$`), method: 'GET', limit: 'chatList', answer: listChatJobs },
  { path: new RegExp(`^${CHAT_JOBS}/([^/]+)$`), method: 'GET', limit: 'chatLook', answer: showChatJob },
  { path: new RegExp(`^${AGENT}$`), method: 'POST', limit: 'agent', answer: answerAgent },
  { path: new RegExp(`^${AGENT}/([^/]+)$`), method: 'GET', limit: 'agent', answer: showRun },
  // Documented under this address only.
  { path: /^\/v1\/agent\/([^/]+)\/cancel$/, method: 'POST', limit: 'agent', answer: cancelRun },
];

function idIn(route: RegExp, path: string): string {
  return decodeURIComponent(route.exec(path)?.[1] ?? '');
}

const KEPT_HEADERS = ['authorization', 'content-type', 'accept', 'user-agent'];

function keepRecord(request: IncomingMessage, response: ServerResponse, body: unknown): RecordedRequest {
  const headers: Record<string, string> = {};
  for (const name of KEPT_HEADERS) {
    const value = request.headers[name];
    if (typeof value === 'string') headers[name] = value;
  }
  const { pathname: path, searchParams } = new URL(request.url ?? '/', 'http://stand-in');
  const record: RecordedRequest = {
    method: request.method ?? '',
    path,
    query: Object.fromEntries(searchParams),
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
