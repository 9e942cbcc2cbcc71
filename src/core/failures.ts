/**
 * Everything that can go wrong outside, in one family. SDK errors are translated at the border, once; the core and the
 * views know only these.
 */
export type FailureKind =
  /** Asked too often; `retryAfterMs` says when to come back, if the other side said so. */
  | 'rate-limited'
  /** Could not be reached, or answered 5xx: worth another try. */
  | 'unreachable'
  /** Nothing came for too long. */
  | 'too-slow'
  /** Refused for what was asked: trying again changes nothing. */
  | 'rejected'
  /** The key, the credit or the permission is missing: an admin must act. */
  | 'not-authorised'
  /** A stream ended without saying that it is complete. */
  | 'cut-off'
  /** The other side answered something that makes no sense. */
  | 'malformed'
  /** A message, thread or channel that somebody deleted. */
  | 'gone'
  /** There is no way to write where the answer belongs; `remedy` names the missing permission if known. */
  | 'undeliverable'
  /** We aborted it ourselves. */
  | 'stopped';

export interface FailureDetails {
  readonly retryAfterMs?: number | undefined;
  readonly status?: number | undefined;
  /** The other side's own error code, for logs. */
  readonly code?: string | undefined;
  /** What to do about it, in plain words fit for a person. */
  readonly remedy?: string | undefined;
  /** True when it is not known whether the call took effect: a post must be looked up before it is repeated. */
  readonly ambiguous?: boolean | undefined;
  readonly cause?: unknown;
}

/** The message is for logs; what a person reads is made from `kind` in `answering/messages.ts`. */
export class Failure extends Error {
  readonly kind: FailureKind;
  readonly retryAfterMs: number | undefined;
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly remedy: string | undefined;
  readonly ambiguous: boolean;

  constructor(kind: FailureKind, message: string, details: FailureDetails = {}) {
    super(message, { cause: details.cause });
    this.name = 'Failure';
    this.kind = kind;
    this.retryAfterMs = details.retryAfterMs;
    this.status = details.status;
    this.code = details.code;
    this.remedy = details.remedy;
    this.ambiguous = details.ambiguous ?? false;
  }
}
