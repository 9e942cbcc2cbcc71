import type { Json } from './state.ts';

/** Discord's JSON error codes that the stand-in gives, with their HTTP status and text. */
const KNOWN = {
  0: [401, '401: Unauthorized'],
  10003: [404, 'Unknown Channel'],
  10004: [404, 'Unknown Guild'],
  10008: [404, 'Unknown Message'],
  10013: [404, 'Unknown User'],
  10014: [400, 'Unknown Emoji'],
  10015: [404, 'Unknown Webhook'],
  10062: [404, 'Unknown interaction'],
  10063: [404, 'Unknown application command'],
  30010: [400, 'Maximum number of reactions reached (20)'],
  // 429 and not 400: seen so in public reports of this code.
  30046: [429, 'Maximum number of edits to messages older than 1 hour reached. Try again later'],
  40005: [413, 'Request entity too large'],
  40060: [400, 'Interaction has already been acknowledged.'],
  50001: [403, 'Missing Access'],
  50005: [403, 'Cannot edit a message authored by another user'],
  50006: [400, 'Cannot send an empty message'],
  50007: [403, 'Cannot send messages to this user'],
  50008: [400, 'Cannot send messages in a non-text channel'],
  50013: [403, 'Missing Permissions'],
  50021: [403, 'Cannot execute action on a system message'],
  50024: [400, 'Cannot execute action on this channel type'],
  50027: [401, 'Invalid Webhook Token'],
  50035: [400, 'Invalid Form Body'],
  50083: [400, 'Thread is archived'],
  50109: [400, 'The request body contains invalid JSON.'],
  160002: [400, 'Cannot reply without permission to read message history'],
  160004: [400, 'A thread has already been created for this message'],
  160005: [400, 'Thread is locked'],
  160006: [400, 'Maximum number of active threads reached'],
} as const satisfies Record<number, readonly [number, string]>;

export type ErrorCode = keyof typeof KNOWN;

/** What a route throws to be answered with one of Discord's error bodies. */
export class DiscordError extends Error {
  readonly status: number;
  readonly code: ErrorCode;
  readonly errors: Json | undefined;

  constructor(code: ErrorCode, errors?: Json) {
    super(KNOWN[code][1]);
    this.status = KNOWN[code][0];
    this.code = code;
    this.errors = errors;
  }

  body(): Json {
    const { code, message, errors } = this;
    return errors === undefined ? { message, code } : { message, code, errors };
  }
}

/** 50035 naming one field, as Discord nests it: `errors.content._errors[0]`. */
export function invalidField(path: readonly PropertyKey[], code: string, message: string): DiscordError {
  const leaf: Json = { _errors: [{ code, message }] };
  return new DiscordError(
    50035,
    path.reduceRight<Json>((inner, key) => ({ [String(key)]: inner }), leaf),
  );
}
