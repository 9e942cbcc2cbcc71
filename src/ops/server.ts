import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface OpsOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** What keeps the service from being ready, one reason each; empty when it is. */
  readonly unready: () => Promise<readonly string[]>;
  readonly metrics: () => Promise<Exposition>;
}

/** What a scraper reads. */
export interface Exposition {
  /** Its content type. */
  readonly type: string;
  readonly text: string;
}

export interface OpsServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * `/healthz` (the process lives), `/readyz` (it can take and answer questions) and `/metrics`.
 * @throws the listen error (EADDRINUSE, EACCES).
 */
export async function startOpsServer({ host, port, unready, metrics }: OpsOptions): Promise<OpsServer> {
  const server = createServer((request, response) => {
    // Not by `new URL`, which throws for a request target such as `//`.
    const [path = ''] = (request.url ?? '').split('?', 1);
    respond(path, response).catch(() => send(response, 500, 'text/plain', 'failed\n'));
  });
  const respond = async (path: string, response: ServerResponse): Promise<void> => {
    if (path === '/healthz') return send(response, 200, 'text/plain', 'ok\n');
    if (path === '/metrics') {
      const { type, text } = await metrics();
      return send(response, 200, type, text);
    }
    if (path !== '/readyz') return send(response, 404, 'text/plain', 'not found\n');
    const reasons = await unready();
    return send(
      response,
      reasons.length === 0 ? 200 : 503,
      'text/plain',
      `${reasons.join('\n') || 'ready'}\n`,
    );
  };
  await listen(server, port, host);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  if (!response.headersSent) response.writeHead(status, { 'content-type': type });
  response.end(body);
}
