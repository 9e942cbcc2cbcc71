/** Socket Mode's connections: tickets, hello, pings, refreshes, at most ten at a time. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import type { DisconnectReason } from './types.ts';
import { BOT } from './world.ts';

const MOST_SOCKETS = 10;
const PING_MS = 10_000;
/** How long after its disconnect frame a socket is closed from this side, if the client has not done so. */
const CLOSE_AFTER_MS: Readonly<Record<DisconnectReason, number>> = {
  warning: 10_000,
  refresh_requested: 500,
  link_disabled: 100,
  too_many_websockets: 100,
};

export interface SocketListeners {
  /** A socket has said hello and takes payloads. */
  opened(): void;
  closed(socket: WebSocket): void;
  /** A parsed frame from the client; anything that is not JSON is dropped, as Slack does. */
  received(frame: unknown): void;
}

export interface Sockets {
  /** The URL of a new connection, good for one use. `host` may name a port. */
  link(host: string): string;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** A random open socket, not `except` if there is another; sockets about to be closed only when there is no other. */
  pick(except?: WebSocket | null): WebSocket | null;
  open(): readonly WebSocket[];
  disconnect(reason: DisconnectReason, which: 'oldest' | 'all'): void;
  drop(): void;
  refuse(count: number): void;
  close(): void;
}

export function createSockets(listeners: SocketListeners, random: () => number): Sockets {
  const server = new WebSocketServer({ noServer: true });
  const tickets = new Set<string>();
  const leaving = new Set<WebSocket>();
  const timers = new Set<NodeJS.Timeout>();
  let live: WebSocket[] = [];
  let toRefuse = 0;

  const isOpen = (socket: WebSocket): boolean => socket.readyState === WebSocket.OPEN;
  const later = (ms: number, run: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      run();
    }, ms);
    timers.add(timer);
  };
  const leave = (socket: WebSocket, reason: DisconnectReason): void => {
    leaving.add(socket);
    socket.send(JSON.stringify({ type: 'disconnect', reason, debug_info: { host: HOST } }));
    later(CLOSE_AFTER_MS[reason], () => socket.close());
  };
  const welcome = (socket: WebSocket): void => {
    const ping = setInterval(() => socket.ping(`Ping from ${HOST}`), PING_MS);
    socket.on('error', () => socket.terminate());
    socket.on('message', (data) => listeners.received(parse(Buffer.isBuffer(data) ? data.toString() : '')));
    socket.on('close', () => {
      clearInterval(ping);
      live = live.filter((other) => other !== socket);
      leaving.delete(socket);
      listeners.closed(socket);
    });
    if (live.length >= MOST_SOCKETS) return leave(socket, 'too_many_websockets');
    live.push(socket);
    socket.send(JSON.stringify(hello(live.length)));
    listeners.opened();
  };

  return {
    link(host) {
      const ticket = randomUUID();
      tickets.add(ticket);
      return `ws://${host}/link/?ticket=${ticket}&app_id=${BOT.app}`;
    },
    upgrade(request, socket, head) {
      const url = new URL(request.url ?? '/', 'http://localhost');
      const known = url.pathname === '/link/' && tickets.delete(url.searchParams.get('ticket') ?? '');
      if (toRefuse > 0 || !known) {
        toRefuse = Math.max(0, toRefuse - 1);
        socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
        return;
      }
      server.handleUpgrade(request, socket, head, welcome);
    },
    pick(except) {
      const open = live.filter(isOpen);
      const staying = open.filter((socket) => !leaving.has(socket));
      const candidates = staying.length > 0 ? staying : open;
      const others = candidates.filter((socket) => socket !== except);
      const from = others.length > 0 ? others : candidates;
      return from[Math.floor(random() * from.length)] ?? null;
    },
    open: () => live.filter(isOpen),
    disconnect(reason, which) {
      const staying = live.filter((socket) => isOpen(socket) && !leaving.has(socket));
      for (const socket of which === 'all' ? staying : staying.slice(0, 1)) leave(socket, reason);
    },
    drop() {
      for (const socket of live) socket.terminate();
    },
    refuse(count) {
      toRefuse = count;
    },
    close() {
      for (const timer of timers) clearTimeout(timer);
      for (const socket of server.clients) socket.terminate();
      server.close();
    },
  };
}

const HOST = 'applink-stand-in';

function hello(connections: number): object {
  return {
    type: 'hello',
    num_connections: connections,
    debug_info: { host: HOST, build_number: 1, approximate_connection_time: 18060 },
    connection_info: { app_id: BOT.app },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
