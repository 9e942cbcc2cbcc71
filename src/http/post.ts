import type { IncomingHttpHeaders } from 'node:http';
import { exchange, readText } from './exchange.ts';

/** An answer of any status. */
export interface Posted {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** No answer in time. */
export class PostTimeout extends Error {
  readonly code = 'timeout';

  constructor(ms: number) {
    super(`no answer within ${ms} ms`);
    this.name = 'PostTimeout';
  }
}

/** Posts a text and reads the whole answer. @throws {PostTimeout}, or what `node:http` reports */
export async function post(
  address: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
  timeoutMs: number,
): Promise<Posted> {
  const { answer, abort } = exchange(address, { method: 'POST', headers, body });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    abort();
  }, timeoutMs);
  try {
    const message = await answer;
    const text = await readText(message);
    return { status: message.statusCode ?? 0, headers: message.headers, text };
  } catch (error) {
    throw isLate ? new PostTimeout(timeoutMs) : error;
  } finally {
    clearTimeout(timer);
  }
}
