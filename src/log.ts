import { type DestinationStream, destination as openDestination, pino } from 'pino';
import type { Log } from './core/ports.ts';

/** Shapes of the tokens this service handles; what a library prints of one unknown to us is caught by its shape. */
const TOKENS =
  /\b(?:xox[a-z]-|xapp-|pplx-)[\w-]+|\b[\w-]{23,28}\.[\w-]{6}\.[\w-]{27,}|(?<=:\/\/[^\s:@/"]*:)[^\s@/"]+(?=@)/g;

export interface LogOptions {
  readonly level: string;
  /** Exact values that must not appear, wherever they stand in a line. */
  readonly secrets: readonly string[];
  readonly destination?: DestinationStream;
}

/**
 * The service's logger: JSON lines on standard output. Scrubbed by value, over the whole written line, since redaction by
 * path misses tokens inside messages, stacks and nested errors.
 */
export function createLog({ level, secrets, destination }: LogOptions): Log {
  // Digits alone, or a few characters, stand in too many lines by chance; such a password is caught in its address.
  const exact = secrets.filter((secret) => secret.length >= 6 && /\D/.test(secret));
  const scrub = (line: string): string => {
    let clean = line;
    for (const secret of exact) clean = clean.replaceAll(JSON.stringify(secret).slice(1, -1), '[redacted]');
    return clean.replace(TOKENS, '[redacted]');
  };
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describe },
      hooks: { streamWrite: scrub },
    },
    destination ?? openDestination({ fd: 1, sync: false }),
  );
}

/** Only what is known to be free of people's texts: an SDK's error object carries whole requests and responses. */
function describe(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  const { kind, status, code } = error as { kind?: unknown; status?: unknown; code?: unknown };
  const isOurs = error.name === 'Failure';
  return {
    type: error.name,
    message: error.message.slice(0, 300),
    ...(kind !== undefined && { kind }),
    ...(status !== undefined && { status }),
    ...(code !== undefined && { code }),
    ...(!isOurs && {
      stack: error.stack
        ?.split('\n')
        .slice(1, 12)
        .map((line) => line.trim()),
    }),
    ...(error.cause instanceof Error && {
      cause: { type: error.cause.name, code: (error.cause as { code?: unknown }).code },
    }),
  };
}
