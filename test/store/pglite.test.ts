import { afterAll, beforeAll, describe } from 'vitest';
import { openJobs } from '../../src/store/jobs.ts';
import { createKeyValue } from '../../src/store/key-value.ts';
import { holdOnlyLease } from '../../src/store/leases.ts';
import { openPglite } from '../../src/store/pglite.ts';
import { deleteExpired } from '../../src/store/retention.ts';
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
import { assemble, type Parts, temporaryDir } from './parts.ts';
import { countRows } from './rows.ts';

describe('the store on PGlite', () => {
  const dir = temporaryDir();
  let parts: Parts;

  beforeAll(async () => {
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
});
