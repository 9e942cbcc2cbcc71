import OpenAI from 'openai';
import { Failure } from '../core/failures.ts';
import type { Log, Model } from '../core/ports.ts';
import type { AnswerEvent, ModelRequest } from '../core/types.ts';
import { agentBody, agentNotice, createAgentInterpreter } from './agent.ts';
import { chatBody, createChatInterpreter } from './chat.ts';
import { isRetired } from './errors.ts';
import { type ProfileOverrides, profilesWith } from './profiles.ts';
import { streamAnswer } from './stream.ts';
import type { Timers } from './watch.ts';

export interface ModelOptions {
  readonly apiKey: string;
  /** Such as `https://api.perplexity.ai`; a trailing slash or `/v1` makes no difference. */
  readonly baseUrl: string;
  /** `auto`: chat completions until they are refused as retired, then the Agent API for as long as the process lives. */
  readonly api: 'auto' | 'chat' | 'agent';
  readonly log: Log;
  readonly timers?: Partial<Timers>;
  readonly profiles?: ProfileOverrides;
}

/**
 * A whole answer may take long, silence may not: slow models write for over ten minutes. The first two cannot usefully be
 * over 300 s, when Node's own fetch gives up on a silent connection.
 */
const DEFAULT_TIMERS: Timers = { headersMs: 30_000, idleMs: 30_000, totalMs: 1_200_000 };

/** Perplexity behind the Model port, through either of its APIs. Reads no environment and retries nothing. */
export function createModel(options: ModelOptions): Model {
  const { root, chatPath, agentPath } = addresses(options.baseUrl);
  const client = createClient(options.apiKey, root);
  const timers = { ...DEFAULT_TIMERS, ...options.timers };
  const profiles = profilesWith(options.profiles ?? {});
  let api = options.api === 'agent' ? 'agent' : 'chat';

  const viaChat = (request: ModelRequest, signal: AbortSignal): AsyncIterable<AnswerEvent> => {
    const profile = profiles[request.options.profile ?? 'sonar'];
    const call = { client, path: chatPath, body: chatBody(request, profile), timers };
    return streamAnswer({ ...call, interpreter: createChatInterpreter() }, signal);
  };
  const viaAgent = (request: ModelRequest, signal: AbortSignal): AsyncIterable<AnswerEvent> => {
    const profile = profiles[request.options.profile ?? 'sonar'];
    const call = { client, path: agentPath, body: agentBody(request, profile), timers };
    const interpreter = createAgentInterpreter(agentNotice(request.options, profile));
    return streamAnswer({ ...call, interpreter }, signal);
  };
  const switchToAgent = (error: unknown): boolean => {
    if (options.api !== 'auto' || !(error instanceof Failure) || !isRetired(error)) return false;
    if (api === 'chat') options.log.warn({ code: error.code }, 'chat completions are retired for this key');
    api = 'agent';
    return true;
  };

  return {
    async *answer(request, signal) {
      if (api === 'chat') {
        try {
          yield* viaChat(request, signal);
          return;
        } catch (error) {
          if (!switchToAgent(error)) throw error;
        }
      }
      yield* viaAgent(request, signal);
    },
  };
}

/** Everything the client would otherwise take from `OPENAI_*` variables is given here. */
function createClient(apiKey: string, baseURL: string): OpenAI {
  return new OpenAI({
    apiKey,
    baseURL,
    maxRetries: 0,
    logLevel: 'off',
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
  });
}

/** Chat completions live at the root and under `/v1`, the Agent API only there; a given `/v1` is kept for gateways. */
function addresses(baseUrl: string): { root: string; chatPath: string; agentPath: string } {
  const trimmed = baseUrl.replace(/\/+$/, '');
  const root = trimmed.replace(/\/v1$/, '');
  return {
    root,
    chatPath: root === trimmed ? '/chat/completions' : '/v1/chat/completions',
    agentPath: '/v1/responses',
  };
}
