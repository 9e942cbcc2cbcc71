import { type App, type Receiver, type ReceiverEvent, UnknownError } from '@slack/bolt';
import { untilAborted } from '../../core/concurrency.ts';
import type { Log } from '../../core/ports.ts';
import { asNumber, asRecord, asText, type JsonObject } from '../../core/untrusted.ts';
import { Sockets, type SocketsOptions } from './socket-mode.ts';

/** Slack shows "operation timed out" after 3 s; the network needs some of that. */
const ACK_DEADLINE_MS = 2_500;
/** What is being accepted when we stop gets this long to become durable and be acknowledged. */
const DRAIN_MS = 3_000;

const DELIVERIES: ReadonlySet<string> = new Set(['events_api', 'slash_commands', 'interactive']);

/**
 * Socket Mode for Bolt, with acknowledgements that mean "it is durable". Bolt acknowledges an event before its listeners run;
 * here that only says that Bolt has understood it, and Slack is told after the listeners have succeeded. What they could
 * not store is delivered again. Commands and interactions, which Slack does not repeat, are acknowledged by their listener, or
 * in time without it. What Bolt cannot understand, or nobody listens to, is acknowledged and dropped.
 */
export class SocketReceiver implements Receiver {
  readonly #sockets: Sockets;
  readonly #running = new Set<Promise<void>>();
  #app: App | null = null;
  #isStopping = false;

  constructor(options: Omit<SocketsOptions, 'onFrame'>) {
    this.#sockets = new Sockets({
      ...options,
      onFrame: (frame, ack) => {
        // Not acknowledged: Slack hands it to another process, or to this one after the restart.
        if (this.#isStopping || !this.#app) return;
        const work = processFrame(this.#app, frame, ack, options.log);
        this.#running.add(work);
        void work.finally(() => this.#running.delete(work));
      },
    });
  }

  init(app: App): void {
    this.#app = app;
    // Bolt's default handler would only log the error of a listener: `processEvent` would resolve all the same.
    app.error(async (error) => {
      throw new ListenerError(error instanceof UnknownError ? error.original : error);
    });
  }

  /** Resolves when the first socket is open. */
  start(): Promise<void> {
    return this.#sockets.start();
  }

  /** Takes nothing new, lets what is being accepted end, closes the sockets. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.race([Promise.all(this.#running), untilAborted(AbortSignal.timeout(DRAIN_MS))]);
    await this.#sockets.stop();
  }

  /** How many sockets are open now. */
  openSockets(): number {
    return this.#sockets.open();
  }
}

/** What a listener, or `authorize`, has thrown. */
class ListenerError extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}

/** Never rejects. */
async function processFrame(
  app: App,
  frame: JsonObject,
  acknowledge: (response?: unknown) => void,
  log: Log,
): Promise<void> {
  const type = asText(frame.type) ?? '';
  const body = asRecord(frame.payload);
  if (!body || !DELIVERIES.has(type)) {
    log.debug({ type }, 'dropped a frame that is not a delivery');
    return acknowledge();
  }
  const isEvent = type === 'events_api';
  let isAcked = false;
  const ack = (response?: unknown): void => {
    if (!isAcked) acknowledge(response);
    isAcked = true;
  };
  const deadline = isEvent ? undefined : setTimeout(ack, ACK_DEADLINE_MS);
  const event: ReceiverEvent = {
    body,
    retryNum: asNumber(frame.retry_attempt) ?? 0,
    ack: async (response) => {
      if (!isEvent) ack(response);
    },
  };
  try {
    await app.processEvent(event);
    ack();
  } catch (error) {
    const isByListener = error instanceof ListenerError;
    const err = isByListener ? error.cause : error;
    log.error({ err, type, retry: event.retryNum }, 'could not take a delivery from Slack');
    // Any other error is Bolt's, about a frame that makes no sense.
    if (!isEvent || !isByListener) ack();
  } finally {
    clearTimeout(deadline);
  }
}
