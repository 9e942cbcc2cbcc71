import { type DestinationStream, destination as openDestination, pino, stdTimeFunctions } from 'pino';
import type { Log } from './core/ports.ts';

/** The shapes of tokens, and of a password in an address: for those that are not among the secrets of this configuration. */
const TOKENS =
  /\b(?:xox[a-z]-|xapp-|pplx-)[\w-]+|\b[\w-]{23,28}\.[\w-]{6}\.[\w-]{27,}|(?<=:\/\/[^\s:@/"]*:)[^\s@/"]+(?=@)/g;

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
  const scrub = (line: string): string => {
    let clean = line;
    for (const secret of exact) clean = removeSecret(clean, JSON.stringify(secret).slice(1, -1));
    return clean.replace(TOKENS, '[redacted]');
  };
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
      hooks: { streamWrite: scrub },
    },
    destination ?? openDestination({ fd: 1, sync: false }),
  );
}

/** Removes a secret, and every beginning of it that is long enough to be one. */
function removeSecret(line: string, secret: string): string {
  const clean = line.replaceAll(secret, '[redacted]');
  if (secret.length <= SHORTEST_PART) return clean;
  const tail = secret.slice(SHORTEST_PART);
  const [before = '', ...parts] = clean.split(secret.slice(0, SHORTEST_PART));
  return before + parts.map((part) => `[redacted]${part.slice(countCommon(part, tail))}`).join('');
}

/** How many characters two texts have in common at their start. */
function countCommon(a: string, b: string): number {
  let count = 0;
  while (count < a.length && a[count] === b[count]) count++;
  return count;
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
