import http from 'node:http';
import https from 'node:https';

/**
 * Sends WebSockets through Node's own agents, which know the proxies of the environment (`NODE_USE_ENV_PROXY=1`); without those
 * it does nothing. @discordjs/ws 1.2.3 gives its sockets no agent and has no option for one, and ws 8.23 then connects by itself.
 * To be removed when discord.js takes an agent for its gateway.
 */
export function sendSocketsThroughProxy(): void {
  if (isDone || https.globalAgent.options.proxyEnv === undefined) return;
  isDone = true;
  for (const protocol of [http, https]) {
    const send = protocol.request as (options: unknown, ...rest: unknown[]) => http.ClientRequest;
    const request: typeof send = (options, ...rest) =>
      send(isUnguidedSocket(options) ? { ...options, agent: protocol.globalAgent } : options, ...rest);
    Object.assign(protocol, { request });
  }
}

let isDone = false;

/** A request of ws for a WebSocket, with a way to connect of its own and no agent. */
function isUnguidedSocket(options: unknown): options is http.RequestOptions {
  if (typeof options !== 'object' || options === null || options instanceof URL) return false;
  const { agent, createConnection, headers }: http.RequestOptions = options;
  const isSocket = headers !== undefined && 'Upgrade' in headers && headers.Upgrade === 'websocket';
  return isSocket && agent === undefined && createConnection !== undefined;
}
