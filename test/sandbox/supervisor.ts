import { sleep } from '../../src/core/concurrency.ts';
import {
  type ServiceOptions,
  type ServiceProcess,
  ServiceStartError,
  startService,
} from '../support/service.ts';
import type { ServiceStatus } from './page-state.ts';

/** Keeps the service running: whenever it ends by itself it is started again. */
export interface Supervisor {
  status(): ServiceStatus;
  /** SIGKILL, as a crash would; it is started again after a second, or held down until `start`. */
  kill(isHeld?: boolean): void;
  /** Starts it again at once when it is held down. */
  start(): void;
  /** SIGTERM, as an update would; it is started again after a second. */
  restart(): void;
  /** Ends the service in order and does not start it again. */
  stop(): Promise<void>;
}

const STOP_WITHIN_MS = 10_000;
const RESTART_MS = 1_000;
/** A service that cannot even start is tried less and less often. */
const LONGEST_RESTART_MS = 15_000;

/** @param changed called whenever `status()` says something new. */
export function superviseService(options: ServiceOptions, changed: () => void): Supervisor {
  const stopping = new AbortController();
  let status: ServiceStatus = { state: 'starting', starts: 0, note: null };
  let running: ServiceProcess | null = null;
  let failures = 0;
  let held: { readonly over: Promise<void>; readonly end: () => void } | null = null;
  const release = (): void => {
    held?.end();
    held = null;
  };
  const hold = (): void => {
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    held ??= { over, end };
  };
  stopping.signal.addEventListener('abort', release);
  const become = (next: Partial<ServiceStatus>): void => {
    status = { ...status, ...next };
    changed();
  };

  const runOnce = async (): Promise<string> => {
    become({ state: 'starting', starts: status.starts + 1 });
    try {
      running = await startService({ ...options, signal: stopping.signal });
    } catch (error) {
      failures++;
      if (error instanceof ServiceStartError)
        return firstLine(error.stderr) ?? `It ended with ${error.exit}.`;
      throw error;
    }
    failures = 0;
    become({ state: 'ready', note: null });
    if (stopping.signal.aborted) await running.stop();
    else if (held) await running.kill('SIGKILL');
    const exit = await running.exited;
    running = null;
    return held ? `It ended (${exit}).` : `It ended (${exit}) and is started again.`;
  };
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const note = await runOnce();
      if (stopping.signal.aborted) return;
      become({ state: 'down', note });
      const pauseMs = Math.min(RESTART_MS * 2 ** Math.max(0, failures - 1), LONGEST_RESTART_MS);
      if (!held) await sleep(pauseMs, stopping.signal);
      await held?.over;
    }
  };
  const ended = loop();

  return {
    status: () => status,
    kill(isHeld = false) {
      if (isHeld) hold();
      void running?.kill('SIGKILL');
    },
    start: release,
    restart() {
      release();
      void running?.stop();
    },
    async stop() {
      stopping.abort();
      const impatience = setTimeout(() => void running?.kill('SIGKILL'), STOP_WITHIN_MS);
      await running?.stop();
      await ended;
      clearTimeout(impatience);
    },
  };
}

function firstLine(text: string): string | null {
  return text.trim().split('\n')[0] || null;
}
