import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ModelRateLimiter, RequestRate, RequestSlot } from '../../src/core/model-rate-limiter.ts';
import { createModelRateLimiter } from '../../src/store/model-rate-limiter.ts';
import { deleteExpired } from '../../src/store/retention.ts';
import type { Sql } from '../../src/store/sql.ts';

const NONE: RequestRate = { perSecond: null, perMinute: null, mayRise: false };

type Rate = Pick<RequestRate, 'perSecond' | 'perMinute'> & { readonly mayRise?: boolean };

/** `another` is a second connection to the same database: another replica. */
export function modelRateLimiterContract(
  sql: () => Sql,
  another: () => Promise<{ readonly sql: Sql; close(): Promise<void> }>,
): void {
  const account = (): string => randomUUID();
  const limiter = (rate: Rate, name = account(), on = sql()): ModelRateLimiter => {
    const agent = { mayRise: true, ...rate };
    return createModelRateLimiter(on, name, { agent, chat: agent, 'chat-submit': NONE, 'chat-poll': NONE });
  };
  const reserve = async (of: ModelRateLimiter, count: number): Promise<RequestSlot[]> => {
    const slots: RequestSlot[] = [];
    for (let n = 0; n < count; n++) slots.push(await of.reserve('agent'));
    return slots;
  };
  /** When they may go, in milliseconds, earliest first. */
  const timesOf = async (slots: readonly RequestSlot[]): Promise<number[]> => {
    const text = `select (extract(epoch from at) * 1000)::float8 as at from footnote.request_slots
      where id = any($1::bigint[]) order by at`;
    const rows = await sql().query<{ at: number }>(text, [slots.map(({ id }) => id)]);
    return rows.map(({ at }) => at);
  };
  /** The same in seconds after the first of them, rounded to a tenth. */
  const waits = async (slots: readonly RequestSlot[]): Promise<number[]> => {
    const times = await timesOf(slots);
    return times.map((at) => Math.round((at - (times[0] ?? 0)) / 100) / 10);
  };

  describe('reservations of requests', () => {
    it('keep within the second and the minute, however many ask at once, on two replicas', async () => {
      const replica = await another();
      const name = account();
      const rate = { perSecond: 3, perMinute: 10 };
      const both = [limiter(rate, name), limiter(rate, name, replica.sql)] as const;
      const slots = await Promise.all(
        Array.from({ length: 34 }, (_, n) => both[n % 2 ? 1 : 0].reserve('agent')),
      );
      const times = await timesOf(slots);
      for (const [n, at] of times.entries()) {
        expect(at - (times[n - 3] ?? -Infinity)).toBeGreaterThan(1_100);
        expect(at - (times[n - 10] ?? -Infinity)).toBeGreaterThan(60_400);
      }
      // No later than that takes: 10 a minute, in bursts of 3.
      expect(times.at(-1)! - times[0]!).toBeLessThan(3 * 60_500 + 2 * 1_200 + 2_000);
      await replica.close();
    });

    it('go in the order they came, and know how many are ahead', async () => {
      const model = limiter({ perSecond: 1, perMinute: 50 });
      const slots = await reserve(model, 5);
      expect(slots.map(({ ahead }) => ahead)).toEqual([0, 0, 1, 2, 3]);
      expect(slots[0]!.waitMs).toBeLessThanOrEqual(0);
      expect(await waits(slots)).toEqual([0, 1.2, 2.4, 3.6, 4.8]);
    });

    it('are kept for whoever made them, also by another process, until their time has come', async () => {
      const replica = await another();
      const [name, rate] = [account(), { perSecond: 1, perMinute: 50 }];
      const [here, there] = [limiter(rate, name), limiter(rate, name, replica.sql)];
      const slots = [];
      for (const holder of ['q0', 'q1', 'q2', 'q3']) slots.push(await here.reserve('agent', holder));
      for (const n of [3, 1, 2]) expect((await there.reserve('agent', `q${n}`)).id).toBe(slots[n]?.id);
      expect(await there.reserve('agent', 'q4')).toMatchObject({ ahead: 3 });
      expect(await there.reserve('agent', 'q0')).toMatchObject({ ahead: 4 });
      await replica.close();
    });

    it('that would have to wait longer than that are not made', async () => {
      const model = limiter({ perSecond: 1, perMinute: 50 });
      expect(await model.tryReserve('agent', 0)).toMatchObject({ ahead: 0 });
      expect(await model.tryReserve('agent', 500)).toBeNull();
      expect(await model.tryReserve('agent', 1_500)).toMatchObject({ ahead: 0 });
    });

    it('move up when one before them is returned', async () => {
      const model = limiter({ perSecond: 1, perMinute: 50 });
      const slots = await reserve(model, 5);
      await model.release(slots[2]!.id);
      await model.release(slots[2]!.id);
      expect(await waits(slots)).toEqual([0, 1.2, 2.4, 3.6]);
      expect(await model.find(slots[4]!.id)).toMatchObject({ ahead: 2 });
    });

    it('are spent once their time has come, whether or not they are returned', async () => {
      const model = limiter({ perSecond: 1, perMinute: 50 });
      const [first] = await reserve(model, 1);
      await model.release(first!.id);
      expect((await model.reserve('agent')).waitMs).toBeGreaterThan(500);
    });

    it('wait for the end of a block in their order; a shorter block shortens none', async () => {
      const model = limiter({ perSecond: 1, perMinute: 50 });
      const slots = await reserve(model, 3);
      expect(await model.blockFor('agent', 30_000)).toBe(true);
      await model.blockFor('agent', 5_000);
      const found = await Promise.all(slots.map(({ id }) => model.find(id)));
      expect(found[0]!.waitMs).toBeLessThanOrEqual(0);
      expect(found[1]!.waitMs).toBeGreaterThan(28_000);
      expect(await waits(slots.slice(1))).toEqual([0, 1.2]);
      expect((await model.reserve('agent')).waitMs).toBeGreaterThan(found[2]!.waitMs);
    });

    it('are half as many for ten minutes after a refusal that does not say how long', async () => {
      const model = limiter({ perSecond: 1, perMinute: 50 });
      await model.blockFor('agent', 2_000, true);
      expect(await waits(await reserve(model, 4))).toEqual([0, 2.4, 4.8, 7.2]);
      await sql().query("update footnote.request_budgets set slowed_until = now() - interval '1 second'");
      await model.blockFor('agent', 20_000);
      expect(await waits(await reserve(model, 3))).toEqual([0, 1.2, 2.4]);
    });

    it('follow what the API says of the key, those too that wait already', async () => {
      const model = limiter({ perSecond: 1, perMinute: 50 });
      const slots = await reserve(model, 5);
      await model.learn('agent', 150);
      expect((await waits(slots)).at(-1)).toBeLessThan(3);
      await model.learn('agent', 50);
      expect((await waits(await reserve(model, 2))).at(-1)).toBe(1.2);
    });

    it('never exceed a rate that somebody has set, but may have to keep to less', async () => {
      const model = limiter({ perSecond: 3, perMinute: 100, mayRise: false });
      await model.learn('agent', 500);
      expect((await waits(await reserve(model, 4))).at(-1)).toBe(1.2);
      await model.learn('agent', 50);
      const rate =
        'select per_second, per_minute from footnote.request_budgets where per_minute = 50 and per_second = 3';
      expect(await sql().query(rate)).toHaveLength(1);
    });

    it('of another kind, key or configured rate are counted apart', async () => {
      const name = account();
      const rate = { perSecond: 1, perMinute: 50 };
      await reserve(limiter(rate, name), 3);
      const others = [
        await limiter(rate, name).reserve('chat'),
        await limiter(rate).reserve('agent'),
        await limiter({ ...rate, perMinute: 500 }, name).reserve('agent'),
      ];
      for (const { waitMs } of others) expect(waitMs).toBeLessThanOrEqual(0);
    });

    it('need no statement where nothing is limited', async () => {
      const unreachable = { ...sql(), query: failing, tx: failing };
      const model = limiter(NONE, account(), unreachable);
      const slot = await model.reserve('agent');
      expect(slot).toEqual({ id: expect.any(String), waitMs: 0, ahead: 0 });
      expect(await model.find(slot.id)).toEqual(slot);
      await model.release(slot.id);
      expect(await model.blockFor('agent', 1_000)).toBe(false);
    });

    it('are forgotten an hour after their time', async () => {
      const model = limiter({ perSecond: 1, perMinute: 50 });
      const [old, young] = await reserve(model, 2);
      const text = "update footnote.request_slots set at = now() - interval '61 minutes' where id = $1";
      await sql().query(text, [old!.id]);
      await deleteExpired(sql(), new AbortController().signal);
      expect(await model.find(old!.id)).toBeNull();
      expect(await model.find(young!.id)).not.toBeNull();
    });
  });
}

function failing(): Promise<never> {
  return Promise.reject(new Error('no statement is needed'));
}
