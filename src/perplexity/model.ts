import type { Model } from '../core/ports.ts';
import type { AnswerEvent, ModelRequest } from '../core/types.ts';
import { createProxiedFetch, usesProxies } from '../http/proxied.ts';
import { createStreamingFetch } from '../http/streaming-fetch.ts';
import { agentBody, agentNotice, createAgentInterpreter } from './agent.ts';
import { chatBody, createChatInterpreter } from './chat.ts';
import type { Connection } from './connection.ts';
import { createPace } from './pace.ts';
import { type ProfileOverrides, profilesWith } from './profiles.ts';
import { streamAnswer } from './stream.ts';
import type { Timers } from './watch.ts';

export interface ModelOptions {
  readonly timers?: Partial<Timers>;
  readonly profiles?: ProfileOverrides;
}

/**
 * A whole answer may take long, silence may not: slow models write for over ten minutes. The first two cannot usefully be
 * over 300 s, when Node's own fetch gives up on a silent connection.
 */
const DEFAULT_TIMERS: Timers = { headersMs: 30_000, idleMs: 30_000, totalMs: 1_200_000 };

/** The Model port over a connection. */
export function createModel({ clientOver, paths, choice }: Connection, options: ModelOptions): Model {
  const { fetch, streamOf } = usesProxies() ? createProxiedFetch() : createStreamingFetch();
  const timers = { ...DEFAULT_TIMERS, ...options.timers };
  const profiles = profilesWith(options.profiles ?? {});
  const shared = { client: clientOver(fetch), streamOf, pace: createPace(), timers };

  const viaChat = (request: ModelRequest, signal: AbortSignal): AsyncIterable<AnswerEvent> => {
    const profile = profiles[request.options.profile ?? 'sonar'];
    const call = { ...shared, path: paths.chat, body: chatBody(request, profile) };
    return streamAnswer({ ...call, interpreter: createChatInterpreter() }, signal);
  };
  const viaAgent = (request: ModelRequest, signal: AbortSignal): AsyncIterable<AnswerEvent> => {
    const profile = profiles[request.options.profile ?? 'sonar'];
    const call = { ...shared, path: paths.agent, body: agentBody(request, profile) };
    const interpreter = createAgentInterpreter(agentNotice(request.options, profile));
    return streamAnswer({ ...call, interpreter }, signal);
  };

  return {
    async *answer(request, signal) {
      if (choice.forAnswers() === 'chat') {
        try {
          yield* viaChat(request, signal);
          return;
        } catch (error) {
          if (!choice.learn(error)) throw error;
        }
      }
      yield* viaAgent(request, signal);
    },
  };
}
