import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import type { LimitMode } from './limits.ts';
import { guildPayload, userPayload } from './payloads.ts';
import type { Json } from './state.ts';
import { type Dispatch, findChannel, Intents, may, type World } from './world.ts';

interface Session {
  readonly id: string;
  readonly shard: number;
  readonly intents: number;
  seq: number;
  events: { readonly s: number; readonly text: string }[];
  socket: WebSocket | null;
  /** When the socket went; the session outlives it for a few minutes. */
  lostAt: number | null;
}

/** Who sits on one connection, and what it has sent. */
interface Connection {
  readonly socket: WebSocket;
  session: Session | null;
  sentAt: number[];
  isSilent: boolean;
}

/** The test's hands on the gateway. */
export interface GatewayControl {
  /** Sessions with an open socket. */
  sessions(): number;
  readonly identifies: number;
  readonly resumes: number;
  /** Closes every socket with this code; 4007, 4009 and the fatal ones end the sessions as well. */
  close(code: number): void;
  /** Sends op 7 (reconnect) or 9 (invalid session; `data` says whether it can be resumed) to every socket. */
  op(code: 7 | 9, data?: boolean): void;
  /** Cuts every socket without a close frame; sessions stay resumable. */
  dropSockets(): void;
  /** Cuts the next n connection attempts before their handshake. */
  refuse(attempts: number): void;
  /** The open sockets fall silent: no acknowledgement, no event. Only a close is still answered. */
  zombie(): void;
  /** As `zombie`, and no byte is read either: the closing client waits for an answer until its own timeout (ws: 30 s). */
  blackhole(): void;
  /** Dispatches a message once more, under a new sequence number. */
  redeliver(messageId: string): void;
  /** Dispatches anything to every session. */
  dispatchRaw(t: string, d: unknown): void;
  /** Dispatches this in the next session, behind READY and before its guilds. */
  interpose(t: string, d: unknown): void;
}

export interface Gateway extends Omit<GatewayControl, 'redeliver'> {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  dispatch(event: Dispatch): void;
  stop(): void;
}

export interface GatewayOptions {
  readonly heartbeatMs: number;
  /** Enforces one IDENTIFY per 5 s and 120 frames per minute. */
  readonly limits: LimitMode;
}

const SESSION_TTL_MS = 5 * 60_000;
const MAX_EVENTS = 10_000;
const MAX_FRAME_BYTES = 4096;
const PRIVILEGED_OFF = Intents.guildMembers | Intents.guildPresences;
const KNOWN_INTENTS = 0x0331_ffff;
const ENDS_SESSION = new Set([1000, 1001, 4004, 4007, 4009, 4010, 4011, 4012, 4013, 4014]);

