import { globalAgent } from 'node:https';
import { isEventStream, type Streaming } from './streaming-fetch.ts';

/** Node was told to find its way through proxies (NODE_USE_ENV_PROXY=1 or `--use-env-proxy`): its own fetch does that. */
export function usesProxies(): boolean {
  return globalAgent.options.proxyEnv !== undefined;
}

/** As `createStreamingFetch`, through proxies; nothing gathers while a stream is paused. */
export function createProxiedFetch(): Streaming {
  return {
    fetch: (url, init) => fetch(url, { ...init, redirect: 'manual' }),
    streamOf({ status, headers, body }) {
      if (body === null || !isEventStream(status, headers.get('content-type'))) return null;
      const reader = body.pipeThrough(new TextDecoderStream()).getReader();
      return {
        read: async () => (await reader.read()).value ?? null,
        pause: () => undefined,
      };
    },
  };
}
