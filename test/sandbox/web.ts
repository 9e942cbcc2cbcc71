import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { z } from 'zod';
import { action, perform, type Stage } from './actions.ts';
import type { Changes } from './changes.ts';
import { discordFile } from './discord-side.ts';
import { slackFile } from './slack-side.ts';
import type { StateFeed } from './state-feed.ts';

export interface Web {
  readonly port: number;
  close(): Promise<void>;
}

const PAGE = join(import.meta.dirname, 'page');
const FILES: ReadonlySet<string> = new Set(readdirSync(PAGE));
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};
const MOST_BYTES = 100_000;
/** A page that takes in its changes too slowly is cut off; it comes back by itself and gets the whole state. */
const MOST_UNSENT = 8_000_000;
const KEEP_ALIVE_MS = 15_000;
const PORTS_TRIED = 20;

/** Serves the page on 127.0.0.1: on `port`, or the next free one. */
export async function startWeb(port: number, feed: StateFeed, stage: Stage): Promise<Web> {
  const server = createServer((request, response) => {
    answer(request, response, feed, stage).catch((error: unknown) => refuse(response, 500, String(error)));
  });
  const found = await listen(server, port, port === 0 ? 0 : PORTS_TRIED);
  return {
    port: found,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function listen(server: Server, port: number, triesLeft: number): Promise<number> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (error) {
    const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    if (!isTaken || triesLeft === 0) throw error;
    return listen(server, port + 1, triesLeft - 1);
  }
  return (server.address() as AddressInfo).port; // a TCP server that listens
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  feed: StateFeed,
  stage: Stage,
): Promise<void> {
  if (!isFromOurPage(request)) return refuse(response, 403, 'This address is for the page itself only.');
  const path = new URL(request.url ?? '/', 'http://page').pathname;
  if (request.method === 'POST') {
    if (path !== '/api/do') return refuse(response, 404, 'There is nothing here.');
    return act(request, response, stage);
  }
  if (request.method !== 'GET') return refuse(response, 405, 'GET or POST.');
  if (path === '/api/state') return sendJson(response, 200, feed.state());
  if (path === '/api/changes') return sendChanges(response, feed);
  if (path.startsWith('/api/file/')) return sendFile(response, path, stage);
  const file = path === '/' ? 'index.html' : path.slice(1);
  if (!FILES.has(file)) return refuse(response, 404, 'There is nothing here.');
  response.writeHead(200, { ...HEADERS, 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
  response.end(await readFile(join(PAGE, file)));
}

/** Any web page can send requests to 127.0.0.1, under any host name it makes point there: both are told by these headers. */
function isFromOurPage({ headers, socket }: IncomingMessage): boolean {
  const { host = '', origin } = headers;
  const isOurHost = [`127.0.0.1:${socket.localPort}`, `localhost:${socket.localPort}`].includes(host);
  const site = headers['sec-fetch-site'] ?? 'none';
  return isOurHost && (origin === undefined || origin === `http://${host}`) && site !== 'cross-site';
}

async function act(request: IncomingMessage, response: ServerResponse, stage: Stage): Promise<void> {
  if (!request.headers['content-type']?.startsWith('application/json'))
    return refuse(response, 415, 'Send JSON.');
  const body = await readBody(request);
  if (body === null) return refuse(response, 413, 'That is too long.');
  const parsed = action.safeParse(body);
  if (!parsed.success) return refuse(response, 400, z.prettifyError(parsed.error));
  let id: string | null;
  try {
    id = perform(stage, parsed.data);
  } catch (error) {
    return refuse(response, 409, error instanceof Error ? error.message : String(error));
  }
  sendJson(response, 200, { id });
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    chunks.push(chunk as Buffer); // a request without an encoding set yields Buffers
    size += (chunk as Buffer).length;
    if (size > MOST_BYTES) return null;
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined; // no action either, and answered as such
  }
}

function sendChanges(response: ServerResponse, feed: StateFeed): void {
  response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' });
  const send = (event: 'state' | 'changes', data: object): void => {
    response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    if (response.writableLength > MOST_UNSENT) response.destroy();
  };
  send('state', feed.state());
  const end = feed.subscribe((changes: Changes) => send('changes', changes));
  const beat = setInterval(() => response.write(': still here\n\n'), KEEP_ALIVE_MS);
  response.on('close', () => {
    clearInterval(beat);
    end();
  });
}

/** What the service attached to a message: text, never anything a browser would run. */
function sendFile(response: ServerResponse, path: string, { slack, discord }: Stage): void {
  const [, platform, id = ''] = /^\/api\/file\/(slack|discord)\/(\w+)$/.exec(path) ?? [];
  const text = platform === 'slack' ? slackFile(slack, id) : platform ? discordFile(discord, id) : null;
  if (text === null) return refuse(response, 404, 'There is no such file.');
  response.writeHead(200, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' });
  response.end(text);
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { ...HEADERS, 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function refuse(response: ServerResponse, status: number, error: string): void {
  if (response.headersSent) response.destroy();
  else sendJson(response, status, { error });
}
