import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openJobs } from '../../src/store/jobs.ts';
import { createKeyValue } from '../../src/store/key-value.ts';
import { holdOnlyLease } from '../../src/store/leases.ts';
import { openPglite } from '../../src/store/pglite.ts';
import { deleteExpired } from '../../src/store/retention.ts';
import type { Sql } from '../../src/store/sql.ts';
import { answersContract } from '../contracts/answers.ts';
import { slotsContract } from '../contracts/job-slots.ts';
import { jobsContract } from '../contracts/jobs.ts';
import { keyValueContract } from '../contracts/key-value.ts';
import { leasesContract } from '../contracts/leases.ts';
import { modelRateLimiterContract } from '../contracts/model-rate-limiter.ts';
import { researchesContract } from '../contracts/researches.ts';
import { sqlContract } from '../contracts/sql.ts';
import { threadsContract } from '../contracts/threads.ts';
import { quietLog } from '../core/fakes.ts';
import { prepareDataDir } from '../support/data-dir.ts';
import { assemble, type Parts, temporaryDir } from './parts.ts';
import { countRows } from './rows.ts';

describe('the store on PGlite', () => {
  const dir = temporaryDir();
  let parts: Parts;

  beforeAll(async () => {
    await prepareDataDir(dir.path);
    parts = await assemble(await openPglite(dir.path, quietLog));
  });
  afterAll(async () => {
    await parts.close();
    dir.remove();
  });

  sqlContract(() => parts.sql);
  answersContract(
    () => parts.answers,
    () => parts.sql,
  );
  researchesContract(
    () => parts,
    async () => ({ researches: parts.researches, close: async () => {} }),
  );
  modelRateLimiterContract(
    () => parts.sql,
    async () => ({ sql: parts.sql, close: async () => {} }),
  );
  threadsContract(
    () => parts.threads,
    () => parts.sql,
  );
  keyValueContract(
    (namespace) => createKeyValue(parts.sql, namespace),
    async (namespace) => {
      await deleteExpired(parts.sql, new AbortController().signal);
      return countRows(parts.sql, namespace);
    },
  );
  jobsContract(
    () => parts.jobs,
    () => openJobs(parts.sql, quietLog),
    () => parts.sql,
  );
  slotsContract(() => parts.jobs);
  leasesContract((_name, duties) => holdOnlyLease(duties), quietLog);

  // Each look takes the database longer than the rest of what a short job needs.
  it('looks for no other job at the end of one while all that wait are due later', {
    timeout: 120_000,
  }, async () => {
    const began = performance.now();
    let looks = 0;
    const sql: Sql = {
      ...parts.sql,
      query(text, params) {
        if (text.includes('isMoreWaiting')) looks++;
        return parts.sql.query(text, params);
      },
    };
    const jobs = await openJobs(sql, quietLog);
    let ended = 0;
    const limits = { perPerson: 0, perChannel: 0, perWorkspace: 0 };
    await jobs.work('looks', 5, async () => void ended++, { limits });
    await jobs.enqueue('looks', {}, { id: randomUUID(), key: 'later', delayMs: 3_600_000 });
    for (let n = 1; n <= 20; n++) {
      const id = randomUUID();
      await jobs.enqueue('looks', {}, { id, key: id });
      await vi.waitFor(() => expect(ended).toBe(n), 10_000);
      await vi.waitFor(async () => expect(await jobs.depth('looks', id)).toBe(0), 10_000);
    }
    // One for each job that comes, and one every 2 s.
    expect(looks).toBeLessThan(30 + (performance.now() - began) / 2_000);
    await jobs.stop(0);
    await jobs.close();
  });
});
