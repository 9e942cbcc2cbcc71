import { randomUUID } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import type { Job } from '../../src/core/ports.ts';
import type { StoreJobs } from '../../src/store/jobs.ts';
import { gate } from './jobs.ts';

interface Numbered {
  readonly n: number;
}

/** Who gets the slots of a queue, and what takes one. */
export function slotsContract(jobs: () => StoreJobs): void {
  let serial = 0;
  const newQueue = (): string => `slots-${++serial}`;
  // Less than a test may take, so that a failure shows what was there instead.
  const patient = { timeout: 10_000 };

  describe('slots', () => {
    it.each([
      ['only waits', 60_000],
      ['has run for long', 50],
    ])('gives the slot of a job that %s to others, up to four runs for a slot', async (_what, slotMs) => {
      const queue = newQueue();
      const door = gate();
      const started: number[] = [];
      const handler = async ({ data, releaseSlot }: Job<Numbered>): Promise<void> => {
        started.push(data.n);
        if (slotMs > 1_000) releaseSlot();
        await door.opened;
      };
      await jobs().work<Numbered>(queue, 1, handler, { slotMs });
      for (let n = 0; n < 6; n++) await jobs().enqueue(queue, { n }, { id: randomUUID(), key: `k${n}` });
      await vi.waitFor(() => expect(started).toEqual([0, 1, 2, 3]), patient);
      // A job of another queue comes and goes meanwhile: there was time for the fifth.
      const other = newQueue();
      const seen: string[] = [];
      await jobs().work(other, 1, async () => void seen.push('other'));
      await jobs().enqueue(other, {}, { id: randomUUID(), key: 'k' });
      await vi.waitFor(() => expect(seen).toEqual(['other']), patient);
      expect(started).toEqual([0, 1, 2, 3]);
      door.open();
      await vi.waitFor(() => expect(started).toHaveLength(6), patient);
    });
  });
}
