import type { Log, Model } from '../core/ports.ts';
import type { ResearchModel } from '../core/research/ports.ts';
import type { AnswerEvent, ModelRequest } from '../core/types.ts';
import { agentBody, agentNotice, createAgentParser } from './agent.ts';
import { type ApiChoice, type ApiSetting, createApiChoice } from './api-choice.ts';
import { chatBody, createChatParser } from './chat.ts';
import { type ClientOptions, type Clients, createClients } from './client.ts';
import type { Timeouts } from './deadline.ts';
import { createProfiles, type ProfileOverrides } from './profiles.ts';
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
  const { api, log, profiles = {} } = options;
  const clients = createClients(options);
  const choice = createApiChoice(api, log);
  const timeouts = { ...ANSWER_TIMEOUTS, ...options.timeouts };
  return {
    model: createModel({ clients, choice, profiles, timeouts }),
    research: createResearchModel({ clients, choice, profiles, timeouts: options.researchTimeouts ?? {} }),
  };
}

interface ModelDeps {
  readonly clients: Clients;
  readonly choice: ApiChoice;
  readonly profiles: ProfileOverrides;
  readonly timeouts: Timeouts;
}

function createModel({ clients, choice, profiles: overrides, timeouts }: ModelDeps): Model {
  const profiles = createProfiles(overrides);

  const askChat = (request: ModelRequest, signal: AbortSignal): AsyncIterable<AnswerEvent> => {
    const body = chatBody(request, profiles[request.options.profile ?? 'sonar']);
    return streamAnswer(
      {
        create: (options) => clients.chat.chat.completions.create(body, options),
        parse: createChatParser(),
        timeouts,
      },
      signal,
    );
  };
  const askAgent = (request: ModelRequest, signal: AbortSignal): AsyncIterable<AnswerEvent> => {
    const profile = profiles[request.options.profile ?? 'sonar'];
    const body = agentBody(request, profile);
    return streamAnswer(
      {
        create: (options) => clients.agent.responses.create(body, options),
        parse: createAgentParser(agentNotice(request.options, profile)),
        timeouts,
      },
      signal,
    );
  };

  return {
    async *answer(request, signal) {
      if (choice.forAnswers() === 'chat') {
        try {
          yield* askChat(request, signal);
          return;
        } catch (error) {
          if (!choice.learn(error)) throw error;
        }
      }
      yield* askAgent(request, signal);
    },
  };
}
