import { createConnections } from './connections.ts';
import { exchange } from './exchange.ts';
import { readAll } from './text-stream.ts';

/** An answer of any status. */
export interface Posted {
  readonly status: number;
  /** By their names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
}

const connections = createConnections();

/**
 * Posts a text, straight to the host, and reads the whole answer; `timeoutMs` is for all of it. Redirects are not followed.
 * @throws {ExchangeTimeout}, {TypeError} when a header cannot be sent, or what the network reports, with its `code`
 */
export async function post(
  address: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
  timeoutMs: number,
): Promise<Posted> {
  const outgoing = { method: 'POST', headers: Object.entries(headers), body };
  const { head, body: stream } = exchange(connections, address, outgoing, { timeoutMs });
  const { status, headers: received } = await head;
  return { status, headers: received, text: await readAll(stream) };
}
