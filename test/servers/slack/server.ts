/**
 * A stand-in for Slack on loopback: Web API and Socket Mode for the real SDKs, Slack's checks and limits, injected faults,
 * and a record of everything a test or a person wants to see.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Context } from './context.ts';
import { createDeliveries, type Deliveries } from './deliveries.ts';
import { answerDownload } from './downloads.ts';
import { createFaults } from './faults.ts';
import { createFiles } from './files.ts';
import { createLimits } from './limits.ts';
import { createPeople, type People } from './people.ts';
import { createPosting, type Posting } from './posting.ts';
import { answerResponse } from './response-urls.ts';
import { createResponses } from './responses.ts';
import { createSockets, type Sockets } from './sockets.ts';
import { currentStatus } from './status.ts';
import { createStore, visible } from './store.ts';
import type {
  Channel,
  DisconnectReason,
  Ephemeral,
  Fault,
  Person,
  RecordedCall,
  SlackServerOptions,
  SlackState,
  StatusRecord,
  Unacked,
  VisibleMessage,
} from './types.ts';
import { answerUpload } from './uploads.ts';
import { answerCall, type WebApi } from './web-api.ts';
import { addCrowd, BOT, CHANNELS, PEOPLE, TEAM } from './world.ts';

export interface SlackServer extends People, Posting {
  /** `http://127.0.0.1:PORT/api/`, what `SLACK_API_URL` is set to. */
  readonly apiUrl: string;
  readonly botToken: string;
  readonly appToken: string;
  readonly team: string;
  /** The bot's user id, as in `<@U…>`. */
  readonly botUser: string;
  readonly botId: string;
  readonly appId: string;
  /** ada, grace and linus of this workspace; otto of another one (Slack Connect). */
  readonly people: readonly Person[];
  /** general, random, partners (shared with otto), old-news (archived), without-bot, and a DM per person. */
  readonly channels: readonly Channel[];
  /** What a person sees in a channel, thread replies included, oldest first; or of one thread, root included. */
  history(channel: string, threadTs?: string): readonly VisibleMessage[];
  readonly ephemerals: readonly Ephemeral[];
  /** Every status ever set, in order. */
  readonly statuses: readonly StatusRecord[];
  /** The status line that stands under a thread now; empty for none. */
  status(channel: string, threadTs: string): string;
  /** Every Web API call and post to a response_url, in order of arrival. */
  readonly calls: readonly RecordedCall[];
  /**
   * Injects a fault into the next `times` (default 1) calls of a method; `*` for any, `response_url` and `upload_url` for those posts.
   * `every`: only into each third (3) of them.
   */
  fault(method: string, fault: Fault, times?: number, every?: number): void;
  clearFaults(): void;
  /** Sends an event again: by event id, by a message's `ts` (all events about it), or `last`. Attempt 1 by default. */
  redeliver(
    id: string,
    options?: { readonly retryAttempt?: number; readonly sockets?: 'other' | 'all' },
  ): void;
  /** Sends any frame to one socket: a string as it is, anything else as JSON. */
  deliverRaw(frame: unknown): void;
  /** Sends a disconnect frame, to the oldest socket by default (`link_disabled`: to all), and closes soon after. */
  disconnect(reason: DisconnectReason, which?: 'oldest' | 'all'): void;
  /** Cuts every socket without a closing handshake. */
  dropSockets(): void;
  /** Refuses the next `count` socket connections. */
  refuseSockets(count: number): void;
  /** How many sockets have said hello and are open. */
  sockets(): number;
  /** Sent and not acknowledged, or kept for want of a socket. */
  unacked(): readonly Unacked[];
  /** Ids of all envelopes acknowledged so far, in order. */
  readonly acknowledged: readonly string[];
  /** Whether unacknowledged events are sent again by themselves. */
  autoRetry: boolean;
  /** Calls `listener` after every visible change; returns what ends that. */
  onChange(listener: () => void): () => void;
  /** Plain JSON; `startSlackServer({ state })` continues the conversations. */
  snapshot(): SlackState;
  close(): Promise<void>;
}

const STREAM_MAX_AGE_MS = 300_000;

