/** One REST call as it came in and how it was answered. */
export interface RecordedCall {
  readonly method: string;
  /** With placeholders: `/channels/:channel/messages/:message`; `unknown` for a route that does not exist. */
  readonly route: string;
  /** As requested, without `/api/v10` and query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Parsed JSON; of a multipart body its `payload_json`. */
  readonly body: unknown;
  readonly files: readonly UploadedFile[];
  /** Milliseconds since the epoch, by the stand-in's clock. */
  readonly at: number;
  readonly auth: string | null;
  /** Null while unanswered and for calls that never got an answer. */
  status: number | null;
  /** Discord's JSON error code. */
  code: number | null;
  /** Seconds, as in the 429 that answered it. */
  retryAfter?: number;
  /** Sent although an earlier 429 of the same bucket had asked to wait longer. */
  insideRetryAfter: boolean;
  /** What a test made go wrong with it. */
  fault: Fault | null;
}

export interface UploadedFile {
  readonly field: string;
  readonly filename: string;
  readonly contentType: string | null;
  readonly size: number;
  readonly text: string;
}

/**
 * What goes wrong with a call. Those starting with `commit` apply it first. `retryAfter` is in seconds and makes a 429;
 * `slow` is in milliseconds.
 */
export type Fault =
  | { readonly status: number; readonly code?: number; readonly message?: string; readonly headers?: Headers }
  | { readonly retryAfter: number; readonly scope?: 'user' | 'global' | 'shared'; readonly global?: boolean }
  | { readonly html: number }
  | { readonly slow: number }
  | 'reset-before'
  | 'commit-then-reset'
  | 'commit-then-hang'
  | 'hang'
  | 'html';

type Headers = Readonly<Record<string, string>>;

interface Planned {
  readonly pattern: RegExp;
  readonly fault: Fault;
  left: number;
}

/** The faults waiting for their calls. */
export interface Faults {
  /**
   * @param pattern `*`, a method and route (`POST /channels/:channel/messages`), a route, or either with `*` for any part.
   */
  add(pattern: string, fault: Fault, times: number): void;
  take(method: string, route: string, path: string): Fault | null;
  clear(): void;
}

export function createFaults(): Faults {
  let planned: Planned[] = [];
  return {
    add(pattern, fault, times) {
      const source = pattern
        .split('*')
        .map((part) => part.replaceAll(/[.?+^${}()|[\]\\]/g, '\\$&'))
        .join('.*');
      planned.push({ pattern: new RegExp(`^${source}$`), fault, left: times });
    },
    take(method, route, path) {
      const names = [`${method} ${route}`, `${method} ${path}`, route, path];
      const hit = planned.find(({ pattern }) => names.some((name) => pattern.test(name)));
      if (!hit) return null;
      hit.left -= 1;
      planned = planned.filter(({ left }) => left > 0);
      return hit.fault;
    },
    clear() {
      planned = [];
    },
  };
}
