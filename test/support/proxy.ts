/** A forward proxy on loopback, as companies put between their machines and the internet. */
import { createServer, type IncomingMessage, request as sendRequest } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export interface Proxy {
  /** For `HTTP_PROXY` and `HTTPS_PROXY`. */
  readonly url: string;
  /** What it was asked for, as `host:port`, oldest first: a tunnel (CONNECT) or a request in absolute form. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** What `resolve` returns for a tunnel whose connection the proxy closes without an answer. */
export const CLOSED = 'closed.invalid:80';

export interface ProxyOptions {
  /** Where a `host:port` leads to; for names that only the proxy knows. By default to itself. */
  readonly resolve?: (authority: string) => string;
}

/** Starts it; it speaks plain HTTP/1.1 and takes `CONNECT`, requests in absolute form, and upgrades of those. */
export async function startProxy({ resolve = (authority) => authority }: ProxyOptions = {}): Promise<Proxy> {
  const asked: string[] = [];
  const open = new Set<Duplex>();
  const keep = (socket: Duplex): void => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  };
  const targetOf = (authority: string): { host: string; port: number } => {
    asked.push(authority);
    const { hostname, port } = new URL(`http://${resolve(authority)}`);
    return { host: hostname, port: Number(port || 80) };
  };
  const server = createServer((request, response) => {
    const { host, path } = absolute(request);
    const { method, headers } = request;
    const forwarded = sendRequest({ ...targetOf(host), path, method, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    forwarded.on('error', () => response.destroy());
    request.pipe(forwarded);
  });
  server.on('connection', keep);
  server.on('connect', ({ url = '' }: IncomingMessage, near: Duplex, head: Buffer) => {
    const { host, port } = targetOf(url);
    if (`${host}:${port}` === CLOSED) {
      near.destroy();
      return;
    }
    let isJoined = false;
    const far = connect(port, host, () => {
      isJoined = true;
      near.write('HTTP/1.1 200 Connection established\r\n\r\n');
      join(near, far, head);
    });
    keep(far);
    far.on('error', () => (isJoined ? near.destroy() : near.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')));
    near.on('error', () => far.destroy());
  });
  server.on('upgrade', (request: IncomingMessage, near: Duplex, head: Buffer) => {
    const { host, path } = absolute(request);
    const target = targetOf(host);
    const far = connect(target.port, target.host, () => {
      const lines = pairs(request.rawHeaders).map(([name, value]) => `${name}: ${value}`);
      far.write([`${request.method} ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n'));
      join(near, far, head);
    });
    keep(far);
    far.on('error', () => near.destroy());
    near.on('error', () => far.destroy());
  });
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  const { port } = server.address() as AddressInfo; // a TCP server that listens
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        for (const socket of open) socket.destroy();
      }),
  };
}

function join(near: Duplex, far: Socket, head: Buffer): void {
  if (head.length > 0) far.write(head);
  far.pipe(near).pipe(far);
}

/** What a request in absolute form (`GET http://host/path`) is for. */
function absolute({ url = '' }: IncomingMessage): { host: string; path: string } {
  const { host, pathname, search } = new URL(url);
  return { host, path: `${pathname}${search}` };
}

function pairs(raw: readonly string[]): [string, string][] {
  return raw.flatMap((name, i) => (i % 2 === 0 ? [[name, raw[i + 1] ?? '']] : []));
}
