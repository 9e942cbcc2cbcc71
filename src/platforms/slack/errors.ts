import {
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebAPIRequestError,
} from '@slack/web-api';
import { Failure, type FailureKind } from '../../core/failures.ts';

/** For a 429 without a Retry-After. Slack's windows are a minute long, so a share of that is a fair guess. */
const DEFAULT_RETRY_AFTER_MS = 5_000;
/** A longer wait is not meant: an epoch in place of seconds would silence a channel for ever. */
const MAX_RETRY_AFTER_MS = 10 * 60_000;

const KINDS: ReadonlyMap<string, FailureKind> = new Map([
  ...kinds('gone', ['message_not_found', 'thread_not_found', 'cannot_reply_to_message']),
  ...kinds('undeliverable', [
    'is_archived',
    // What chat.update says of an archived channel.
    'is_inactive',
    'not_in_channel',
    'channel_not_found',
    'thread_locked',
    'messages_tab_disabled',
    'no_permission',
    'user_not_in_channel',
    'user_not_found',
    'user_disabled',
    'cannot_dm_bot',
    'ekm_access_denied',
    'posting_to_general_channel_denied',
  ]),
  ...kinds('not-authorised', [
    'invalid_auth',
    'not_authed',
    'account_inactive',
    'token_revoked',
    'token_expired',
    'not_allowed_token_type',
    'missing_scope',
    'org_login_required',
    'access_denied',
    'team_disabled',
    'user_removed_from_team',
  ]),
  ...kinds('rate-limited', ['ratelimited', 'rate_limited']),
  ...kinds('unreachable', [
    'internal_error',
    'fatal_error',
    'service_unavailable',
    'request_timeout',
    'team_added_to_org',
  ]),
]);

const ARCHIVED = 'The channel is archived. Unarchive it or ask elsewhere.';
const REMEDIES: Readonly<Record<string, string>> = {
  is_archived: ARCHIVED,
  is_inactive: ARCHIVED,
  not_in_channel: 'I am not in that channel. Invite me there first.',
  channel_not_found: 'I cannot see that channel. Invite me there first.',
  messages_tab_disabled:
    'Messages to me are switched off: an admin can turn on the Messages tab in the app settings.',
  thread_locked: 'The thread is locked.',
  missing_scope:
    'The Slack app lacks a permission. Compare its scopes with manifests/slack.yaml and reinstall it.',
};
const RESTRICTED = 'The channel only lets certain people post. A channel manager can let me post there.';

/** Causes of a failed fetch that mean that the connection was never made, so nothing was sent. */
const NOT_SENT: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** What a call through Slack's client rejects with, as a Failure; one passes through. */
export function toFailure(error: unknown, method: string): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof WebAPIRateLimitedError) return rateLimited(error.retryAfter * 1000, method);
  // For a 429 without a usable Retry-After, @slack/web-api 8.2.0 throws an Error that has neither class nor code.
  if (error instanceof Error && error.message.startsWith('Retry header'))
    return rateLimited(DEFAULT_RETRY_AFTER_MS, method);
  if (error instanceof WebAPIPlatformError) return fromCode(error.data.error ?? '', method);
  if (error instanceof WebAPIHTTPError) return fromStatus(error.statusCode, method);
  return fromNoResponse(error instanceof WebAPIRequestError ? error.original : error, method);
}

/** True for a Failure with one of these codes of Slack's. */
export function hasCode(error: unknown, codes: ReadonlySet<string>): boolean {
  return error instanceof Failure && error.code !== undefined && codes.has(error.code);
}

/** True when Slack dislikes what was sent. */
export function isRejected(error: unknown): error is Failure {
  return error instanceof Failure && error.kind === 'rejected';
}

/** A message, or a stream, holds no more. */
export const TOO_LONG: ReadonlySet<string> = new Set([
  'msg_too_long',
  'msg_blocks_too_long',
  'msg_blocks_too_many',
  'markdown_text_too_long',
]);
/** A message of ours that nobody may edit any more. */
export const NOT_EDITABLE: ReadonlySet<string> = new Set([
  'edit_window_closed',
  'cant_update_message',
  'message_not_owned_by_app',
]);
export const STILL_STREAMING: ReadonlySet<string> = new Set(['streaming_state_conflict']);
/** The channel takes messages, but no links to files. */
export const NO_FILE_LINKS: ReadonlySet<string> = new Set(['slack_connect_file_link_sharing_blocked']);

/** No whole response has come. The call may have taken effect, unless the connection was never made. */
function fromNoResponse(error: unknown, method: string): Failure {
  const reason = causeCode(error);
  return new Failure('unreachable', `${method}: ${reason ?? 'no answer'}`, {
    code: reason,
    ambiguous: !NOT_SENT.has(reason),
    cause: error,
  });
}

function rateLimited(retryAfterMs: number, method: string): Failure {
  const details = {
    retryAfterMs: Math.min(retryAfterMs, MAX_RETRY_AFTER_MS),
    status: 429,
    code: 'ratelimited',
  };
  return new Failure('rate-limited', `${method}: ratelimited`, details);
}

function fromStatus(status: number, method: string): Failure {
  return new Failure('unreachable', `${method}: HTTP ${status}`, { status, ambiguous: status >= 500 });
}

function fromCode(code: string, method: string): Failure {
  // The client gives a body that is no JSON, such as a gateway's HTML page, as the error code.
  if (!/^[a-z0-9_]{1,80}$/.test(code)) {
    return new Failure('unreachable', `${method}: not an answer of Slack's`, { ambiguous: true });
  }
  const kind = KINDS.get(code) ?? (code.startsWith('restricted_action') ? 'undeliverable' : 'rejected');
  return new Failure(kind, `${method}: ${code}`, {
    code,
    remedy: REMEDIES[code] ?? (code.startsWith('restricted_action') ? RESTRICTED : undefined),
    retryAfterMs: kind === 'rate-limited' ? DEFAULT_RETRY_AFTER_MS : undefined,
    ambiguous: kind === 'unreachable',
  });
}

function causeCode(error: unknown): string | undefined {
  for (let inner: unknown = error; inner instanceof Error; inner = inner.cause) {
    if ('code' in inner && typeof inner.code === 'string') return inner.code;
    if (inner.name === 'TimeoutError') return 'timeout';
    if (inner instanceof AggregateError && inner.errors.length > 0) return causeCode(inner.errors[0]);
  }
  return undefined;
}

function kinds(kind: FailureKind, codes: readonly string[]): readonly (readonly [string, FailureKind])[] {
  return codes.map((code) => [code, kind] as const);
}
