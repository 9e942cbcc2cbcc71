import { type ConstructorOptions, PgBoss, type QueueOptions } from 'pg-boss';
import type { Log } from '../core/ports.ts';
import type { Sql } from './sql.ts';

/** Runs after the first. A job that ends the whole process must not be run for ever. */
export const RETRY_LIMIT = 8;

/** A repeated id is recognised by its finished job. 24 hours are promised. */
const KEEP_FINISHED_SECONDS = 2 * 24 * 3600;
/** Longer than any answer: a job that still runs then hangs, and is run again. */
const EXPIRE_SECONDS = 1_800;

/**
 * Starts pg-boss on our database handle: it installs or migrates its tables (schema `pgboss`) and looks after expiry and
 * deletion. Fetching, heartbeats and takeover are ours (`dispatcher.ts`, `heartbeat.ts`).
 * `onWake` is called with a queue's name when a process has a job for it, and with null when that may have been missed.
 */
export async function startBoss(sql: Sql, onWake: (queue: string | null) => void, log: Log): Promise<PgBoss> {
  const { listen } = sql;
  const options: ConstructorOptions = {
    db: {
      ...sql.upkeep,
      ...(listen && { listen: (channel: string) => listen(channel, onWake, () => onWake(null)) }),
    },
    backend: sql.kind,
    useListenNotify: listen !== undefined,
    schedule: false,
    registerInstance: false,
    monitorVacuum: false,
    reindex: sql.kind === 'postgres',
    openTelemetry: { enabled: false },
    maintenanceIntervalSeconds: 3600,
  };
  const boss = new PgBoss(options);
  boss.on('error', (error) => log.warn({ err: error }, 'queue upkeep failed; it is tried again'));
  boss.on('warning', (warning) => log.warn({ warning: warning.message }, 'queue upkeep warns'));
  await boss.start();
  return boss;
}

/** Creates the queue, or gives it the options of this version. */
export async function ensureQueue(boss: PgBoss, name: string, sql: Sql): Promise<void> {
  const options: QueueOptions & { notify: boolean } = {
    retryLimit: RETRY_LIMIT,
    retryDelay: 1,
    expireInSeconds: EXPIRE_SECONDS,
    deleteAfterSeconds: KEEP_FINISHED_SECONDS,
    notify: sql.kind === 'postgres',
  };
  await boss.createQueue(name, { ...options, policy: 'key_strict_fifo' });
  // An existing queue was left as it is.
  await boss.updateQueue(name, options);
}
