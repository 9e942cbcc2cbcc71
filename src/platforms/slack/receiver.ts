import { sleep } from '../../core/concurrency.ts';
import type { Log } from '../../core/ports.ts';
import type { Ack, Listeners } from './listeners.ts';
import { asRecord, asText } from './payload.ts';
import type { Envelope } from './socket.ts';
import { createSockets, type Sockets } from './sockets.ts';

/** Slack shows "operation timed out" after 3 s; the network needs some of that. */
const ACK_DEADLINE_MS = 2_500;
/** What is being accepted when we stop gets this long to become durable and be acknowledged. */
const DRAIN_MS = 3_000;

const HANDLED: ReadonlySet<string> = new Set(['events_api', 'slash_commands', 'interactive']);

/** Hands what the sockets deliver to the listeners, and acknowledges it. */
export interface SlackReceiver {
  /** Opens the sockets; resolves when the first is open. */
  start(listeners: Listeners): Promise<void>;
  /** Takes nothing new, lets what is being accepted end, closes the sockets. */
  stop(): Promise<void>;
  openSockets(): number;
}

export interface ReceiverOptions {
  readonly appToken: string;
  readonly apiUrl: string;
  readonly log: Log;
}

/**
 * An event is acknowledged only after its listener has succeeded, so that Slack delivers again what could not be stored.
 * Commands and buttons are acknowledged in time always: Slack does not repeat them. A frame that makes no sense, or that
 * nobody listens to, is acknowledged and dropped.
 */
export function createReceiver({ appToken, apiUrl, log }: ReceiverOptions): SlackReceiver {
  const running = new Set<Promise<void>>();
  let listeners: Listeners | null = null;
  let isStopping = false;
  const onEnvelope = (envelope: Envelope): void => {
    // Not acknowledged: Slack hands it to another process, or to us after the restart.
    if (isStopping || !listeners) return;
    const work = handle(listeners, envelope, log);
    running.add(work);
    void work.finally(() => running.delete(work));
  };
  const sockets: Sockets = createSockets({ appToken, apiUrl, log, onEnvelope });
  return {
    start(given) {
      listeners = given;
      return sockets.start();
    },
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
async function handle(listeners: Listeners, envelope: Envelope, log: Log): Promise<void> {
  const body = asRecord(envelope.payload);
  if (!body || !HANDLED.has(envelope.type)) {
    log.debug({ type: envelope.type, envelope: envelope.id }, 'dropped a frame that is not a delivery');
    return envelope.ack();
  }
  try {
    if (envelope.type === 'events_api') await handleEvent(listeners, envelope, body);
    else await handleInteraction(listeners, envelope, body);
  } catch (error) {
    log.error(
      { err: error, type: envelope.type, retry: envelope.retryNum },
      'could not take a delivery from Slack',
    );
  }
}

async function handleEvent(
  { events }: Listeners,
  envelope: Envelope,
  body: Readonly<Record<string, unknown>>,
): Promise<void> {
  await events.get(asText(asRecord(body.event)?.type) ?? '')?.(body);
  envelope.ack();
}

async function handleInteraction(
  { commands, interactions }: Listeners,
  envelope: Envelope,
  body: Readonly<Record<string, unknown>>,
): Promise<void> {
  let isAcked = false;
  const ack: Ack = (response) => {
    if (isAcked) return;
    isAcked = true;
    clearTimeout(deadline);
    envelope.ack(response);
  };
  const deadline = setTimeout(ack, ACK_DEADLINE_MS);
  const isCommand = envelope.type === 'slash_commands';
  const listener = isCommand
    ? commands.get(asText(body.command) ?? '')
    : interactions.get(asText(body.type) ?? '');
  try {
    await listener?.(body, ack);
  } finally {
    ack();
  }
}
