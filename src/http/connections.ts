import { connect as connectPlain, isIP, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectSecure } from 'node:tls';

/** Told what happens on a connection while it is somebody's. */
export interface Receiver {
  /** Bytes have come. They are overwritten as soon as this returns. */
  received(bytes: Buffer): void;
  /** The connection has ended, by an error or in order (null). Nothing follows. */
  ended(error: Error | null): void;
}

/** A connection that carries one request at a time. */
interface Connection {
  send(text: string): void;
  /** Stops reading until `resume`: the system gathers what comes, and it is one read then. */
  pause(): void;
  resume(): void;
  /** Gives it back, to be used again for so many milliseconds; its receiver hears of it no more. */
  release(keptMs: number): void;
  /** Ends it at once. Its receiver is told, as when it ends by itself. */
  destroy(): void;
}

/** Connections, as many as there are requests at once; those given back are used again. */
export interface Connections {
  /** A connection to the host of an address. What goes wrong while it is made is told to the receiver, later. */
  open(address: URL, receiver: Receiver): Connection;
}

interface Line {
  readonly origin: string;
  readonly socket: Socket;
  /** Null while nobody uses it. */
  receiver: Receiver | null;
}

export function createConnections(): Connections {
  const idle = createIdleLines();
  // With these a host is greeted in one round trip less.
  const sessions = new Map<string, Buffer>();

  const connectTo = (address: URL): Line => {
    const { origin } = address;
    const socket = connect(address, { buffer: RECEIVED, callback: read }, sessions.get(origin));
    const line: Line = { origin, socket, receiver: null };
    function read(length: number, bytes: Uint8Array): boolean {
      // What comes while nobody uses it is no answer to anything.
      if (line.receiver) line.receiver.received(Buffer.from(bytes.buffer, bytes.byteOffset, length));
      else socket.destroy();
      return true;
    }
    let failure: Error | null = null;
    socket.on('error', (error) => {
      failure = error;
    });
    // Nothing more will be answered: what is still to be sent is not waited for.
    socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      idle.forget(line);
      line.receiver?.ended(failure);
      line.receiver = null;
    });
    socket.on('session', (session: Buffer) => sessions.set(origin, session));
    return line;
  };

  return {
    open(address, receiver) {
      const line = idle.take(address.origin) ?? connectTo(address);
      line.receiver = receiver;
      const { socket } = line;
      return {
        send: (text) => void socket.write(text),
        pause: () => void socket.pause(),
        resume: () => void socket.resume(),
        release(keptMs) {
          line.receiver = null;
          // TLS hands on what it has decrypted, the end of a response included, although it was paused.
          socket.resume();
          // What has not been sent would stand in front of the next request.
          if (keptMs > 0 && socket.writableLength === 0) setImmediate(() => idle.add(line, keptMs));
          else socket.destroy();
        },
        destroy: () => void socket.destroy(),
      };
    },
  };
}

/** To one host; those beyond are not worth their memory. */
const MOST_IDLE = 256;

/** Connections that nobody uses. Each ends when its time is up. */
function createIdleLines() {
  const lines = new Map<string, Map<Line, NodeJS.Timeout>>();
  const forget = (line: Line): void => {
    clearTimeout(lines.get(line.origin)?.get(line));
    lines.get(line.origin)?.delete(line);
  };
  return {
    forget,
    /** The one that was given back first. */
    take(origin: string): Line | null {
      for (const line of lines.get(origin)?.keys() ?? []) {
        forget(line);
        // Whose end has begun is told of only later.
        if (!line.socket.writable) continue;
        line.socket.ref();
        return line;
      }
      return null;
    },
    /** A turn after its response: until then the other side may have said that it closes it, unannounced. */
    add(line: Line, keptMs: number): void {
      if (!line.socket.writable) return;
      const others = lines.get(line.origin) ?? new Map<Line, NodeJS.Timeout>();
      lines.set(line.origin, others);
      if (others.size >= MOST_IDLE) {
        line.socket.destroy();
        return;
      }
      others.set(line, setTimeout(() => line.socket.destroy(), keptMs).unref());
      // It does not keep the process from ending.
      line.socket.unref();
    },
  };
}

/** What all connections are read into. A buffer for each read, as sockets have it by themselves, costs more than the read. */
const RECEIVED = Buffer.allocUnsafeSlow(65_536);

/** When TCP looks whether the other side is still there: one that vanishes without a word is noticed. */
const PROBE_AFTER_MS = 60_000;

function connect(address: URL, onread: OnReadOpts, session: Buffer | undefined): Socket {
  // An IPv6 address stands in brackets.
  const host = address.hostname.replace(/^\[(.*)\]$/, '$1');
  const isSecure = address.protocol === 'https:';
  const options = {
    host,
    port: Number(address.port) || (isSecure ? 443 : 80),
    onread,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: PROBE_AFTER_MS,
  };
  if (!isSecure) return connectPlain(options);
  const name = isIP(host) === 0 ? { servername: host } : {};
  return connectSecure({ ...options, ...name, ...(session && { session }), ALPNProtocols: ['http/1.1'] });
}
