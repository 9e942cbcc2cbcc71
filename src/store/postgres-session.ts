import { Client, type ClientConfig } from 'pg';
import { sleep } from '../core/concurrency.ts';
import type { Log } from '../core/ports.ts';

/**
 * What a session is for: called with every new connection, which is ended when this has returned. `over` is aborted when the
 * session is closed, and when the connection is broken: its locks and LISTENs are gone then.
 */
export type SessionUse = (client: Client, over: AbortSignal) => Promise<void>;

const CHECK_MS = 2_000;
/** A statement that takes longer means that the connection is broken. */
const QUERY_TIMEOUT_MS = 3_000;
const RECONNECT_MS = 1_000;

/**
 * Keeps one connection of its own for what belongs to a session (LISTEN, advisory locks). A dead connection is noticed within
 * 5 s and replaced, until the session is closed.
 */
export function holdSession(config: ClientConfig, use: SessionUse, log: Log): { close(): Promise<void> } {
  const closed = new AbortController();
  const run = async (): Promise<void> => {
    let isFailing = false;
    while (!closed.signal.aborted) {
      const client = new Client({ ...config, query_timeout: QUERY_TIMEOUT_MS });
      const broken = new AbortController();
      client.on('error', (error) => broken.abort(error));
      client.on('end', () => broken.abort(new Error('the connection was ended')));
      try {
        await client.connect();
        isFailing = false;
        void checkConnection(client, broken);
        await use(client, AbortSignal.any([closed.signal, broken.signal]));
        broken.signal.throwIfAborted();
      } catch (error) {
        if (!isFailing) log.warn({ err: error }, 'a database session broke; connecting again');
        isFailing = true;
      }
      broken.abort();
      await end(client);
      await sleep(RECONNECT_MS, closed.signal);
    }
  };
  const running = run();

  return {
    async close() {
      closed.abort();
      await running;
    },
  };
}

/** Asks something every 2 s, until the connection is broken or given up. */
async function checkConnection(client: Client, broken: AbortController): Promise<void> {
  while (!broken.signal.aborted) {
    await client.query('select 1').catch((error: unknown) => broken.abort(error));
    await sleep(CHECK_MS, broken.signal);
  }
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