/** The WebSocket side: identify, dispatch, resume, and everything that can go wrong with it. */
export function createGateway(world: World, options: GatewayOptions): Gateway {
  const server = new WebSocketServer({ noServer: true });
  const sessions = new Map<string, Session>();
  const connections = new Set<Connection>();
  let identifies = 0;
  const interposed: { readonly t: string; readonly d: unknown }[] = [];
  let resumes = 0;
  let refusals = 0;
  let lastIdentifyAt = -Infinity;

  const connected = (): Session[] => [...sessions.values()].filter(({ socket }) => socket !== null);
  const send = (connection: Connection, frame: Json): void => {
    if (!connection.isSilent) connection.socket.send(JSON.stringify(frame));
  };
  const push = (session: Session, t: string, d: unknown): void => {
    session.seq += 1;
    const text = JSON.stringify({ op: 0, s: session.seq, t, d });
    session.events.push({ s: session.seq, text });
    if (session.events.length > MAX_EVENTS) session.events.shift();
    const connection = [...connections].find((other) => other.session === session);
    if (connection && !connection.isSilent && session.socket) session.socket.send(text);
  };
  const silence = (): void => {
    for (const connection of connections) connection.isSilent = true;
  };
  const forgetOldSessions = (): void => {
    const oldest = world.now() - SESSION_TTL_MS;
    for (const { id, lostAt } of sessions.values()) {
      if (lostAt !== null && lostAt < oldest) sessions.delete(id);
    }
  };

  const identify = (connection: Connection, data: Json): void => {
    if (connection.session) return connection.socket.close(4005, 'Already authenticated.');
    identifies += 1;
    const isTooSoon = options.limits !== 'off' && world.now() - lastIdentifyAt < 5000;
    if (isTooSoon) return send(connection, { op: 9, d: false });
    lastIdentifyAt = world.now();
    const refusal = refuseIdentify(world, data);
    if (refusal) return connection.socket.close(...refusal);
    const id = randomBytes(16).toString('hex');
    const intents = Number(data['intents']);
    const shard = Array.isArray(data['shard']) ? Number(data['shard'][0]) : 0;
    const { socket } = connection;
    const session: Session = { id, shard, intents, seq: 0, events: [], socket, lostAt: null };
    sessions.set(id, session);
    connection.session = session;
    push(session, 'READY', readyPayload(world, session, data));
    for (const { t, d } of interposed.splice(0)) push(session, t, d);
    if ((intents & Intents.guilds) !== 0 && isOfShard(world, session, world.state.guild.id))
      push(session, 'GUILD_CREATE', guildPayload(world));
  };

  const resume = (connection: Connection, data: Json): void => {
    forgetOldSessions();
    if (data['token'] !== world.state.token) return connection.socket.close(4004, 'Authentication failed.');
    const session = sessions.get(String(data['session_id']));
    const seq = Number(data['seq']);
    const first = session?.events[0]?.s ?? 1;
    if (!session || !Number.isInteger(seq) || seq < first - 1) return send(connection, { op: 9, d: false });
    if (seq > session.seq) return connection.socket.close(4007, 'Invalid seq.');
    resumes += 1;
    const before = [...connections].find((other) => other.session === session);
    if (before) {
      before.session = null;
      if (before.isSilent) before.socket.terminate();
      else before.socket.close(4000, 'Session resumed elsewhere.');
    }
    connection.session = session;
    session.socket = connection.socket;
    session.lostAt = null;
    for (const { s, text } of session.events) if (s > seq) connection.socket.send(text);
    send(connection, { op: 0, s: session.seq, t: 'RESUMED', d: { _trace: [] } });
  };

  const receive = (connection: Connection, raw: RawData): void => {
    if (connection.isSilent) return;
    const text = Buffer.isBuffer(raw) ? raw.toString() : '';
    if (Buffer.byteLength(text) > MAX_FRAME_BYTES)
      return connection.socket.close(4002, 'Error while decoding payload.');
    connection.sentAt = [...connection.sentAt.filter((at) => at > world.now() - 60_000), world.now()];
    if (options.limits !== 'off' && connection.sentAt.length > 120) {
      return connection.socket.close(4008, 'Rate limited.');
    }
    const frame = parseFrame(text);
    if (!frame) return connection.socket.close(4002, 'Error while decoding payload.');
    if (frame.op === 1) return send(connection, { op: 11 });
    if (frame.op === 2) return identify(connection, frame.d);
    if (frame.op === 6) return resume(connection, frame.d);
    if (!connection.session) return connection.socket.close(4003, 'Not authenticated.');
    if (![3, 4, 8, 31].includes(frame.op)) connection.socket.close(4001, 'Unknown opcode.');
  };

  const connect = (socket: WebSocket): void => {
    const connection: Connection = { socket, session: null, sentAt: [], isSilent: false };
    connections.add(connection);
    socket.on('message', (raw) => receive(connection, raw));
    // A socket error is always followed by close, which is where the session is put aside.
    socket.on('error', () => undefined);
    socket.on('close', (code) => {
      connections.delete(connection);
      const { session } = connection;
      if (!session || session.socket !== socket) return;
      session.socket = null;
      session.lostAt = world.now();
      if (code === 1000 || code === 1001) sessions.delete(session.id);
    });
    send(connection, { op: 10, d: { heartbeat_interval: options.heartbeatMs } });
  };

  return {
    upgrade(request, socket, head) {
      const isRefused = refusals > 0;
      if (isRefused) {
        refusals -= 1;
        socket.destroy();
        return;
      }
      server.handleUpgrade(request, socket, head, connect);
    },
    dispatch(event) {
      forgetOldSessions();
      const channel = event.channel === null ? undefined : findChannel(world, event.channel);
      if (channel && !may(world, channel, 'VIEW_CHANNEL')) return;
      for (const session of sessions.values()) {
        if (event.intents !== 0 && (session.intents & event.intents) === 0) continue;
        if (!isOfShard(world, session, channel?.kind === 'dm' ? null : world.state.guild.id)) continue;
        push(session, event.t, event.body((session.intents & Intents.messageContent) !== 0));
      }
    },
    sessions: () => connected().length,
    get identifies() {
      return identifies;
    },
    get resumes() {
      return resumes;
    },
    close(code) {
      for (const { socket, session } of connections) {
        if (session && ENDS_SESSION.has(code)) sessions.delete(session.id);
        socket.close(code);
      }
    },
    op(code, data = false) {
      for (const connection of connections) {
        if (code === 9 && !data && connection.session) sessions.delete(connection.session.id);
        send(connection, { op: code, d: code === 9 ? data : null });
      }
    },
    dropSockets() {
      for (const { socket } of connections) socket.terminate();
    },
    refuse(attempts) {
      refusals = attempts;
    },
    zombie: silence,
    blackhole() {
      silence();
      for (const { socket } of connections) socket.pause();
    },
    interpose: (t, d) => void interposed.push({ t, d }),
    dispatchRaw(t, d) {
      for (const session of sessions.values()) push(session, t, d);
    },
    stop() {
      for (const { socket } of connections) socket.terminate();
      server.close();
    },
  };
}

