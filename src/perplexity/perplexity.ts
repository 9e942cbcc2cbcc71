import type { Log, Model } from '../core/ports.ts';
import type { ResearchModel } from '../core/research/ports.ts';
import type { AnswerEvent, ModelRequest } from '../core/types.ts';
import { buildAgentBody, createAgentParser, describeLostOptions } from './agent.ts';
import { type ApiChoice, type ApiSetting, createApiChoice } from './api-choice.ts';
import { buildChatBody, createChatParser } from './chat.ts';
import { type ClientOptions, type Clients, createClients } from './client.ts';
import type { Timeouts } from './deadline.ts';
import { createProfiles, type Profile, type ProfileOverrides } from './profiles.ts';
import { createResearchModel } from './research.ts';
import { streamAnswer } from './stream.ts';

export interface PerplexityOptions extends ClientOptions {
  readonly api: ApiSetting;
  readonly log: Log;
  readonly profiles?: ProfileOverrides;
  /** For a streamed answer. */
  readonly timeouts?: Partial<Timeouts>;
  /** For one of the short requests that research jobs are submitted and polled with. */
  readonly researchTimeouts?: Partial<Timeouts>;
}

export interface Perplexity {
  readonly model: Model;
  readonly research: ResearchModel;
}

/**
 * A whole answer may take long, silence may not: slow models write for over ten minutes. The first two cannot usefully be
 * over 300 s, when Node's own fetch gives up on a silent connection.
 */
const ANSWER_TIMEOUTS: Timeouts = { headersMs: 30_000, idleMs: 30_000, totalMs: 1_200_000 };

/** Perplexity behind both of its ports, through either of its APIs. Reads no environment and retries nothing. */
export function createPerplexity(options: PerplexityOptions): Perplexity {
  const { api, log, profiles = {}, timeouts = {}, researchTimeouts = {} } = options;
  const shared = { clients: createClients(options), choice: createApiChoice(api, log), profiles };
  return {
    model: createModel({ ...shared, timeouts: { ...ANSWER_TIMEOUTS, ...timeouts } }),
    research: createResearchModel({ ...shared, timeouts: researchTimeouts }),
  };
}

interface ModelDeps {
  readonly clients: Clients;
  readonly choice: ApiChoice;
  readonly profiles: ProfileOverrides;
  readonly timeouts: Timeouts;
}

function createModel({ clients, choice, timeouts, ...deps }: ModelDeps): Model {
  const { chat, agent } = clients;
  const profiles = createProfiles(deps.profiles);
  type Answer = AsyncIterable<AnswerEvent>;

  const askChat = (request: ModelRequest, profile: Profile, signal: AbortSignal): Answer => {
    const body = buildChatBody(request, profile);
    const parse = createChatParser();
    return streamAnswer((options) => chat.chat.completions.create(body, options), parse, timeouts, signal);
  };
  const askAgent = (request: ModelRequest, profile: Profile, signal: AbortSignal): Answer => {
    const body = buildAgentBody(request, profile);
    const parse = createAgentParser(describeLostOptions(request.options, profile));
    return streamAnswer((options) => agent.responses.create(body, options), parse, timeouts, signal);
  };

  return {
    async *answer(request, signal) {
      const profile = profiles[request.options.profile ?? 'sonar'];
      if (choice.forAnswers() === 'chat') {
        try {
          yield* askChat(request, profile, signal);
          return;
        } catch (error) {
          if (!choice.learn(error)) throw error;
        }
      }
      yield* askAgent(request, profile, signal);
    },
  };
}
