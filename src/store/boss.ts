import type { ConstructorOptions, PgBoss, QueueOptions } from 'pg-boss';
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
 * `onWake` is called with a queue's name when another process has added a job, and with null when that may have been missed.
 */
export async function startBoss(
  sql: Sql,
  onWake: (queue: string | null) => void,
  log: Log,
): Promise<StartedBoss> {
  const { PgBoss } = await import('pg-boss');
  let channel: string | null = null;
  const { listen } = sql;
  const options: ConstructorOptions = {
    db: {
      ...sql.upkeep,
      ...(listen && {
        async listen(name: string) {
          channel = name;
          return listen(name, onWake, () => onWake(null));
        },
      }),
    },
    backend: sql.kind,
    useListenNotify: listen !== undefined,
    schedule: false,
    registerInstance: false,
    monitorVacuum: false,
    reindex: sql.kind === 'postgres',
    openTelemetry: { enabled: false },
    superviseIntervalSeconds: 60,
    monitorIntervalSeconds: 60,
    maintenanceIntervalSeconds: 3600,
  };
  const boss = new PgBoss(options);
  boss.on('error', (error) => log.warn({ err: error }, 'queue upkeep failed; it is tried again'));
  boss.on('warning', (warning) => log.warn({ warning: warning.message }, 'queue upkeep warns'));
  await boss.start();
  return { boss, channel: () => channel };
}

/** pg-boss, running. */
export interface StartedBoss {
  readonly boss: PgBoss;
  /** Where `pg_notify` wakes the other processes; null on PGlite. */
  channel(): string | null;
}

/** Creates the queue, or gives it the options of this version where it has others. */
export async function ensureQueue(boss: PgBoss, name: string, sql: Sql): Promise<void> {
  const options: QueueOptions & { notify: boolean } = {
    retryLimit: RETRY_LIMIT,
    retryDelay: 1,
    expireInSeconds: EXPIRE_SECONDS,
    deleteAfterSeconds: KEEP_FINISHED_SECONDS,
    notify: sql.kind === 'postgres',
  };
  const found = await boss.getQueue(name);
  if (!found) await boss.createQueue(name, { ...options, policy: 'key_strict_fifo' });
  else if (differs({ ...found }, options)) await boss.updateQueue(name, options);
  // Has pg-boss cache the queue. Inside a transaction on PGlite its look-up of an unknown queue would wait for that transaction.
  await boss.getBlockedKeys(name, { limit: 1 });
}

function differs(found: Readonly<Record<string, unknown>>, wanted: object): boolean {
  return Object.entries(wanted).some(([option, value]) => found[option] !== value);
}
