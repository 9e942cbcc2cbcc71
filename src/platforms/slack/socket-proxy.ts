/** The way through a proxy for Slack's sockets. Node takes the proxies of its environment for `fetch`, not for sockets. */
import { globalAgent } from 'node:https';
import { type Dispatcher, EnvHttpProxyAgent, Pool } from 'undici';

/** Node was told to use the proxies of its environment (`NODE_USE_ENV_PROXY=1`). */
export function usesProxies(): boolean {
  return globalAgent.options.proxyEnv !== undefined;
}

/** Creates the dispatcher for one socket. `onFailure` is told what the proxy did where it opened no tunnel. */
export function createProxyAgent(onFailure: (what: string) => void): Dispatcher {
  return new EnvHttpProxyAgent({
    clientFactory: (origin, options) => withFailures(new Pool(origin, options), onFailure),
  });
}

type Connect = (this: Pool, options: Dispatcher.ConnectOptions) => Promise<Dispatcher.ConnectData>;

/**
 * undici 7.30.2 takes a proxy that closes the connection on CONNECT, by the error's code, for an idle connection that has
 * ended, and connects again at once, for ever. An error without that code fails the request.
 */
function withFailures(pool: Pool, onFailure: (what: string) => void): Pool {
  const openTunnel: Connect = pool.connect;
  const connect = async (options: Dispatcher.ConnectOptions): Promise<Dispatcher.ConnectData> => {
    try {
      const tunnel = await openTunnel.call(pool, options);
      if (tunnel.statusCode !== 200) onFailure(`the proxy answered ${tunnel.statusCode}`);
      return tunnel;
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      onFailure(`the proxy could not be used: ${what}`);
      throw new Error(what, { cause: error });
    }
  };
  return Object.assign(pool, { connect });
}
