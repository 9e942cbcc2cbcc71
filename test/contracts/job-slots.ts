import { randomUUID } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import type { Job } from '../../src/core/ports.ts';
import type { JobOwner } from '../../src/core/types.ts';
import type { StoreJobs } from '../../src/store/jobs.ts';
import { gate } from './jobs.ts';

interface Named {
  readonly name: string;
}

interface Numbered {
  readonly n: number;
}

/** Who gets the slots of a queue, and what takes one. */
export function slotsContract(jobs: () => StoreJobs): void {
  let serial = 0;
  const newQueue = (): string => `slots-${++serial}`;
  // Less than a test may take, so that a failure shows what was there instead.
  const patient = { timeout: 10_000 };

  const enqueue = (queue: string, name: string, owner?: JobOwner): Promise<boolean> =>
    jobs().enqueue(queue, { name }, { id: randomUUID(), key: name, ...(owner && { owner }) });
  /** A job of another queue comes and goes: there was time for one more. */
  const pass = async (): Promise<void> => {
    const other = newQueue();
    const seen: string[] = [];
    await jobs().work(other, 1, async () => void seen.push('other'));
    await jobs().enqueue(other, {}, { id: randomUUID(), key: 'k' });
    await vi.waitFor(() => expect(seen).toEqual(['other']), patient);
  };
  const NO_LIMITS = { perPerson: 0, perChannel: 0, perWorkspace: 0 };
  const ann: JobOwner = { platform: 'slack', workspace: 'T1', person: 'U1' };
  const bob: JobOwner = { platform: 'slack', workspace: 'T1', person: 'U2' };
  const cid: JobOwner = { platform: 'slack', workspace: 'T2', person: 'U1' };
  const dan: JobOwner = { platform: 'discord', workspace: '1', person: '2' };

  describe('fair slots', () => {
    it('go round over people, then workspaces, then platforms, and to what has no owner first', async () => {
      const queue = newQueue();
      const seen: string[] = [];
      const asked: [string, JobOwner?][] = [
        ['a1', ann],
        ['a2', ann],
        ['a3', ann],
        ['a4', ann],
        ['b1', bob],
        ['b2', bob],
        ['c1', cid],
        ['d1', dan],
        ['d2', dan],
        ['wait'],
      ];
      for (const [name, owner] of asked) await enqueue(queue, name, owner);
      const handler = async ({ data }: Job<Named>): Promise<void> => void seen.push(data.name);
      await jobs().work<Named>(queue, 1, handler, { limits: NO_LIMITS });
      await vi.waitFor(() => expect(seen).toHaveLength(asked.length), patient);
      expect(seen).toEqual(['wait', 'a1', 'd1', 'c1', 'd2', 'b1', 'a2', 'b2', 'a3', 'a4']);
    });

    it('are limited for each person and workspace; one that is given back is no longer counted', async () => {
      const queue = newQueue();
      const ends = new Map<string, () => void>();
      const running = new Set<string>();
      const handler = async ({ data, releaseSlot }: Job<Named>): Promise<void> => {
        running.add(data.name);
        if (data.name === 'a1') releaseSlot();
        await new Promise<void>((resolve) => ends.set(data.name, resolve));
        running.delete(data.name);
      };
      for (const name of ['a1', 'a2', 'a3', 'a4', 'a5']) await enqueue(queue, name, ann);
      await jobs().work<Named>(queue, 20, handler, {
        limits: { ...NO_LIMITS, perPerson: 2, perWorkspace: 3 },
      });
      const see = (...names: string[]) =>
        vi.waitFor(() => expect([...running].sort()).toEqual(names), patient);
      await see('a1', 'a2', 'a3');
      await enqueue(queue, 'b1', bob);
      await enqueue(queue, 'b2', bob);
      await enqueue(queue, 'c1', cid);
      await enqueue(queue, 'wait');
      await see('a1', 'a2', 'a3', 'b1', 'c1', 'wait');
      expect(await jobs().waiting(queue, ann)).toEqual({ person: 2, workspace: 3 });
      expect(await jobs().waiting(queue, cid)).toEqual({ person: 0, workspace: 0 });
      ends.get('a2')?.();
      await see('a1', 'a3', 'b1', 'b2', 'c1', 'wait');
      ends.get('b1')?.();
      await see('a1', 'a3', 'a4', 'b2', 'c1', 'wait');
      for (let left = 0; left < 2; left++) for (const end of ends.values()) end();
      await see('a5');
      ends.get('a5')?.();
      await see();
    });

    it('are limited for each channel, what has given its slot back and waits for it included', async () => {
      const queue = newQueue();
      const door = gate();
      const started: string[] = [];
      const handler = async ({ data, releaseSlot }: Job<Named>): Promise<void> => {
        started.push(data.name);
        releaseSlot();
        if (data.name !== 'z1') await door.opened;
      };
      // Many people in one channel, then somebody in another one.
      for (let n = 0; n < 6; n++) await enqueue(queue, `a${n}`, { ...ann, person: `U${n}`, channel: 'C1' });
      await enqueue(queue, 'z1', { ...ann, person: 'U0', channel: 'C2' });
      await jobs().work<Named>(queue, 1, handler, { limits: { ...NO_LIMITS, perChannel: 2 } });
      await vi.waitFor(() => expect(started).toHaveLength(3), patient);
      await pass();
      expect(started.sort()).toEqual(['a0', 'a1', 'z1']);
      door.open();
      await vi.waitFor(() => expect(started).toHaveLength(7), patient);
    });

    it('keep the order of a key, and the place of what has failed: it comes first', async () => {
      const queue = newQueue();
      const seen: string[] = [];
      const handler = async ({ data, attempt }: Job<Named>): Promise<void> => {
        seen.push(`${data.name}.${attempt}`);
        if (data.name === 'first' && attempt === 1) throw new Error('at first it fails');
      };
      for (const name of ['first', 'second'])
        await jobs().enqueue(queue, { name }, { id: randomUUID(), key: 'k', owner: ann });
      await enqueue(queue, 'other', ann);
      await jobs().work<Named>(queue, 5, handler, { limits: { ...NO_LIMITS, perPerson: 1 } });
      await vi.waitFor(() => expect(seen).toHaveLength(4), patient);
      expect(seen).toEqual(['first.1', 'first.2', 'second.1', 'other.1']);
    });

    it('go at once to what came while none was free', async () => {
      const queue = newQueue();
      const [door, seen] = [gate(), [] as string[]];
      const handler = async ({ data }: Job<Named>): Promise<void> => {
        seen.push(data.name);
        if (data.name === 'a1') await door.opened;
      };
      await jobs().work<Named>(queue, 1, handler, { limits: NO_LIMITS });
      await enqueue(queue, 'a1', ann);
      await vi.waitFor(() => expect(seen).toEqual(['a1']), patient);
      await enqueue(queue, 'b1', bob);
      door.open();
      await vi.waitFor(() => expect(seen).toEqual(['a1', 'b1']), { timeout: 1_000 });
    });
  });

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
      await pass();
      expect(started).toEqual([0, 1, 2, 3]);
      door.open();
      await vi.waitFor(() => expect(started).toHaveLength(6), patient);
    });
  });
}
