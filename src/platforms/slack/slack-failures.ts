import {
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebAPIRequestError,
} from '@slack/web-api';
import { Failure, type FailureKind } from '../../core/failures.ts';
import type { Posted } from '../../http/post.ts';
import { asText } from './payload.ts';

/** Without a Retry-After, Slack's windows are a minute long: a share of it is a fair guess. */
const DEFAULT_RETRY_AFTER_MS = 5_000;

const KINDS: ReadonlyMap<string, FailureKind> = new Map([
  ...kinds('gone', ['message_not_found', 'thread_not_found', 'cannot_reply_to_message']),
  ...kinds('undeliverable', [
    'is_archived',
    // What chat.update says of an archived channel.
    'is_inactive',
    'not_in_channel',
    'channel_not_found',
    'restricted_action',
    'restricted_action_read_only_channel',
    'restricted_action_thread_only_channel',
    'restricted_action_non_threadable_channel',
    'restricted_action_thread_locked',
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

/** The connection was never made: what was to be sent cannot have taken effect. */
const NOT_SENT: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** The failure of a call that got no whole answer. `ambiguous`: it may have taken effect all the same. */
export function noAnswer(error: unknown, method: string): Failure {
  const reason = causeCode(error);
  return new Failure('unreachable', `${method}: ${reason ?? 'no answer'}`, {
    code: reason,
    ambiguous: !NOT_SENT.has(reason),
    cause: error,
  });
}

/** The failure that an answer stands for which is not `ok`; `result` is the JSON object in it, if there is one. */
export function refusal(
  { status, headers }: Posted,
  result: Readonly<Record<string, unknown>> | null,
  method: string,
): Failure {
  if (status === 429) {
    const seconds = Number.parseInt(headers.get('retry-after') ?? '', 10);
    return rateLimited(Number.isNaN(seconds) ? DEFAULT_RETRY_AFTER_MS : seconds * 1000, method);
  }
  if (status !== 200) return fromStatus(status, method);
  return fromCode(result === null ? '' : (asText(result.error) ?? 'unknown'), method);
}

/** The same for what Slack's own client throws while it opens a socket; a Failure passes through. */
export function toFailure(error: unknown, method: string): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof WebAPIRateLimitedError) return rateLimited(error.retryAfter * 1000, method);
  if (error instanceof WebAPIPlatformError) return fromCode(asText(error.data.error) ?? 'unknown', method);
  if (error instanceof WebAPIHTTPError) return fromStatus(error.statusCode, method);
  // The client's own error for a 429 without a Retry-After has no class.
  if (error instanceof Error && error.message.startsWith('Retry header'))
    return rateLimited(DEFAULT_RETRY_AFTER_MS, method);
  return noAnswer(error instanceof WebAPIRequestError ? error.original : error, method);
}

function rateLimited(retryAfterMs: number, method: string): Failure {
  const details = { retryAfterMs, status: 429, code: 'ratelimited' };
  return new Failure('rate-limited', `${method}: ratelimited`, details);
}

function fromStatus(status: number, method: string): Failure {
  return new Failure('unreachable', `${method}: HTTP ${status}`, { status, ambiguous: status >= 500 });
}

function fromCode(code: string, method: string): Failure {
  // A gateway's HTML page has no error code of Slack's.
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
