import { type Dispatcher, getGlobalDispatcher } from 'undici';

/** An answer of any status. */
export interface Posted {
  readonly status: number;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
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

/**
 * Posts a text and reads the whole answer, over the dispatcher that `fetch` uses: without what `fetch` puts around it a call
 * costs a quarter. It keeps connections for some seconds, and finds proxies where Node is told to (NODE_USE_ENV_PROXY).
 * Redirects are not followed: what is posted belongs nowhere else.
 * @throws {PostTimeout}, or what undici reports
 */
export function post(
  address: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
  timeoutMs: number,
): Promise<Posted> {
  const { promise, resolve, reject } = Promise.withResolvers<Posted>();
  const options = { origin: address.origin, path: address.pathname + address.search, headers, body };
  const handler = createHandler(resolve, reject, timeoutMs);
  // The time in all is what counts, not the time between two packets.
  getGlobalDispatcher().dispatch({ ...options, method: 'POST', headersTimeout: 0, bodyTimeout: 0 }, handler);
  return promise;
}

function createHandler(
  resolve: (posted: Posted) => void,
  reject: (error: unknown) => void,
  timeoutMs: number,
): Dispatcher.DispatchHandler {
  const pieces: Buffer[] = [];
  let controller: Dispatcher.DispatchController | null = null;
  let status = 0;
  let fields: Posted['headers'] = {};
  let late: PostTimeout | null = null;
  const timer = setTimeout(() => {
    late = new PostTimeout(timeoutMs);
    reject(late);
    controller?.abort(late);
  }, timeoutMs);
  return {
    onRequestStart(started) {
      controller = started;
      if (late) started.abort(late);
    },
    onResponseStart(_, statusCode, received) {
      status = statusCode;
      fields = received;
    },
    onResponseData(_, piece) {
      pieces.push(piece);
    },
    onResponseEnd() {
      clearTimeout(timer);
      resolve({ status, headers: fields, text: Buffer.concat(pieces).toString() });
    },
    onResponseError(_, error) {
      clearTimeout(timer);
      reject(error);
    },
  };
}
