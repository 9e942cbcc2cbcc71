import { DiscordAPIError, DiscordjsError, DiscordjsErrorCodes, HTTPError, RateLimitError } from 'discord.js';
import { Failure, type FailureKind } from '../../core/failures.ts';

/** Discord's error codes that mean something to us (docs: topics/opcodes-and-status-codes, JSON error codes). */
export const CODE = {
  unknownChannel: '10003',
  unknownGuild: '10004',
  unknownMessage: '10008',
  unknownInteraction: '10062',
  editedTooOften: '30046',
  tooLarge: '40005',
  alreadyAcknowledged: '40060',
  missingAccess: '50001',
  dmRefused: '50007',
  missingPermissions: '50013',
  wrongChannelType: '50024',
  interactionExpired: '50027',
  threadArchived: '50083',
  noMutualGuild: '50278',
  threadExists: '160004',
  threadLocked: '160005',
  tooManyThreads: '160006',
  blockedByAutoMod: '200000',
} as const;

/** For the operator; the others are read by the person who asked. */
export const TOKEN_REMEDY =
  'DISCORD_TOKEN: Discord refuses it; copy a new one from the developer portal (Bot > Reset Token)';

const KNOWN: Readonly<Record<string, readonly [FailureKind, string?]>> = {
  [CODE.unknownChannel]: ['gone'],
  [CODE.unknownGuild]: ['gone'],
  [CODE.unknownMessage]: ['gone'],
  [CODE.missingAccess]: [
    'undeliverable',
    'Please have an admin give me the permission "View Channel" there, or ask me somewhere else.',
  ],
  [CODE.missingPermissions]: [
    'undeliverable',
    'Please have an admin give me the permissions "Send Messages" and "Send Messages in Threads" there.',
  ],
  [CODE.threadLocked]: ['undeliverable', 'That thread is locked; please ask in another one.'],
  [CODE.dmRefused]: ['undeliverable', 'Direct messages from this server are switched off.'],
  [CODE.noMutualGuild]: ['undeliverable', 'Direct messages need a server that we share.'],
  [CODE.blockedByAutoMod]: ['undeliverable', "The server's AutoMod blocked my answer."],
};

/**
 * Translates whatever discord.js throws. The SDK's error is not kept as cause: it carries the request, and with it what
 * people wrote and interaction tokens.
 */
export function failureOf(error: unknown, route: string, signal?: AbortSignal): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof RateLimitError) {
    const askedMs = Math.max(error.retryAfter, error.sublimitTimeout, MIN_WAIT_MS);
    const retryAfterMs = Math.min(askedMs, MAX_WAIT_MS);
    return new Failure('rate-limited', `Discord limits ${route}`, { retryAfterMs, status: 429 });
  }
  if (error instanceof HTTPError) {
    return new Failure('unreachable', `Discord answered ${error.status} to ${route}`, {
      status: error.status,
    });
  }
  if (error instanceof DiscordAPIError) return refusal(error, route);
  if (isTokenMissing(error)) {
    const details = { status: 401, remedy: TOKEN_REMEDY };
    return new Failure('not-authorised', 'Discord has refused DISCORD_TOKEN', details);
  }
  if (signal?.aborted) return new Failure('stopped', `stopped during ${route}`);
  return new Failure('unreachable', `no answer from Discord to ${route} (${reasonOf(error)})`);
}

/** discord.js forgets the token at the first 401, and names one that the gateway's address refuses. */
function isTokenMissing(error: unknown): boolean {
  if (error instanceof DiscordjsError) return error.code === DiscordjsErrorCodes.TokenInvalid;
  return error instanceof Error && error.message.startsWith('Expected token to be set');
}

/** What an operator needs: `fetch` says why it failed in the cause of its error, such as ENOTFOUND or a certificate. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const { name, message } = error.cause instanceof Error ? error.cause : error;
  return `${name}: ${message}`;
}

/** A Retry-After may be missing or round to nothing. */
const MIN_WAIT_MS = 250;
/** A wait that makes no sense would silence a channel for ever; after this a call asks again. */
const MAX_WAIT_MS = 10 * 60_000;

function refusal(error: DiscordAPIError, route: string): Failure {
  // A page instead of JSON (a proxy, Cloudflare) has no code.
  const code = error.code === undefined ? undefined : String(error.code);
  const details = { status: error.status, code };
  const message = `Discord refused ${route}: ${code ?? error.status} ${error.message}`;
  if (error.status === 401 && code !== CODE.interactionExpired) {
    return new Failure('not-authorised', message, { ...details, remedy: TOKEN_REMEDY });
  }
  if (code === undefined && error.status !== 404) return new Failure('unreachable', message, details);
  const known = KNOWN[code ?? ''];
  return new Failure(known?.[0] ?? 'rejected', message, { ...details, remedy: known?.[1] });
}