/** Starts on 127.0.0.1, on a free port unless one is given. */
export async function startSlackServer(options: SlackServerOptions = {}): Promise<SlackServer> {
  if (options.crowd) addCrowd(options.crowd);
  const http = createServer();
  http.listen(options.port ?? 0, '127.0.0.1');
  await once(http, 'listening');
  const port = (http.address() as AddressInfo).port; // a TCP server that listens
  const { context, sockets, api } = assemble(options, port);
  http.on('request', (request, response) => void route(api, request, response));
  http.on('upgrade', (request, socket, head) => sockets.upgrade(request, socket, head));
  const { store, deliveries } = context;

  return {
    ...createPeople(context),
    ...createPosting(context),
    ...socketControls(sockets, deliveries),
    apiUrl: `http://127.0.0.1:${port}/api/`,
    botToken: api.botToken,
    appToken: api.appToken,
    team: TEAM.id,
    botUser: BOT.user,
    botId: BOT.id,
    appId: BOT.app,
    people: PEOPLE,
    channels: CHANNELS,
    history: (channel, threadTs) =>
      store.messages
        .filter((one) => one.channel === channel && !one.tombstone)
        .filter((one) => threadTs === undefined || one.ts === threadTs || one.threadTs === threadTs)
        .map((one) => visible(one, context.streamMaxAgeMs, Date.now())),
    ephemerals: store.ephemerals,
    statuses: store.statuses,
    status: (channel, threadTs) => currentStatus(context, channel, threadTs, Date.now()),
    calls: api.calls,
    fault: (method, fault, times = 1, every = 1) => api.faults.add(method, fault, times, every),
    clearFaults: () => api.faults.clear(),
    get autoRetry() {
      return deliveries.autoRetry;
    },
    set autoRetry(value) {
      deliveries.autoRetry = value;
    },
    onChange: (listener) => store.onChange(listener),
    snapshot: () => store.snapshot(),
    close: () => close(http, sockets, deliveries),
  };
}

function assemble(options: SlackServerOptions, port: number) {
  const random = options.random ?? Math.random;
  const sockets = createSockets(
    {
      opened: () => deliveries.flush(),
      closed: (socket) => deliveries.lost(socket),
      received: (frame) => deliveries.received(frame),
    },
    random,
  );
  const deliveries = createDeliveries(sockets, {
    autoRetry: options.autoRetry ?? true,
    retryScale: options.retryScale ?? 1,
  });
  const context: Context = {
    store: createStore(options.state),
    deliveries,
    responses: createResponses(),
    files: createFiles(),
    streamMaxAgeMs: options.streamMaxAgeMs ?? STREAM_MAX_AGE_MS,
    random,
    origin: `http://127.0.0.1:${port}`,
    socketLink: () => sockets.link(options.socketHost ?? `127.0.0.1:${port}`),
  };
  const api: WebApi = {
    context,
    faults: createFaults(),
    limits: createLimits(options.limits ?? 'off'),
    calls: [],
    botToken: options.botToken ?? 'xoxb-0000000000-stand-in',
    appToken: options.appToken ?? 'xapp-1-A0FOOTNOTE-stand-in',
    latencyMs: options.latencyMs ?? 0,
    scopes: options.scopes ?? null,
  };
  return { context, sockets, api };
}

function socketControls(sockets: Sockets, deliveries: Deliveries) {
  return {
    redeliver(id: string, { retryAttempt = 1, sockets: to = 'other' }: Redelivery = {}): void {
      deliveries.redeliver(id === 'last' ? (deliveries.lastId() ?? '') : id, retryAttempt, to);
    },
    deliverRaw: (frame: unknown): void =>
      sockets.pick()?.send(typeof frame === 'string' ? frame : JSON.stringify(frame)),
    disconnect: (reason: DisconnectReason, which: 'oldest' | 'all' = 'oldest'): void =>
      sockets.disconnect(reason, reason === 'link_disabled' ? 'all' : which),
    dropSockets: (): void => sockets.drop(),
    refuseSockets: (count: number): void => sockets.refuse(count),
    sockets: (): number => sockets.open().length,
    unacked: () => deliveries.unacked(),
    acknowledged: deliveries.acknowledged,
  };
}

interface Redelivery {
  readonly retryAttempt?: number;
  readonly sockets?: 'other' | 'all';
}

async function route(api: WebApi, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const path = request.url ?? '/';
    if (path.startsWith('/api/')) return await answerCall(api, request, response);
    if (path.startsWith('/response/')) return await answerResponse(api, request, response);
    if (path.startsWith('/upload/')) return await answerUpload(api, request, response);
    if (path.startsWith('/files-pri/')) return answerDownload(api, request, response);
    response.writeHead(404).end();
  } catch {
    // The client went away in the middle of its request.
    response.destroy();
  }
}

async function close(http: Server, sockets: Sockets, deliveries: Deliveries): Promise<void> {
  deliveries.close();
  sockets.close();
  const closed = http.listening ? once(http, 'close') : null;
  http.close();
  http.closeAllConnections();
  await closed;
}
