import { createKeyedQueue } from '../core/concurrency.ts';
import type {
  ModelRateLimiter,
  RequestKind,
  RequestRate,
  RequestRates,
  RequestSlot,
} from '../core/model-rate-limiter.ts';
import type { Queryable, Sql } from './sql.ts';

/** The reservation of a kind without a limit. */
const UNLIMITED: RequestSlot = { id: '', waitMs: 0, ahead: 0 };

/** How much later a request may arrive than the one before it did, in milliseconds: connections are not equally fast. */
const SECOND_MARGIN_MS = 200;
const MINUTE_MARGIN_MS = 500;

/**
 * The model's rate limiter on SQL: a row per reservation with the time it may be sent, by the database's clock. What changes
 * the order holds the lock of its budget. `account` stands for the key without telling it. Another configured rate begins a
 * new budget.
 */
export function createModelRateLimiter(sql: Sql, account: string, rates: RequestRates): ModelRateLimiter {
  // One transaction of each budget at a time: more would wait for its lock, each on a connection of its own.
  const inOrder = createKeyedQueue();
  /** What the API said last: it says so with every response. */
  const known = new Map<RequestKind, number>();
  const change = <T>(budget: Budget, run: (tx: Queryable, name: string) => Promise<T>): Promise<T> =>
    inOrder(budget.name, () =>
      sql.tx(async (tx) => {
        await tx.query(BEGIN, [budget.name, budget.perSecond, budget.perMinute]);
        return run(tx, budget.name);
      }),
    );
  const findBudget = (kind: RequestKind): Budget | null => createBudget(account, kind, rates[kind]);

  return {
    async reserve(kind, holder) {
      const budget = findBudget(kind);
      return budget ? change(budget, (tx, name) => keepOrInsertSlot(tx, name, holder)) : UNLIMITED;
    },
    async tryReserve(kind, withinMs) {
      const budget = findBudget(kind);
      return budget ? change(budget, (tx, name) => insertNearSlot(tx, name, withinMs)) : UNLIMITED;
    },
    async find(id) {
      if (id === UNLIMITED.id) return UNLIMITED;
      const [slot] = await sql.query<RequestSlot>(FIND, [id]);
      return slot ?? null;
    },
    async release(id) {
      if (id === UNLIMITED.id) return;
      const [budget] = await sql.query<Budget>(BUDGET_OF, [id]);
      if (budget) await change(budget, (tx, name) => deleteSlot(tx, name, id));
    },
    async blockFor(kind, ms, isGuessed = false) {
      const budget = findBudget(kind);
      if (budget) await change(budget, (tx, name) => block(tx, name, ms, isGuessed));
      return budget !== null;
    },
    async learn(kind, perMinute) {
      const budget = findBudget(kind);
      if (!budget || known.get(kind) === perMinute) return;
      known.set(kind, perMinute);
      await change(budget, (tx) => learn(tx, budget, perMinute));
    },
  };
}

interface Budget extends RequestRate {
  readonly name: string;
}

/** Null where nothing is limited. */
function createBudget(account: string, kind: RequestKind, rate: RequestRate): Budget | null {
  const { perSecond, perMinute } = rate;
  if (perSecond === null && perMinute === null) return null;
  return { ...rate, name: [account, kind, perSecond, perMinute].join(':') };
}

async function keepOrInsertSlot(tx: Queryable, budget: string, holder?: string): Promise<RequestSlot> {
  const [kept] = holder === undefined ? [] : await tx.query<RequestSlot>(HELD, [budget, holder]);
  return kept ?? insertSlot(tx, budget, holder);
}

async function insertSlot(tx: Queryable, budget: string, holder?: string): Promise<RequestSlot> {
  const [row] = await tx.query<{ id: string }>(INSERT, [budget, holder ?? null]);
  const [slot] = await tx.query<RequestSlot>(PLACE, [row?.id]);
  return slot ?? UNLIMITED;
}

async function insertNearSlot(tx: Queryable, budget: string, withinMs: number): Promise<RequestSlot | null> {
  const slot = await insertSlot(tx, budget);
  if (slot.waitMs <= withinMs) return slot;
  await tx.query(DELETE, [slot.id]);
  return null;
}

async function deleteSlot(tx: Queryable, budget: string, id: string): Promise<void> {
  const deleted = await tx.query(DELETE, [id]);
  if (deleted.length > 0) await reschedule(tx, budget, id);
}

