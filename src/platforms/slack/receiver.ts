import type { App, Receiver, ReceiverEvent } from '@slack/bolt';
import type { Log } from '../../core/ports.ts';
import { sleep } from '../../core/sleep.ts';
import { asRecord } from './payload.ts';
import type { Envelope } from './socket.ts';
import { createSockets, type Sockets } from './sockets.ts';

/** Slack shows "operation timed out" after 3 s; the network needs some of that. */
const ACK_DEADLINE_MS = 2_500;
/** What is being accepted when we stop gets this long to become durable and be acknowledged. */
const DRAIN_MS = 3_000;

const HANDLED: ReadonlySet<string> = new Set(['events_api', 'slash_commands', 'interactive']);

/** Bolt's receiver over our own sockets. */
export interface SlackReceiver extends Receiver {
  start(): Promise<void>;
  stop(): Promise<void>;
  openSockets(): number;
}

export interface ReceiverOptions {
  readonly appToken: string;
  readonly apiUrl: string;
  readonly log: Log;
}

/**
 * Feeds Bolt. An event is acknowledged only after all of its listeners have succeeded (Bolt itself would do so before
 * they run), so that Slack delivers again what could not be stored. Commands and buttons are acknowledged in time always:
 * Slack does not repeat them. A frame that makes no sense is acknowledged and dropped.
 */
export function createReceiver({ appToken, apiUrl, log }: ReceiverOptions): SlackReceiver {
  const running = new Set<Promise<void>>();
  let app: App | null = null;
  let isStopping = false;
  const onEnvelope = (envelope: Envelope): void => {
    // Not acknowledged: Slack hands it to another process, or to us after the restart.
    if (isStopping || !app) return;
    const work = handle(app, envelope, log);
    running.add(work);
    void work.finally(() => running.delete(work));
  };
  const sockets: Sockets = createSockets({ appToken, apiUrl, log, onEnvelope });
  return {
    init(boltApp) {
      app = boltApp;
    },
    start: () => sockets.start(),
    async stop() {
      isStopping = true;
      const drained = new AbortController();
      const drain = Promise.all(running).then(() => drained.abort());
      await Promise.race([drain, sleep(DRAIN_MS, drained.signal)]);
      await sockets.stop();
    },
    openSockets: () => sockets.open(),
  };
}

/** Never rejects. */
async function handle(app: App, envelope: Envelope, log: Log): Promise<void> {
  const body = asRecord(envelope.payload);
  if (!body || !HANDLED.has(envelope.type)) {
    log.debug({ type: envelope.type, envelope: envelope.id }, 'dropped a frame that is not a delivery');
    return envelope.ack();
  }
  try {
    if (envelope.type === 'events_api') await handleEvent(app, envelope, body);
    else await handleInteraction(app, envelope, body);
  } catch (error) {
    log.error(
      { err: error, type: envelope.type, retry: envelope.retryNum },
      'could not take a delivery from Slack',
    );
  }
}

async function handleEvent(
  app: App,
  envelope: Envelope,
  body: Readonly<Record<string, unknown>>,
): Promise<void> {
  if (!asRecord(body.event)) return envelope.ack();
  await app.processEvent(boltEvent(envelope, body, async () => {}));
  envelope.ack();
}

async function handleInteraction(
  app: App,
  envelope: Envelope,
  body: Readonly<Record<string, unknown>>,
): Promise<void> {
  let isAcked = false;
  const ack = (response?: unknown): void => {
    if (isAcked) return;
    isAcked = true;
    clearTimeout(deadline);
    envelope.ack(response);
  };
  const deadline = setTimeout(ack, ACK_DEADLINE_MS);
  try {
    await app.processEvent(boltEvent(envelope, body, async (response: unknown) => ack(response)));
  } finally {
    ack();
  }
}

function boltEvent(
  { retryNum, retryReason }: Envelope,
  body: Readonly<Record<string, unknown>>,
  ack: ReceiverEvent['ack'],
): ReceiverEvent {
  return { body: { ...body }, ack, retryNum, retryReason };
}
