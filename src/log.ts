import { type DestinationStream, destination as openDestination, pino, stdTimeFunctions } from 'pino';
import type { Log } from './core/ports.ts';

/** The shapes of tokens, and of a password in an address: for those that are not among the secrets of this configuration. */
const TOKENS =
  /\b(?:xox[a-z]-|xapp-|pplx-)[\w-]+|\b[\w-]{23,28}\.[\w-]{6}\.[\w-]{27,}|(?<=:\/\/[^\s:@/"]*:)[^\s@/"]+(?=@)/;

/** A text of the other side that repeats a secret may be cut in the middle of it: this many characters of it give it away. */
const SHORTEST_PART = 8;

export interface LogOptions {
  readonly level: string;
  /** Exact values that must not appear, wherever they stand in a line. */
  readonly secrets: readonly string[];
  readonly destination?: DestinationStream;
}

/**
 * Creates the logger: JSON lines on standard output. Secrets are removed from the whole line; redaction by path would miss
 * those inside messages, stacks and nested errors.
 */
export function createLog({ level, secrets, destination }: LogOptions): Log {
  // A short or numeric password would match other figures of a line; where it stands in an address, its shape is enough.
  const exact = secrets.filter((secret) => secret.length >= 6 && /\D/.test(secret));
  const texts = exact.map((secret) => JSON.stringify(secret).slice(1, -1));
  // Whole ones first: the beginning of one may be that of another.
  const patterns = [...texts.map(RegExp.escape), TOKENS.source, ...texts.map(toBeginnings)];
  const scrubbed = new RegExp(patterns.join('|'), 'g');
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
      hooks: { streamWrite: (line) => line.replace(scrubbed, '[redacted]') },
    },
    destination ?? openDestination({ fd: 1, sync: false }),
  );
}

/** The pattern of every beginning of a secret that is long enough to give it away. */
function toBeginnings(secret: string): string {
  const tail = Array.from(secret.slice(SHORTEST_PART), RegExp.escape);
  const optional = tail.reduceRight((rest, character) => `(?:${character}${rest})?`, '');
  return RegExp.escape(secret.slice(0, SHORTEST_PART)) + optional;
}

/** Logs only what holds no text of a person: an SDK's error object carries whole requests and responses. */
function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  const {
    name: type,
    message,
    cause,
    kind,
    status,
    code,
  } = error as Error & Readonly<Record<string, unknown>>;
  // A Failure was foreseen: where it was made says nothing.
  const stack = type === 'Failure' ? undefined : error.stack?.split('\n').slice(1, 12);
  return {
    type,
    message: message.slice(0, 300),
    kind,
    status,
    code,
    stack: stack?.map((line) => line.trim()),
    ...(cause instanceof Error && {
      cause: { type: cause.name, code: 'code' in cause ? cause.code : undefined },
    }),
  };
}
