import { describe, expect, it, vi } from 'vitest';
import type { Lease, LeaseDuties } from '../../src/store/leases.ts';

/** Duties that write down what they are told. */
export function recordingDuties(log: LeaseDuties['log']): LeaseDuties & { readonly told: string[] } {
  const told: string[] = [];
  return {
    told,
    log,
    acquired: async () => void told.push('acquired'),
    lost: async () => void told.push('lost'),
  };
}

export function leasesContract(
  hold: (name: string, duties: LeaseDuties) => Lease,
  log: LeaseDuties['log'],
): void {
  const patient = { timeout: 15_000 };

  describe('leases', () => {
    it('are acquired, and lost when they are given back', async () => {
      const duties = recordingDuties(log);
      const lease = hold('given back', duties);
      await vi.waitFor(() => expect(duties.told).toEqual(['acquired']), patient);
      await lease.stop();
      expect(duties.told).toEqual(['acquired', 'lost']);
    });

    it('can be had again after they were given back', async () => {
      const first = hold('again', recordingDuties(log));
      await first.stop();
      const duties = recordingDuties(log);
      const lease = hold('again', duties);
      await vi.waitFor(() => expect(duties.told).toEqual(['acquired']), patient);
      await lease.stop();
    });

    it('are tried for again when they could not be taken up', async () => {
      const duties = recordingDuties(log);
      let tries = 0;
      const acquired = async (): Promise<void> => {
        if (++tries === 1) throw new Error('not at the first try');
        await duties.acquired();
      };
      const lease = hold('second try', { ...duties, acquired });
      await vi.waitFor(() => expect(duties.told).toEqual(['acquired']), patient);
      expect(tries).toBe(2);
      await lease.stop();
    });
  });
}
