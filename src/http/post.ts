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
  const { handler, abort } = createHandler(resolve, reject);
  // The time in all is what counts, not the time between two packets.
  const timer = setTimeout(() => abort(new PostTimeout(timeoutMs)), timeoutMs);
  const options = { origin: address.origin, path: address.pathname + address.search, headers, body };
  try {
    getGlobalDispatcher().dispatch(
      { ...options, method: 'POST', headersTimeout: 0, bodyTimeout: 0 },
      handler,
    );
  } catch (error) {
    reject(error);
  }
  return promise.finally(() => clearTimeout(timer));
}

function createHandler(
  resolve: (posted: Posted) => void,
  reject: (error: unknown) => void,
): { readonly handler: Dispatcher.DispatchHandler; abort(reason: Error): void } {
  const pieces: Buffer[] = [];
  let controller: Dispatcher.DispatchController | null = null;
  let aborted: Error | null = null;
  let status = 0;
  let fields: Posted['headers'] = {};
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(started) {
      controller = started;
      if (aborted) started.abort(aborted);
    },
    onResponseStart(_, statusCode, received) {
      status = statusCode;
      fields = received;
    },
    onResponseData(_, piece) {
      pieces.push(piece);
    },
    onResponseEnd() {
      resolve({ status, headers: fields, text: Buffer.concat(pieces).toString() });
    },
    onResponseError: (_, error) => reject(error),
  };
  return {
    handler,
    abort(reason) {
      aborted = reason;
      // While it waits for a connection there is nothing to abort yet.
      reject(reason);
      controller?.abort(reason);
    },
  };
}
