import type { Client } from 'pg';
import type { Log } from '../core/ports.ts';
import { connectionConfig } from './postgres.ts';
import { holdSession } from './postgres-session.ts';

/** What happens when this process gets, or no longer has, the one place there is. Never called at the same time. */
export interface LeaseDuties {
  /** If it rejects, the lease is given up and tried for again; `lost` is not called then. */
  acquired(): Promise<void>;
  /** The lease is gone, or is about to be given back: stop at once whatever only one process may do. */
  lost(): Promise<void>;
  readonly log: Log;
}

export interface Lease {
  /** Resolves once it is known whether the lease is ours and, if it is, `acquired` has been tried. Never rejects. */
  readonly decided: Promise<void>;
  /** Calls `lost` if need be, then lets another process have the lease. */
  stop(): Promise<void>;
}

/** A free lease is found this late; a broken connection is noticed within this and the session's timeout of 3 s. */
const BEAT_MS = 2_000;
/** The server itself ends a silent session, so that a frozen process or a vanished machine does not keep its lease. */
const SILENT = '8s';

/**
 * Lets one process at a time, of all that share the database, hold the lease `name`: a session's advisory lock. When its
 * holder dies another has it within some 3 s, when it freezes or its machine vanishes within some 11 s.
 */
export function holdPostgresLease(databaseUrl: string, name: string, duties: LeaseDuties): Lease {
  const { log } = duties;
  let held = false;
  let stopping = false;
  const decided = Promise.withResolvers<void>();
  const follow = createFollower(
    duties,
    () => held,
    () => session.renew(),
  );

  const beat = async (client: Client): Promise<void> => {
    if (held || stopping) {
      await client.query('select 1');
      return;
    }
    const { rows } = await client.query<{ got: boolean }>(
      'select pg_try_advisory_lock(hashtextextended($1, 0)) as got',
      [`footnote.lease.${name}`],
    );
    held = rows[0]?.got === true && !stopping;
    if (held) log.info({ lease: name }, 'lease acquired');
    void follow().then(decided.resolve);
  };
  const session = holdSession(
    connectionConfig(databaseUrl),
    {
      async up(client) {
        // Servers older than 14 do not know it: there a vanished machine keeps the lease until TCP gives up.
        await client.query(`set idle_session_timeout = '${SILENT}'`).catch(() => {});
      },
      beat,
      down() {
        if (held) log.warn({ lease: name }, 'lease lost');
        held = false;
        void follow();
      },
      beatMs: BEAT_MS,
    },
    log,
  );
  return {
    decided: decided.promise,
    async stop() {
      stopping = true;
      held = false;
      decided.resolve();
      await follow();
      await session.stop();
    },
  };
}

/** The embedded database has one owner: the lease is ours from the start. */
export function holdOnlyLease(duties: LeaseDuties): Lease {
  let held = true;
  const follow = createFollower(
    duties,
    () => held,
    () => setTimeout(() => void follow(), BEAT_MS).unref(),
  );
  return {
    decided: follow(),
    async stop() {
      held = false;
      await follow();
    },
  };
}

/** Brings what the duties were told in line with what is, one call after the other; changes while one runs come after it. */
function createFollower(
  { acquired, lost, log }: LeaseDuties,
  isHeld: () => boolean,
  giveUp: () => void,
): () => Promise<void> {
  let told = false;
  let last: Promise<void> = Promise.resolve();
  const run = async (): Promise<void> => {
    while (told !== isHeld()) {
      if (told) {
        told = false;
        await lost().catch((error: unknown) =>
          log.error({ err: error }, 'a lost lease could not be wound up'),
        );
      } else {
        try {
          await acquired();
          told = true;
        } catch (error) {
          log.error({ err: error }, 'a lease could not be taken up');
          giveUp();
          return;
        }
      }
    }
  };
  return () => {
    last = last.then(run);
    return last;
  };
}
