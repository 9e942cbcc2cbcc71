import { sleep } from '../../src/core/sleep.ts';
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
  /** SIGKILL, as a crash would; it is started again after a second. */
  kill(): void;
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
    const exit = await running.exited;
    running = null;
    return `It ended (${exit}) and is started again.`;
  };
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const note = await runOnce();
      if (stopping.signal.aborted) return;
      become({ state: 'down', note });
      await sleep(Math.min(RESTART_MS * 2 ** Math.max(0, failures - 1), LONGEST_RESTART_MS), stopping.signal);
    }
  };
  const ended = loop();

  return {
    status: () => status,
    kill: () => void running?.kill('SIGKILL'),
    restart: () => void running?.stop(),
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
