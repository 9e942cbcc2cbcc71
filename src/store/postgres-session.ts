import type { Client, ClientConfig } from 'pg';
import { sleep } from '../core/concurrency.ts';
import type { Log } from '../core/ports.ts';

export interface SessionDuties {
  /** Called with every new connection, before the first beat. */
  up(client: Client): Promise<void>;
  /** Called every `beatMs`; a rejection means that the connection is broken. */
  beat(client: Client): Promise<void>;
  /** The connection is gone, and with it all the session held. */
  down(): void;
  readonly beatMs: number;
}

export interface Session {
  /** Ends the connection and does not come back. */
  stop(): Promise<void>;
  /** Ends this connection; another follows. */
  renew(): void;
}

/** So long a statement on such a session may take; then the connection counts as broken. */
const QUERY_TIMEOUT_MS = 3_000;
const RECONNECT_MS = 1_000;

/**
 * Keeps one dedicated connection alive for what belongs to a session (LISTEN, advisory locks): connects, looks after it,
 * notices within `beatMs` + 3 s when it is dead, and connects again until it is stopped.
 */
export function holdSession(config: ClientConfig, duties: SessionDuties, log: Log): Session {
  const stopped = new AbortController();
  let current = new AbortController();

  const live = async (client: Client): Promise<void> => {
    const over = AbortSignal.any([stopped.signal, current.signal]);
    await duties.up(client);
    while (!over.aborted) {
      await duties.beat(client);
      await sleep(duties.beatMs, over);
    }
  };
  const run = async (): Promise<void> => {
    const { default: pg } = await import('pg');
    let quiet = false;
    while (!stopped.signal.aborted) {
      current = new AbortController();
      const client = new pg.Client({ ...config, query_timeout: QUERY_TIMEOUT_MS });
      const broken = current;
      client.on('error', () => broken.abort());
      client.on('end', () => broken.abort());
      try {
        await client.connect();
        quiet = false;
        await live(client);
      } catch (error) {
        if (!quiet) log.warn({ err: error }, 'a database session broke; connecting again');
        quiet = true;
      }
      duties.down();
      await end(client);
      await sleep(RECONNECT_MS, stopped.signal);
    }
  };
  const running = run();

  return {
    async stop() {
      stopped.abort();
      await running;
    },
    renew: () => current.abort(),
  };
}

/** A dead peer never acknowledges the goodbye: the socket is closed under it after a moment. */
async function end(client: Client): Promise<void> {
  const done = new AbortController();
  const ended = client.end().then(
    () => done.abort(),
    () => done.abort(),
  );
  await sleep(500, done.signal);
  if (done.signal.aborted) return;
  // node-postgres has no public way to drop a connection without a farewell.
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } };
  connection.stream.destroy();
  await ended;
}
