import type { Log } from '../../src/core/ports.ts';

/** A log that keeps its warnings. */
export function createSilentLog(): { log: Log; warnings: string[] } {
  const warnings: string[] = [];
  const quiet = (): void => undefined;
  const log: Log = {
    trace: quiet,
    debug: quiet,
    info: quiet,
    warn: (_fields, message) => void warnings.push(message),
    error: quiet,
    child: () => log,
  };
  return { log, warnings };
}
