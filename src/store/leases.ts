import type { Client } from 'pg';
import { sleep } from '../core/concurrency.ts';
import type { Log } from '../core/ports.ts';
import { connectionConfig } from './postgres.ts';
import { holdSession } from './postgres-session.ts';

/** What the owner of a lease does. The two are never called at the same time. */
export interface LeaseDuties {
  /**
   * The lease is ours: start what only one process does, and resolve once it works, within a limit of its own. On a planned
   * restart the process before still does the same until then, so that nothing is missed: whatever arrives at both must be
   * de-duplicated by its id. If it rejects, the lease is given up and tried for again; `lost` is not called then.
   */
  acquired(): Promise<void>;
  /** The lease is gone, was handed over, or is about to be given back: stop at once what only one process does. */
  lost(): Promise<void>;
  readonly log: Log;
}

/** The claim of this process to a lease, whether it owns it or waits for it. */
export interface Lease {
  /** Resolves once it is known whether the lease is ours and, if it is, `acquired` has been tried. Never rejects. */
  readonly decided: Promise<void>;
  /**
   * Gives the lease up. If it is ours and another process waits for it, that one takes over first: `lost` is called when its
   * `acquired` has resolved, or after `handOverMs` (10 s unless given). Without another process it is called at once.
   */
  stop(handOverMs?: number): Promise<void>;
}

/** A free lease is found this late; a broken connection is noticed within this and the session's timeout of 3 s. */
const BEAT_MS = 2_000;
/** The server itself ends a silent session, so that a frozen process or a vanished machine does not keep its lease. */
const SILENT = '8s';
/** A beat until the successor finds the lease free, and some seconds for it to log in. */
const HAND_OVER_MS = 10_000;
const HAND_OVER_POLL_MS = 200;
/** A successor that fails to log in connects again after 1 s; one that is not seen for longer is gone. */
const SUCCESSOR_GONE_MS = 3_000;

/**
 * Lets one process at a time, of all that share the database, own the lease `name`: a session's advisory lock. When its
 * owner dies another has it within some 3 s, when it freezes or its machine vanishes within some 11 s.
 *
 * A second, shared lock marks the processes that do not serve: those that wait, and an owner whose `acquired` has not resolved
 * yet. An owner that leaves can tell from the two whether it has a successor, and whether that one serves.
 */
export function holdPostgresLease(databaseUrl: string, name: string, duties: LeaseDuties): Lease {
  const { log } = duties;
  const keys: Keys = { owner: `footnote.lease.${name}`, waiting: `footnote.lease.${name}.waiting` };
  const state = { owned: false, stopping: false };
  let connected: Client | null = null;
  const decided = Promise.withResolvers<void>();
  const giveUp = (): void => session.renew();
  const follow = createFollower(duties, () => state.owned, giveUp);

  const serve = async (client: Client): Promise<void> => {
    const isServing = await follow();
    decided.resolve();
    if (isServing) await lock(client, 'pg_advisory_unlock_shared', keys.waiting);
  };
  const session = holdSession(
    connectionConfig(databaseUrl),
    {
      async up(client) {
        connected = client;
        await standBy(client, keys);
      },
      async beat(client) {
        if (state.owned || state.stopping) return void (await client.query('select 1'));
        const got = await lock(client, 'pg_try_advisory_lock', keys.owner);
        state.owned = got && !state.stopping;
        if (state.owned) log.info({ lease: name }, 'lease acquired');
        // A broken connection is noticed by the next beat.
        void serve(client).catch(() => {});
      },
      down() {
        connected = null;
        if (state.owned) log.warn({ lease: name }, 'lease lost');
        state.owned = false;
        void follow();
      },
      beatMs: BEAT_MS,
    },
    log,
  );
  return {
    decided: decided.promise,
    async stop(handOverMs = HAND_OVER_MS) {
      state.stopping = true;
      // Without the database there is nobody to hand over to that we could know of.
      if (state.owned && connected) await handOver(connected, keys, handOverMs).catch(() => {});
      state.owned = false;
      decided.resolve();
      await follow();
      await session.stop();
    },
  };
}

interface Keys {
  readonly owner: string;
  readonly waiting: string;
}

async function standBy(client: Client, keys: Keys): Promise<void> {
  // Servers older than 14 do not know it: there a vanished machine keeps the lease until TCP gives up.
  await client.query(`set idle_session_timeout = '${SILENT}'`).catch(() => {});
  await lock(client, 'pg_advisory_lock_shared', keys.waiting);
}

/** Calls one of Postgres' lock functions; resolves with what it returns, false where that is nothing. */
async function lock(client: Client, call: string, key: string): Promise<boolean> {
  const text = `select ${call}(hashtextextended($1, 0)) as result`;
  const { rows } = await client.query<{ result: unknown }>(text, [key]);
  return rows[0]?.result === true;
}

/** Frees the lease and waits until another process serves, at most `withinMs`; not at all when there is no other. */
async function handOver(client: Client, keys: Keys, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  await lock(client, 'pg_advisory_unlock', keys.owner);
  let seenAt = -Infinity;
  while (performance.now() < deadline) {
    const { rows } = await client.query<Others>(OTHERS, [keys.owner, keys.waiting]);
    if (rows[0]?.isThere) seenAt = performance.now();
    if (rows[0]?.isServing || performance.now() - seenAt > SUCCESSOR_GONE_MS) return;
    await sleep(HAND_OVER_POLL_MS);
  }
}

interface Others {
  readonly isThere: boolean;
  readonly isServing: boolean;
}

/** Of the other processes: whether there are any, and whether one owns the lease and does not wait any more. */
const OTHERS = `
  with locks as (
    select pid, (classid::bigint << 32) | objid::bigint as key from pg_locks
    where locktype = 'advisory' and granted and objsubid = 1 and pid <> pg_backend_pid()
      and database = (select oid from pg_database where datname = current_database())
  ), owners as (
    select pid from locks where key = hashtextextended($1, 0)
  ), waiting as (
    select pid from locks where key = hashtextextended($2, 0)
  )
  select exists (select pid from owners union all select pid from waiting) as "isThere",
    exists (select pid from owners except select pid from waiting) as "isServing"`;

/** The embedded database has one owner: the lease is ours from the start. */
export function holdOnlyLease(duties: LeaseDuties): Lease {
  let owned = true;
  const follow = createFollower(
    duties,
    () => owned,
    () => setTimeout(() => void follow(), BEAT_MS).unref(),
  );
  return {
    decided: follow().then(() => {}),
    async stop() {
      owned = false;
      await follow();
    },
  };
}

/**
 * Brings what the duties were told in line with what is, one call after the other; changes while one runs come after it.
 * Each call resolves with whether the duties are being done then.
 */
function createFollower(
  { acquired, lost, log }: LeaseDuties,
  isOwned: () => boolean,
  giveUp: () => void,
): () => Promise<boolean> {
  let told = false;
  let last = Promise.resolve(false);
  const run = async (): Promise<boolean> => {
    while (told !== isOwned()) {
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
          return false;
        }
      }
    }
    return told;
  };
  return () => {
    last = last.then(run);
    return last;
  };
}
