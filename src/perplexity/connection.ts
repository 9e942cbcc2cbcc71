import OpenAI from 'openai';
import type { Log } from '../core/ports.ts';
import type { StreamingFetch } from '../http/streaming-fetch.ts';
import { type ApiChoice, type ApiSetting, createApiChoice } from './api-choice.ts';

export interface ConnectionOptions {
  readonly apiKey: string;
  /** Such as `https://api.perplexity.ai`; a trailing slash or `/v1` makes no difference. */
  readonly baseUrl: string;
  readonly api: ApiSetting;
  readonly log: Log;
}

/** What answers and research share: the client, where things are, and which API our key may use. */
export interface Connection {
  /** Over Node's own fetch. */
  readonly client: OpenAI;
  /** The same client over another fetch. */
  clientOver(fetch: StreamingFetch): OpenAI;
  readonly paths: Paths;
  readonly choice: ApiChoice;
}

interface Paths {
  readonly chat: string;
  readonly agent: string;
  /** Research jobs of the chat completions' kind. */
  readonly chatJobs: string;
  /** Where Perplexity documents the end of an Agent run; the address that OpenAI's API has for it is not certain there. */
  readonly agentRuns: string;
}

export function createConnection({ apiKey, baseUrl, api, log }: ConnectionOptions): Connection {
  const trimmed = baseUrl.replace(/\/+$/, '');
  const root = trimmed.replace(/\/v1$/, '');
  const paths: Paths = {
    // Chat completions live at the root and under `/v1`, the Agent API only there; a given `/v1` is kept for gateways.
    chat: root === trimmed ? '/chat/completions' : '/v1/chat/completions',
    agent: '/v1/responses',
    chatJobs: '/async/chat/completions',
    agentRuns: '/v1/agent',
  };
  return {
    client: createClient(apiKey, root),
    clientOver: (fetch) => createClient(apiKey, root, fetch),
    paths,
    choice: createApiChoice(api, log),
  };
}

/** Everything the client would otherwise take from `OPENAI_*` variables is given here. */
function createClient(apiKey: string, baseURL: string, fetch?: StreamingFetch): OpenAI {
  return new OpenAI({
    apiKey,
    baseURL,
    ...(fetch && { fetch }),
    maxRetries: 0,
    logLevel: 'off',
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
  });
}
