import type { Client, ClientConfig } from 'pg';
import { sleep } from '../core/concurrency.ts';
import type { Log } from '../core/ports.ts';

/** What a session is for. Its functions are called one after the other. */
export interface SessionDuties {
  /** Called with every new connection, before the first beat. */
  up(client: Client): Promise<void>;
  /** Called every `beatMs`; a rejection means that the connection is broken. */
  beat(client: Client): Promise<void>;
  /** The connection is gone, and with it every lock and LISTEN of the session. */
  down(): void;
  readonly beatMs: number;
}

/** A connection that is replaced when it breaks. */
export interface Session {
  /** Ends the connection for good. */
  stop(): Promise<void>;
  /** Ends this connection and opens another. */
  renew(): void;
}

/** A statement that takes longer means that the connection is broken. */
const QUERY_TIMEOUT_MS = 3_000;
const RECONNECT_MS = 1_000;

/**
 * Keeps one connection of its own for what belongs to a session (LISTEN, advisory locks). A dead connection is noticed within
 * `beatMs` + 3 s and replaced, until the session is stopped.
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

/** Ends a connection. A dead peer never answers that: the socket is destroyed after half a second. */
async function end(client: Client): Promise<void> {
  const done = new AbortController();
  const ended = client.end().then(
    () => done.abort(),
    () => done.abort(),
  );
  await sleep(500, done.signal);
  if (done.signal.aborted) return;
  // The cast: node-postgres (8.23) has no public way to drop a connection that does not end.
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } };
  connection.stream.destroy();
  await ended;
}