/** Why an IDENTIFY is refused: the close code and its reason. */
function refuseIdentify(world: World, data: Json): [number, string] | null {
  const intents = data['intents'];
  if (data['token'] !== world.state.token) return [4004, 'Authentication failed.'];
  if (typeof intents !== 'number' || !Number.isInteger(intents) || (intents & ~KNOWN_INTENTS) !== 0) {
    return [4013, 'Invalid intent(s).'];
  }
  const refused = world.messageContentAllowed ? PRIVILEGED_OFF : PRIVILEGED_OFF | Intents.messageContent;
  if ((intents & refused) !== 0) return [4014, 'Disallowed intent(s).'];
  const shard = data['shard'];
  if (shard === undefined && world.shards === 1) return null;
  const isShard = Array.isArray(shard) && shard[1] === world.shards && shard[0] < world.shards;
  return isShard ? null : [4010, 'Invalid shard.'];
}

/** Whether a session is sent the events of a guild; null: of direct messages. */
function isOfShard({ shards }: World, { shard }: Session, guild: string | null): boolean {
  return shard === (guild === null ? 0 : Number((BigInt(guild) >> 22n) % BigInt(shards)));
}

function readyPayload(world: World, session: Session, data: Json): Json {
  const { applicationId, botUser, guild } = world.state;
  return {
    v: 10,
    user: { ...userPayload(botUser), verified: true, mfa_enabled: false, email: null, flags: 0 },
    guilds: isOfShard(world, session, guild.id) ? [{ id: guild.id, unavailable: true }] : [],
    session_id: session.id,
    resume_gateway_url: world.gatewayUrl(),
    ...(data['shard'] === undefined ? {} : { shard: data['shard'] }),
    application: { id: applicationId, flags: applicationFlags(world) },
    private_channels: [],
  };
}

/** GATEWAY_MESSAGE_CONTENT_LIMITED when the portal's switch is on. */
export function applicationFlags(world: World): number {
  return world.messageContentAllowed ? 1 << 19 : 0;
}

function parseFrame(text: string): { readonly op: number; readonly d: Json } | null {
  try {
    const frame: unknown = JSON.parse(text);
    if (typeof frame !== 'object' || frame === null || !('op' in frame) || typeof frame.op !== 'number')
      return null;
    const d = 'd' in frame && typeof frame.d === 'object' && frame.d !== null ? frame.d : {};
    return { op: frame.op, d: d as Json };
  } catch {
    return null;
  }
}
