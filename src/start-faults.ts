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
    process.stderr.write(`${explainStart(error)}\n`);
    process.exitCode = exitCodeOf(error);
  }
}

/**
 * Exit codes of a start that failed, from sysexits.h, so that a supervisor can tell them apart: 78 the configuration must be
 * changed, 69 something it depends on is not reachable now, 75 another Footnote still uses the data directory or the address,
 * 64 wrong arguments, 70 a bug.
 */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return 64;
  if (error instanceof ConfigError) return 78;
  if (error instanceof StoreError) {
    if (error.code === 'data-dir-locked') return 75;
    return error.code === 'database-unreachable' ? 69 : 78;
  }
  if (error instanceof AddressInUse) return 75;
  if (error instanceof Failure) return error.kind === 'not-authorised' || error.kind === 'rejected' ? 78 : 69;
  return isListenFault(error) ? 78 : 70;
}

/** One line per fault: what is wrong and what to do, without a secret. */
export function explainStart(error: unknown): string {
  if (error instanceof ConfigError) {
    return error.faults.map(({ variable, remedy }) => `footnote: ${variable}: ${remedy}`).join('\n');
  }
  if (error instanceof StoreError || error instanceof UsageError) return `footnote: ${error.message}`;
  if (error instanceof AddressInUse)
    return 'footnote: HOST, PORT: another Footnote still listens there: wait until it has stopped, or choose another PORT';
  if (error instanceof Failure) return `footnote: ${error.remedy ?? error.message}`;
  if (isListenFault(error))
    return `footnote: HOST, PORT: cannot listen there (${error.code}): choose another PORT or HOST`;
  return `footnote: unexpected fault: ${error instanceof Error ? error.stack : String(error)}`;
}

function isListenFault(error: unknown): error is Error & { code: string } {
  if (!(error instanceof Error && 'syscall' in error && 'code' in error)) return false;
  // Names are looked up before listening; those of Slack, Discord and Postgres come as failures of theirs.
  return error.syscall === 'listen' || error.syscall === 'getaddrinfo';
}
