import { afterAll, beforeAll, describe } from 'vitest';
import { openJobs } from '../../src/store/jobs.ts';
import { createKeyValue } from '../../src/store/key-value.ts';
import { holdPostgresLease } from '../../src/store/leases.ts';
import { openPostgres } from '../../src/store/postgres.ts';
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
import { createDatabase, onServerOnly, serverUrl, type TestDatabase } from './database.ts';
import { assemble, type Parts } from './parts.ts';
import { countRows } from './rows.ts';

describe.skipIf(serverUrl === null)('the store on Postgres', onServerOnly, () => {
  let database: TestDatabase;
  let parts: Parts;

  beforeAll(async () => {
    database = await createDatabase();
    parts = await assemble(await openPostgres(database.url, quietLog));
  });
  afterAll(async () => {
    await parts.close();
    await database.drop();
  });

  sqlContract(() => parts.sql);
  answersContract(
    () => parts.answers,
    () => parts.sql,
  );
  researchesContract(
    () => parts,
    async () => assemble(await openPostgres(database.url, quietLog)),
  );
  modelRateLimiterContract(
    () => parts.sql,
    async () => assemble(await openPostgres(database.url, quietLog)),
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
  leasesContract((name, duties) => holdPostgresLease(database.url, name, duties), quietLog);
});
