import type { Log } from '../../../src/core/ports.ts';

/** A log for tests that are not about it. */
export const silentLog: Log = {
  trace: () => {},
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLog,
};
