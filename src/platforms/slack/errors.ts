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

const ARCHIVED = 'The channel is archived. Unarchive it or ask elsewhere.';
const RESTRICTED = 'The channel only lets certain people post. A channel manager can let me post there.';
const NO_MESSAGES =
  'Messages to me are switched off: an admin can turn on the Messages tab in the app settings.';
const SCOPES =
  'The Slack app lacks a permission. Compare its scopes with manifests/slack.yaml and reinstall it.';

/** What Slack's codes mean, with the cure if there is one. All others are about what was sent: `rejected`. */
const MEANINGS = new Map<string, readonly [kind: FailureKind, remedy?: string]>(
  Object.entries({
    message_not_found: ['gone'],
    thread_not_found: ['gone'],
    cannot_reply_to_message: ['gone'],
    is_archived: ['undeliverable', ARCHIVED],
    // What chat.update says of an archived channel.
    is_inactive: ['undeliverable', ARCHIVED],
    not_in_channel: ['undeliverable', 'I am not in that channel. Invite me there first.'],
    channel_not_found: ['undeliverable', 'I cannot see that channel. Invite me there first.'],
    thread_locked: ['undeliverable', 'The thread is locked.'],
    missing_scope: ['undeliverable', SCOPES],
    messages_tab_disabled: ['undeliverable', NO_MESSAGES],
    restricted_action: ['undeliverable', RESTRICTED],
    no_permission: ['undeliverable'],
    user_not_in_channel: ['undeliverable'],
    user_not_found: ['undeliverable'],
    user_disabled: ['undeliverable'],
    cannot_dm_bot: ['undeliverable'],
    ekm_access_denied: ['undeliverable'],
    posting_to_general_channel_denied: ['undeliverable'],
    invalid_auth: ['not-authorised'],
    not_authed: ['not-authorised'],
    account_inactive: ['not-authorised'],
    token_revoked: ['not-authorised'],
    token_expired: ['not-authorised'],
    not_allowed_token_type: ['not-authorised'],
    org_login_required: ['not-authorised'],
    access_denied: ['not-authorised'],
    team_disabled: ['not-authorised'],
    user_removed_from_team: ['not-authorised'],
    ratelimited: ['rate-limited'],
    rate_limited: ['rate-limited'],
    internal_error: ['unreachable'],
    fatal_error: ['unreachable'],
    service_unavailable: ['unreachable'],
    request_timeout: ['unreachable'],
    team_added_to_org: ['unreachable'],
  }),
);

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
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Failure && error.code !== undefined && codes.includes(error.code);
}

/** True when Slack dislikes what was sent. */
export function isRejected(error: unknown): error is Failure {
  return error instanceof Failure && error.kind === 'rejected';
}

/** A message, or a stream, holds no more. */
export const TOO_LONG = [
  'msg_too_long',
  'msg_blocks_too_long',
  'msg_blocks_too_many',
  'markdown_text_too_long',
];
/** A message of ours that nobody may edit any more. */
export const NOT_EDITABLE = ['edit_window_closed', 'cant_update_message', 'message_not_owned_by_app'];
export const STILL_STREAMING = 'streaming_state_conflict';
/** The channel takes messages, but no links to files. */
export const NO_FILE_LINKS = 'slack_connect_file_link_sharing_blocked';

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
  // restricted_action_read_only_channel and the like.
  const [known] = code.match(/^restricted_action/) ?? [code];
  const [kind, remedy] = MEANINGS.get(known) ?? ['rejected'];
  return new Failure(kind, `${method}: ${code}`, {
    code,
    remedy,
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