async function block(tx: Queryable, budget: string, ms: number, isGuessed: boolean): Promise<void> {
  if (isGuessed) await tx.query(SLOW_DOWN, [budget]);
  const [blocked] = await tx.query<{ isInTheWay: boolean }>(BLOCK, [budget, ms]);
  if (blocked?.isInTheWay) await reschedule(tx, budget, '0');
}

async function learn(tx: Queryable, { name, ...rate }: Budget, perMinute: number): Promise<void> {
  const { perSecond, mayRise } = rate;
  const minute = mayRise ? perMinute : Math.min(perMinute, rate.perMinute ?? perMinute);
  // As in all of Perplexity's tiers.
  const second = perSecond === null || !mayRise ? perSecond : Math.max(1, Math.round(minute / 60));
  const learned = await tx.query(LEARN, [name, second, minute]);
  if (learned.length > 0) await reschedule(tx, name, '0');
}

/** Gives the waiting reservations behind `id` new times, in their order. */
async function reschedule(tx: Queryable, budget: string, id: string): Promise<void> {
  for (const waiting of await tx.query<{ id: string }>(WAITING, [budget, id])) {
    await tx.query(PLACE, [waiting.id]);
  }
}

// Its lock is held until the end of the transaction.
const BEGIN = `
  insert into footnote.request_budgets (budget, per_second, per_minute) values ($1, $2, $3)
  on conflict (budget) do update set used_at = clock_timestamp()`;

const INSERT = `
  insert into footnote.request_slots (budget, at, holder) values ($1, clock_timestamp(), $2)
  returning id::text as id`;

/** The time of the nth reservation before `s`, which may be many fewer. */
function timeBefore(n: string): string {
  return `(
    select p.at from footnote.request_slots p where p.budget = s.budget and p.id < s.id
    order by p.id desc limit 1 offset ${n} - 1)`;
}

const SLOT = `
  s.id::text as id,
  (extract(epoch from s.at - clock_timestamp()) * 1000)::float8 as "waitMs",
  (select count(*)::int from footnote.request_slots p
   where p.budget = s.budget and p.id < s.id and p.at > clock_timestamp()) as ahead`;

const HELD = `
  select ${SLOT} from footnote.request_slots s
  where s.budget = $1 and s.holder = $2 and s.at > clock_timestamp() order by s.id desc limit 1`;

const FIND = `select ${SLOT} from footnote.request_slots s where id = $1`;

const SLOWNESS = '(case when b.slowed_until > clock_timestamp() then 2 else 1 end)';

// Not before its predecessors, and so late that no second and no minute holds more than it may.
const PLACE = `
  update footnote.request_slots s set at = greatest(
    clock_timestamp(), b.blocked_until, ${timeBefore('1')},
    case when b.per_second is not null
      then ${timeBefore('b.per_second')} + ${SLOWNESS} * interval '${1_000 + SECOND_MARGIN_MS} milliseconds' end,
    case when b.per_minute is not null
      then ${timeBefore('b.per_minute')} + ${SLOWNESS} * interval '${60_000 + MINUTE_MARGIN_MS} milliseconds' end)
  from footnote.request_budgets b
  where s.id = $1 and b.budget = s.budget
  returning ${SLOT}`;

const WAITING = `
  select id::text as id from footnote.request_slots
  where budget = $1 and id > $2 and at > clock_timestamp() order by id`;

const BUDGET_OF = `
  select budget as name, per_second as "perSecond", per_minute as "perMinute"
  from footnote.request_budgets
  where budget = (select budget from footnote.request_slots where id = $1)`;

const DELETE = `
  delete from footnote.request_slots where id = $1 and at > clock_timestamp() returning 1 as ok`;

const SLOW_DOWN = `
  update footnote.request_budgets set slowed_until = clock_timestamp() + interval '10 minutes' where budget = $1`;

const LEARN = `
  update footnote.request_budgets set per_second = $2, per_minute = $3
  where budget = $1 and (per_second is distinct from $2 or per_minute is distinct from $3)
  returning 1 as ok`;

const BLOCK = `
  update footnote.request_budgets set blocked_until = clock_timestamp() + $2 * interval '1 millisecond'
  where budget = $1
    and (blocked_until is null or blocked_until < clock_timestamp() + $2 * interval '1 millisecond')
  returning exists (
    select 1 from footnote.request_slots s
    where s.budget = $1 and s.at > clock_timestamp() and s.at < blocked_until) as "isInTheWay"`;
