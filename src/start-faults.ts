import { ConfigError } from './config.ts';
import { Failure } from './core/failures.ts';
import { AddressInUse } from './ops/server.ts';
import { StoreError } from './store/store-error.ts';

/** A command was called with arguments that it does not take. */
export class UsageError extends Error {}

/** Runs one of the project's commands: prints its result, or else what is wrong, and sets the exit code. */
export async function runCommand(run: () => Promise<string>): Promise<void> {
  try {
    process.stdout.write(`${await run()}\n`);
  } catch (error) {
    process.exitCode = reportFault(error);
  }
}

/** Prints one line per fault: what is wrong and what to do, without a secret. Returns the exit code. */
export function reportFault(error: unknown): number {
  const [exitCode, lines] = explainFault(error);
  process.stderr.write(`${lines.replace(/^/gm, 'footnote: ')}\n`);
  return exitCode;
}

/**
 * Exit codes are those of sysexits.h, so that a supervisor can tell them apart: 78 the configuration must be changed, 69
 * something it depends on is not reachable now, 75 another Footnote still uses the data directory or the address, 64 wrong
 * arguments, 70 a bug.
 */
function explainFault(error: unknown): readonly [exitCode: number, lines: string] {
  if (error instanceof UsageError) return [64, error.message];
  if (error instanceof ConfigError) return [78, error.message];
  if (error instanceof StoreError) return [STORE_FAULTS[error.code] ?? 78, error.message];
  if (error instanceof AddressInUse)
    return [
      75,
      'HOST, PORT: another Footnote still listens there: wait until it has stopped, or choose another PORT',
    ];
  if (error instanceof Failure) {
    const isRefused = error.kind === 'not-authorised' || error.kind === 'rejected';
    return [isRefused ? 78 : 69, error.remedy ?? error.message];
  }
  if (isListenFault(error))
    return [78, `HOST, PORT: cannot listen there (${error.code}): choose another PORT or HOST`];
  return [70, `unexpected fault: ${error instanceof Error ? error.stack : String(error)}`];
}

const STORE_FAULTS: Partial<Record<StoreError['code'], number>> = {
  'data-dir-locked': 75,
  'database-unreachable': 69,
};

function isListenFault(error: unknown): error is Error & { code: string } {
  if (!(error instanceof Error && 'syscall' in error && 'code' in error)) return false;
  // Names are looked up before listening; those of Slack, Discord and Postgres come as failures of theirs.
  return error.syscall === 'listen' || error.syscall === 'getaddrinfo';
}
