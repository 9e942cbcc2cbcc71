import type { Client } from 'pg';
import { sleep, untilAborted } from '../core/concurrency.ts';
import type { Log } from '../core/ports.ts';
import { connectionConfig } from './postgres.ts';
import { holdSession, type SessionUse } from './postgres-session.ts';

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
  const decided = Promise.withResolvers<void>();
  /** Set by `stop`; by `performance.now`. */
  let handOverUntil: number | null = null;

  const claim: SessionUse = async (client, over) => {
    await standBy(client, keys);
    for (;;) {
      const isOurs = await lock(client, 'pg_try_advisory_lock', keys.owner);
      if (over.aborted) return;
      if (isOurs) break;
      decided.resolve();
      await sleep(BEAT_MS, over);
    }
    log.info({ lease: name }, 'lease acquired');
    await serve(duties, decided.resolve, async () => {
      await lock(client, 'pg_advisory_unlock_shared', keys.waiting);
      await untilAborted(over);
      // Without the database there is nobody to hand over to that we could know of.
      if (handOverUntil === null) log.warn({ lease: name }, 'lease lost');
      else await handOver(client, keys, handOverUntil).catch(() => {});
    });
  };
  const session = holdSession(connectionConfig(databaseUrl), claim, log);
  return {
    decided: decided.promise,
    async stop(handOverMs = HAND_OVER_MS) {
      handOverUntil = performance.now() + handOverMs;
      await session.close();
      decided.resolve();
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

/** Frees the lease and waits until another process serves, at most until `deadline`; not at all when there is no other. */
async function handOver(client: Client, keys: Keys, deadline: number): Promise<void> {
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
  const stopped = new AbortController();
  const decided = Promise.withResolvers<void>();
  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await serve(duties, decided.resolve, () => untilAborted(stopped.signal));
      await sleep(BEAT_MS, stopped.signal);
    }
  };
  const running = run();
  return {
    decided: decided.promise,
    async stop() {
      stopped.abort();
      await running;
    },
  };
}

/** Does what the owner of a lease does until `untilOver` has settled; not at all when it cannot be taken up. */
async function serve(
  { acquired, lost, log }: LeaseDuties,
  onTried: () => void,
  untilOver: () => Promise<void>,
): Promise<void> {
  try {
    await acquired();
  } catch (error) {
    log.error({ err: error }, 'a lease could not be taken up');
    return;
  } finally {
    onTried();
  }
  try {
    await untilOver();
  } finally {
    await lost().catch((error: unknown) => log.error({ err: error }, 'a lost lease could not be wound up'));
  }
}
