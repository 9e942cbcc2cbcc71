import { sleep } from '../../core/concurrency.ts';
import { Failure } from '../../core/failures.ts';
import type { Log } from '../../core/ports.ts';
import { createSocket, type EndReason, type Envelope, type Socket } from './socket.ts';

/** One has a gap whenever Slack renews it (every few hours) if the replacement is slow; Slack allows 10 per app. */
const SOCKETS = 2;
/** The second opens later than the first, so that Slack does not renew both at once. */
const STAGGER_MS = 1_500;
const BACKOFF_BASE_MS = 500;
const BACKOFF_CAP_MS = 30_000;
/** A socket that lived shorter than this counts as a failure: Slack may be opening and closing in a loop. */
const SHORT_LIFE_MS = 10_000;
/** An outage is worth an error line after this, once. */
const ALARM_MS = 60_000;

/** The sockets of one process, kept open for ever. */
export interface Sockets {
  /** Starts opening; resolves when the first is open. */
  start(): Promise<void>;
  /** How many are open now. */
  open(): number;
  /** Closes all, within some 2 s; idempotent. */
  stop(): Promise<void>;
}

export interface SocketsOptions {
  readonly appToken: string;
  readonly apiUrl: string;
  readonly log: Log;
  readonly onEnvelope: (envelope: Envelope) => void;
}

/** Two sockets, each replaced before or when it ends, with capped back-off and jitter, whatever Slack does. */
export function createSockets(options: SocketsOptions): Sockets {
  const stopping = new AbortController();
  const openSockets = new Set<Socket>();
  const first = Promise.withResolvers<void>();
  const keepers: Promise<void>[] = [];
  const keeper: Keeper = {
    options,
    signal: stopping.signal,
    openSockets,
    opened: () => first.resolve(),
    outage: { since: Date.now(), isReported: false },
  };
  return {
    async start() {
      for (let i = 0; i < SOCKETS; i++) keepers.push(keepOpen(keeper, i * STAGGER_MS));
      await first.promise;
    },
    open: () => openSockets.size,
    async stop() {
      stopping.abort();
      first.resolve();
      await Promise.all([...keepers, ...[...openSockets].map((socket) => socket.close())]);
    },
  };
}

interface Keeper {
  readonly options: SocketsOptions;
  readonly signal: AbortSignal;
  readonly openSockets: Set<Socket>;
  readonly opened: () => void;
  readonly outage: { since: number; isReported: boolean };
}

async function keepOpen(keeper: Keeper, delayMs: number): Promise<void> {
  const { signal } = keeper;
  let failures = 0;
  let retiring: Socket | null = null;
  await sleep(delayMs, signal);
  while (!signal.aborted) {
    const socket = await tryOpen(keeper);
    if (socket) {
      // The old one still delivered until the new one was there.
      await retiring?.close();
      retiring = null;
      const openedAt = performance.now();
      const reason = await socket.ended;
      failures = performance.now() - openedAt < SHORT_LIFE_MS ? failures + 1 : 0;
      retiring = await afterEnd(keeper, socket, reason);
      if (failures <= 1 && isRenewal(reason)) continue;
    } else {
      failures++;
    }
    await sleep(backoffMs(failures), signal);
  }
  await retiring?.close();
}

async function tryOpen(keeper: Keeper): Promise<Socket | null> {
  const { options, openSockets, outage, signal } = keeper;
  const socket = createSocket(options);
  const close = (): void => void socket.close();
  signal.addEventListener('abort', close, { once: true });
  try {
    await socket.open();
  } catch (error) {
    await socket.close();
    if (!signal.aborted) report(keeper, error);
    return null;
  } finally {
    signal.removeEventListener('abort', close);
  }
  openSockets.add(socket);
  void socket.closed.then(() => {
    openSockets.delete(socket);
    if (openSockets.size === 0) outage.since = Date.now();
  });
  if (outage.isReported) options.log.info({}, 'connected to Slack again');
  outage.isReported = false;
  keeper.opened();
  return socket;
}

/** Keeps a socket that is only about to be renewed; closes any other. */
async function afterEnd(keeper: Keeper, socket: Socket, reason: EndReason): Promise<Socket | null> {
  if (isRenewal(reason) && !keeper.signal.aborted) return socket;
  if (reason === 'link_disabled' && !keeper.outage.isReported) {
    keeper.outage.isReported = true;
    keeper.options.log.error(
      {},
      'Slack has switched Socket Mode off for this app: turn it on in the app settings',
    );
  }
  await socket.close();
  return null;
}

/** One error line per outage: at once when an admin must act, after a minute when Slack just cannot be reached. */
function report({ options, openSockets, outage }: Keeper, error: unknown): void {
  const isRefusal = error instanceof Failure && error.kind === 'not-authorised';
  const code = error instanceof Failure ? (error.code ?? error.message) : 'unknown';
  options.log.debug({ code }, 'could not open a socket to Slack');
  if (outage.isReported || openSockets.size > 0) return;
  if (isRefusal) {
    outage.isReported = true;
    options.log.error(
      { code },
      'Slack refuses SLACK_APP_TOKEN: create a new app-level token with connections:write',
    );
  } else if (Date.now() - outage.since > ALARM_MS) {
    outage.isReported = true;
    options.log.error({ code }, 'no connection to Slack for over a minute; still trying');
  }
}

function isRenewal(reason: EndReason): boolean {
  return reason === 'warning' || reason === 'refresh_requested';
}

function backoffMs(failures: number): number {
  const ceiling = Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** Math.max(0, failures - 1));
  // Never zero: a loop of refusals must not spin.
  return ceiling / 2 + (Math.random() * ceiling) / 2;
}
