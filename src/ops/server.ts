import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Registry } from 'prom-client';
import { sleep } from '../core/concurrency.ts';

export interface OpsOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly registry: Pick<Registry, 'contentType' | 'metrics'>;
  /** Asked with every request; its functions may be replaced while the service runs. */
  readonly status: Status;
}

interface Status {
  /** What keeps the service from being ready, one reason each; empty when it is. */
  readonly unready: () => Promise<readonly string[]>;
  /** What is wrong though it is ready. */
  readonly notes: () => readonly string[];
  /** What `/research` shows: every research job, without a word that anybody wrote. */
  readonly research: () => Promise<readonly object[]>;
}

export interface OpsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** How one Footnote recognises another: the `Server` header of every response. */
const SERVER = 'footnote';
const PROBE_MS = 1_000;
/** How long a process that is about to end may still listen on the address. */
const PATIENCE_MS = 4_000;
const LOOK_MS = 100;

/** Another Footnote, which may be about to end, listens on the same address. */
export class AddressInUse extends Error {}

/**
 * `/healthz` (the process lives), `/readyz` (it can take and answer questions), `/metrics`, and `/research` (for `npm run
 * jobs`; from this machine only).
 * @throws {AddressInUse} when another Footnote listens there and does not end within some seconds, else the listen error
 *   (EADDRINUSE, EACCES).
 */
export async function startOpsServer({ host, port, registry, status }: OpsOptions): Promise<OpsServer> {
  const respond = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    // Not by `new URL`, which throws for a request target such as `//`.
    const [path] = (incoming.url ?? '').split('?', 1);
    if (path === '/healthz') return send(response, 200, 'text/plain', 'ok\n');
    if (path === '/metrics') return send(response, 200, registry.contentType, await registry.metrics());
    if (path === '/research' && isLocal(incoming)) {
      return send(response, 200, 'application/json', JSON.stringify(await status.research()));
    }
    if (path !== '/readyz') return send(response, 404, 'text/plain', 'not found\n');
    const reasons = await status.unready();
    const isReady = reasons.length === 0;
    const lines = [...(isReady ? ['ready'] : reasons), ...status.notes()];
    return send(response, isReady ? 200 : 503, 'text/plain', `${lines.join('\n')}\n`);
  };
  const server = createServer((incoming, response) => {
    respond(incoming, response).catch(() => send(response, 500, 'text/plain', 'failed\n'));
  });
  await listenPatiently(server, { host, port });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server.close(), 'close');
      server.closeAllConnections();
      await closed;
    },
  };
}

async function listenPatiently(server: Server, address: Pick<OpsOptions, 'host' | 'port'>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  let isFootnote = false;
  for (;;) {
    try {
      await once(server.listen(address.port, address.host), 'listening');
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
      // One that is ending may be gone before it answers.
      isFootnote ||= (await askFootnote(address, '/healthz', PROBE_MS)) !== null;
      if (performance.now() > deadline) throw isFootnote ? new AddressInUse() : error;
    }
    await sleep(LOOK_MS);
  }
}

/** Asked from this machine, and by its own name: a page in a browser here cannot have got that far under another one. */
function isLocal({ socket, headers }: IncomingMessage): boolean {
  const host = (headers.host ?? '').replace(/:\d+$/, '');
  const isLoopback = /^(?:::ffff:)?127\.|^::1$/.test(socket.remoteAddress ?? '');
  return isLoopback && /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(host);
}

/**
 * Asks the Footnote that listens on this address. Resolves with the body of its answer; with null when nothing answers there
 * within `withinMs`, when it is something else, or when the status is not 200.
 */
export async function askFootnote(
  { host, port }: Pick<OpsOptions, 'host' | 'port'>,
  path: string,
  withinMs: number,
): Promise<string | null> {
  const isAny = host === '0.0.0.0' || host === '::';
  const signal = AbortSignal.timeout(withinMs);
  // Without an agent it goes past the proxies of the environment.
  const sent = request({ host: isAny ? '127.0.0.1' : host, port, path, agent: false, signal }).end();
  try {
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]; // what the event carries
    const body = await text(answer);
    return answer.statusCode === 200 && answer.headers.server === SERVER ? body : null;
  } catch {
    return null;
  }
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  if (!response.headersSent) response.writeHead(status, { 'content-type': type, server: SERVER });
  response.end(body);
}
