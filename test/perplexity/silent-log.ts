import type { Log } from '../../src/core/ports.ts';

/** A log that keeps its warnings and errors. */
export function createSilentLog(): { log: Log; warnings: string[]; errors: string[] } {
  const warnings: string[] = [];
  const errors: string[] = [];
  const quiet = (): void => undefined;
  const log: Log = {
    trace: quiet,
    debug: quiet,
    info: quiet,
    warn: (_fields, message) => void warnings.push(message),
    error: (_fields, message) => void errors.push(message),
    child: () => log,
  };
  return { log, warnings, errors };
}
