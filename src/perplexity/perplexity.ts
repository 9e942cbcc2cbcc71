import type { Log, Model } from '../core/ports.ts';
import type { ResearchModel } from '../core/research/ports.ts';
import type { AnswerEvent, ModelRequest } from '../core/types.ts';
import { type Account, createAccount } from './account.ts';
import { buildAgentBody, createAgentParser, describeLostOptions } from './agent.ts';
import { type ApiSetting, createApiChoice } from './api-choice.ts';
import { buildChatBody, createChatParser } from './chat.ts';
import { type ClientOptions, createClients } from './client.ts';
import type { Timeouts } from './deadline.ts';
import { chooseProfile, type Profile, type ProfileOverrides } from './profiles.ts';
import { createResearchModel } from './research.ts';
import { type Create, streamAnswer } from './stream.ts';

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
  readonly account: Pick<Account, 'check' | 'refusals'>;
}

/**
 * A whole answer may take long, silence may not: slow models write for over ten minutes. The first two cannot usefully be
 * over 300 s, when Node's own fetch gives up on a silent connection.
 */
const ANSWER_TIMEOUTS: Timeouts = { headersMs: 30_000, idleMs: 30_000, totalMs: 1_200_000 };

/** Perplexity behind both of its ports, through either of its APIs. Reads no environment and retries nothing. */
export function createPerplexity(options: PerplexityOptions): Perplexity {
  const { api, log, profiles = {}, researchTimeouts = {} } = options;
  const clients = createClients(options);
  const choice = createApiChoice(api, log);
  const account = createAccount(clients, choice, log);
  const timeouts = { ...ANSWER_TIMEOUTS, ...options.timeouts };

  const askChat = (request: ModelRequest, profile: Profile, signal: AbortSignal): Answer => {
    const body = buildChatBody(request, profile);
    const create: Create = (given) => clients.chat.chat.completions.create(body, given);
    const mayBeginWithThoughts = profile.name === 'sonar-reasoning-pro';
    return streamAnswer({ create, parse: createChatParser(), timeouts, mayBeginWithThoughts }, signal);
  };
  const askAgent = (request: ModelRequest, profile: Profile, signal: AbortSignal): Answer => {
    const body = buildAgentBody(request, profile);
    const create: Create = (given) => clients.agent.responses.create(body, given);
    const parse = createAgentParser(describeLostOptions(request.options, profile));
    return streamAnswer({ create, parse, timeouts }, signal);
  };
  const ask = async function* (...[request, signal, admit]: Parameters<Model['answer']>): Answer {
    const profile = chooseProfile(profiles, request.options.profile ?? 'sonar');
    let fault: unknown = null;
    try {
      if (choice.forAnswers() === 'chat') {
        try {
          await admit?.('chat');
          yield* askChat(request, profile, signal);
          return;
        } catch (error) {
          if (!choice.learn(error)) throw error;
        }
      }
      await admit?.('agent');
      yield* askAgent(request, profile, signal);
    } catch (error) {
      fault = error;
      throw error;
    } finally {
      // Whoever has heard enough leaves: an answer that has begun is one for this key.
      account.learn(fault);
    }
  };
  const research = createResearchModel({ clients, choice, profiles, timeouts: researchTimeouts });
  return {
    model: { answer: ask },
    research: { ...research, submit: account.watch(research.submit), poll: account.watch(research.poll) },
    account,
  };
}

type Answer = AsyncGenerator<AnswerEvent>;
