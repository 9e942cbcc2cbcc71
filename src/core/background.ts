import type { Log } from './ports.ts';

/** Lets a side task run beside the main line; its failure is a log line and never stops anything. */
export function inBackground(log: Log, what: string, task: Promise<unknown>): void {
  task.catch((error: unknown) => log.warn({ err: error, task: what }, 'side task failed'));
}
