import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Answers, Threads } from '../../src/core/ports.ts';
import type { Researches } from '../../src/core/research/ports.ts';
import { createAnswers } from '../../src/store/answers.ts';
import { openJobs, type StoreJobs } from '../../src/store/jobs.ts';
import { migrate } from '../../src/store/migrations.ts';
import { createResearches } from '../../src/store/researches.ts';
import type { Sql } from '../../src/store/sql.ts';
import { createThreads } from '../../src/store/threads.ts';
import { quietLog } from '../core/fakes.ts';

/** The store taken apart, for the suites that look behind the ports. */
export interface Parts {
  readonly sql: Sql;
  readonly jobs: StoreJobs;
  readonly answers: Answers;
  readonly threads: Threads;
  readonly researches: Researches;
  close(): Promise<void>;
}

export async function assemble(sql: Sql): Promise<Parts> {
  await migrate(sql);
  const jobs = await openJobs(sql, quietLog);
  return {
    sql,
    jobs,
    answers: createAnswers(sql),
    threads: createThreads(sql),
    researches: createResearches(sql, jobs),
    async close() {
      await jobs.close();
      await sql.close();
    },
  };
}

/** An empty directory, and how to remove it. */
export function temporaryDir(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'footnote-store-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
