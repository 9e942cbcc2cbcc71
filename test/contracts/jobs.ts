import { randomUUID } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import type { Job } from '../../src/core/ports.ts';
import type { StoreJobs } from '../../src/store/jobs.ts';
import type { Queryable, Sql } from '../../src/store/sql.ts';

interface Numbered {
  readonly n: number;
}

/** A promise that is settled from outside. */
export function gate(): { open: () => void; readonly opened: Promise<void> } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

/** `another` opens a further instance on the same database: another process, as far as the queue can tell. */
export function jobsContract(jobs: () => StoreJobs, another: () => Promise<StoreJobs>, sql: () => Sql): void {
  let serial = 0;
  const newQueue = (): string => `contract-${++serial}`;
  // Less than a test may take, so that a failure shows what was there instead.
  const patient = { timeout: 10_000 };

  describe('jobs', () => {
    it('takes an id once, also when it comes twice at the same moment or after the job is done', async () => {
      const queue = newQueue();
      const options = { id: randomUUID(), key: 'k' };
      const twice = [jobs().enqueue(queue, { n: 1 }, options), jobs().enqueue(queue, { n: 2 }, options)];
      expect((await Promise.all(twice)).filter(Boolean)).toHaveLength(1);
      await jobs().work(queue, 1, async () => {});
      await vi.waitFor(async () => expect(await jobs().depth(queue, 'k')).toBe(0), patient);
      expect(await jobs().enqueue(queue, { n: 3 }, options)).toBe(false);
      expect(await jobs().knows(queue, options.id)).toBe(true);
      expect(await jobs().knows(queue, randomUUID())).toBe(false);
    });

    it('hands the data over exactly as it was given', async () => {
      const queue = newQueue();
      const data = { text: 'nul \u0000, half a pair \ud83c, quote " and 🎈', empty: {}, list: [null, 1.5] };
      const seen: object[] = [];
      await jobs().work(queue, 1, async (job) => void seen.push(job.data));
      await jobs().enqueue(queue, data, { id: randomUUID(), key: 'k' });
      await vi.waitFor(() => expect(seen).toEqual([data]), patient);
    });

    it('replaces what a job carries: before it begins, or whenever it is remembered', async () => {
      const queue = newQueue();
      const id = randomUUID();
      const replace = (n: number, which: 'waiting' | 'any') => jobs().replace(queue, id, { n }, which);
      await jobs().enqueue(queue, { n: 1 }, { id, key: 'k' });
      expect(await replace(2, 'waiting')).toBe(true);
      const seen: number[] = [];
      await jobs().work<Numbered>(queue, 1, async ({ data }) => void seen.push(data.n));
      await vi.waitFor(async () => expect(await jobs().depth(queue, 'k')).toBe(0), patient);
      expect(seen).toEqual([2]);
      expect([await replace(3, 'waiting'), await replace(4, 'any')]).toEqual([false, true]);
      const rows = sql().query('select data from pgboss.job where id = $1', [id]);
      expect(await rows).toEqual([{ data: { json: '{"n":4}' } }]);
    });

    it('runs the jobs of one key one at a time, in the order they came', async () => {
      const queue = newQueue();
      const seen: string[] = [];
      await jobs().work<Numbered>(queue, 8, async ({ data }) => {
        seen.push(`start ${data.n}`);
        await jobs().depth(queue, 'k');
        seen.push(`end ${data.n}`);
      });
      const numbers = Array.from({ length: 12 }, (_, n) => n);
      await Promise.all(numbers.map((n) => jobs().enqueue(queue, { n }, { id: randomUUID(), key: 'k' })));
      await vi.waitFor(() => expect(seen).toHaveLength(24), patient);
      expect(seen).toEqual(numbers.flatMap((n) => [`start ${n}`, `end ${n}`]));
    });

    it('runs different keys side by side, at most as many as there are slots', async () => {
      const queue = newQueue();
      const door = gate();
      const running = new Set<number>();
      let most = 0;
      await jobs().work<Numbered>(queue, 3, async ({ data }) => {
        running.add(data.n);
        most = Math.max(most, running.size);
        await door.opened;
        running.delete(data.n);
      });
      for (let n = 0; n < 7; n++) await jobs().enqueue(queue, { n }, { id: randomUUID(), key: `k${n}` });
      await vi.waitFor(() => expect(running.size).toBe(3), patient);
      door.open();
      const depths = async (): Promise<number> => {
        const all = Array.from({ length: 7 }, (_, n) => jobs().depth(queue, `k${n}`));
        return (await Promise.all(all)).reduce((sum, depth) => sum + depth);
      };
      await vi.waitFor(async () => expect(await depths()).toBe(0), patient);
      expect(most).toBe(3);
    });

    it('counts the waiting and the running jobs of a key', async () => {
      const queue = newQueue();
      const door = gate();
      for (let n = 0; n < 3; n++) await jobs().enqueue(queue, { n }, { id: randomUUID(), key: 'busy' });
      await jobs().enqueue(queue, { n: 3 }, { id: randomUUID(), key: 'other' });
      expect(await jobs().depth(queue, 'busy')).toBe(3);
      const started: number[] = [];
      await jobs().work<Numbered>(queue, 4, async ({ data }) => {
        started.push(data.n);
        await door.opened;
      });
      await vi.waitFor(() => expect(started).toHaveLength(2), patient);
      expect(await jobs().depth(queue, 'busy')).toBe(3);
      expect(await jobs().depth(queue, 'nobody')).toBe(0);
      door.open();
      await vi.waitFor(async () => expect(await jobs().depth(queue, 'busy')).toBe(0), patient);
    });

    it('runs a job again when its handler throws, before the next of its key', async () => {
      const queue = newQueue();
      const seen: string[] = [];
      await jobs().work<Numbered>(queue, 2, async ({ data, attempt }) => {
        seen.push(`${data.n}.${attempt}`);
        if (attempt === 1 && data.n === 0) throw new Error('at first it fails');
      });
      for (let n = 0; n < 2; n++) await jobs().enqueue(queue, { n }, { id: randomUUID(), key: 'k' });
      await vi.waitFor(() => expect(seen).toEqual(['0.1', '0.2', '1.1']), patient);
    });

    it('tells of a job that has failed for good, and only then lets the next of its key run', async () => {
      const queue = newQueue();
      const options = { id: randomUUID(), key: 'k' };
      await jobs().enqueue(queue, { n: 0 }, options);
      await jobs().enqueue(queue, { n: 1 }, { id: randomUUID(), key: 'k' });
      // As if eight runs had failed already.
      await sql().query('update pgboss.job set retry_count = 8 where name = $1 and id = $2', [
        queue,
        options.id,
      ]);
      const door = gate();
      const seen: string[] = [];
      const handler = async ({ data }: Job<Numbered>): Promise<void> => {
        seen.push(`run ${data.n}`);
        if (data.n === 0) throw new Error('always fails');
      };
      await jobs().work<Numbered>(queue, 2, handler, {
        async onDead(job) {
          seen.push(`dead ${job.data.n} after ${job.attempts}`);
          await door.opened;
          seen.push('explained');
        },
      });
      await vi.waitFor(() => expect(seen).toEqual(['run 0', 'dead 0 after 9']), patient);
      door.open();
      const all = ['run 0', 'dead 0 after 9', 'explained', 'run 1'];
      await vi.waitFor(() => expect(seen).toEqual(all), patient);
      expect(await jobs().enqueue(queue, { n: 0 }, options)).toBe(false);
    });
  });

  describe('jobs that are stopped', () => {
    it('lets a running job finish within the grace, and takes no new one', async () => {
      const queue = newQueue();
      const mine = await another();
      const door = gate();
      const seen: string[] = [];
      await mine.work<Numbered>(queue, 1, async ({ data, attempt, signal }) => {
        seen.push(`${data.n}.${attempt}`);
        await door.opened;
        seen.push(signal.aborted ? 'aborted' : 'finished');
      });
      for (let n = 0; n < 2; n++) await mine.enqueue(queue, { n }, { id: randomUUID(), key: `k${n}` });
      await vi.waitFor(() => expect(seen).toEqual(['0.1']), patient);
      const stopped = mine.stop(10_000);
      door.open();
      await stopped;
      expect(seen).toEqual(['0.1', 'finished']);
      expect(await jobs().depth(queue, 'k0')).toBe(0);
      expect(await jobs().depth(queue, 'k1')).toBe(1);
      await mine.close();
    });

    it('aborts what is left after the grace and leaves it to others, as the next attempt', async () => {
      const queue = newQueue();
      const mine = await another();
      const door = gate();
      const seen: string[] = [];
      await mine.work<Numbered>(queue, 1, async ({ attempt, signal }) => {
        seen.push(`mine ${attempt}`);
        signal.addEventListener('abort', door.open);
        await door.opened;
        seen.push('aborted');
      });
      await mine.enqueue(queue, { n: 0 }, { id: randomUUID(), key: 'k' });
      await vi.waitFor(() => expect(seen).toEqual(['mine 1']), patient);
      await mine.stop(20);
      expect(seen).toEqual(['mine 1', 'aborted']);
      await jobs().work<Numbered>(queue, 1, async ({ attempt }) => void seen.push(`theirs ${attempt}`));
      await vi.waitFor(() => expect(seen).toEqual(['mine 1', 'aborted', 'theirs 2']), patient);
      await mine.close();
    });
  });

  describe('jobs that do not stop', () => {
    it('are left to others after a moment, although their handler does not return', async () => {
      const queue = newQueue();
      const mine = await another();
      const door = gate();
      const seen: string[] = [];
      await mine.work<Numbered>(queue, 1, async ({ attempt }) => {
        seen.push(`mine ${attempt}`);
        await door.opened;
      });
      await mine.enqueue(queue, { n: 0 }, { id: randomUUID(), key: 'k' });
      await vi.waitFor(() => expect(seen).toEqual(['mine 1']), patient);
      const began = performance.now();
      await mine.stop(20);
      expect(performance.now() - began).toBeLessThan(5_000);
      await jobs().work<Numbered>(queue, 1, async ({ attempt }) => void seen.push(`theirs ${attempt}`));
      await vi.waitFor(() => expect(seen).toEqual(['mine 1', 'theirs 2']), patient);
      // What it does in the end changes nothing.
      door.open();
      await mine.close();
      expect(await jobs().depth(queue, 'k')).toBe(0);
    });
  });

  describe('a dead job whose explanation hangs', () => {
    it('does not keep the process from stopping', async () => {
      const queue = newQueue();
      const mine = await another();
      const door = gate();
      const seen: string[] = [];
      const options = { id: randomUUID(), key: 'k' };
      await mine.enqueue(queue, {}, options);
      // As if eight runs had failed already.
      await sql().query('update pgboss.job set retry_count = 8 where id = $1', [options.id]);
      const handler = async (): Promise<void> => {
        throw new Error('always fails');
      };
      await mine.work(queue, 1, handler, {
        async onDead() {
          seen.push('explaining');
          await door.opened;
          seen.push('explained');
        },
      });
      await vi.waitFor(() => expect(seen).toEqual(['explaining']), patient);
      const stopped = mine.stop(20).then(() => seen.push('stopped'));
      await vi.waitFor(() => expect(seen).toEqual(['explaining', 'stopped']), { timeout: 5_000 });
      door.open();
      await stopped;
      await mine.close();
    });
  });

  describe('jobs that are to wait', () => {
    it('begins a delayed job when it is due, not before and hardly later', async () => {
      const queue = newQueue();
      const began: number[] = [];
      await jobs().work(queue, 1, async () => void began.push(performance.now()));
      const asked = performance.now();
      await jobs().enqueue(queue, {}, { id: randomUUID(), key: 'k', delayMs: 700 });
      await vi.waitFor(() => expect(began).toHaveLength(1), patient);
      expect(began[0]! - asked).toBeGreaterThanOrEqual(690);
      expect(began[0]! - asked).toBeLessThan(1_700);
    });

    it('lets other jobs of its key pass, and takes its id once', async () => {
      const queue = newQueue();
      const seen: number[] = [];
      await jobs().work<Numbered>(queue, 2, async ({ data }) => void seen.push(data.n));
      const later = { id: randomUUID(), key: 'k', delayMs: 900 };
      expect(await jobs().enqueue(queue, { n: 1 }, later)).toBe(true);
      expect(await jobs().enqueue(queue, { n: 2 }, later)).toBe(false);
      await jobs().enqueue(queue, { n: 3 }, { id: randomUUID(), key: 'k' });
      await vi.waitFor(() => expect(seen).toEqual([3]), patient);
      await vi.waitFor(() => expect(seen).toEqual([3, 1]), patient);
    });

    it('does not begin a delayed job beside another of its key', async () => {
      const queue = newQueue();
      const door = gate();
      const seen: string[] = [];
      await jobs().work<Numbered>(queue, 4, async ({ data }) => {
        seen.push(`start ${data.n}`);
        if (data.n === 0) await door.opened;
        seen.push(`end ${data.n}`);
      });
      await jobs().enqueue(queue, { n: 0 }, { id: randomUUID(), key: 'k' });
      await jobs().enqueue(queue, { n: 1 }, { id: randomUUID(), key: 'k', delayMs: 50 });
      await jobs().enqueue(queue, { n: 2 }, { id: randomUUID(), key: 'other', delayMs: 150 });
      await vi.waitFor(() => expect(seen).toEqual(['start 0', 'start 2', 'end 2']), patient);
      door.open();
      const all = ['start 0', 'start 2', 'end 2', 'end 0', 'start 1', 'end 1'];
      await vi.waitFor(() => expect(seen).toEqual(all), patient);
    });

    it('enqueues together with a change, or not at all', async () => {
      const queue = newQueue();
      const [kept, dropped, skipped] = [randomUUID(), randomUUID(), randomUUID()];
      const next = (id: string) => [{ queue, data: { n: 1 }, options: { id, key: id } }];
      const change = (key: string) => (tx: Queryable) =>
        tx.query(
          `insert into footnote.key_values (namespace, key, value) values ('with', $1, '1') returning key`,
          [key],
        );
      expect(await jobs().enqueueWith(next(kept), change(kept))).toEqual([{ key: kept }]);
      const failing = jobs().enqueueWith(next(dropped), async (tx) => {
        await change(dropped)(tx);
        throw new Error('changed my mind');
      });
      await expect(failing).rejects.toThrow('changed my mind');
      expect(await jobs().enqueueWith(next(skipped), async () => null)).toBeNull();
      const known = await Promise.all([kept, dropped, skipped].map((id) => jobs().knows(queue, id)));
      expect(known).toEqual([true, false, false]);
      const rows = await sql().query("select key from footnote.key_values where namespace = 'with'");
      expect(rows).toEqual([{ key: kept }]);
      const seen: string[] = [];
      await jobs().work(queue, 1, async ({ id }) => void seen.push(id));
      await vi.waitFor(() => expect(seen).toEqual([kept]), patient);
    });
  });
}
