import './node-version.js';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, loadConfig } from './config.ts';
import { Failure } from './core/failures.ts';
import { formatJobsTable, type JobEntry, listJobs } from './core/research/jobs-table.ts';
import type { UpstreamJob } from './core/research/ports.ts';
import { createLog } from './log.ts';
import { askFootnote } from './ops/server.ts';
import { createPerplexity } from './perplexity/perplexity.ts';
import { runCommand } from './start-faults.ts';
import { openPglite } from './store/pglite.ts';
import { openPostgres } from './store/postgres.ts';
import { createResearchReader } from './store/researches.ts';
import type { Sql } from './store/sql.ts';
import { StoreError } from './store/store-error.ts';

/** The running service is on this machine: it answers at once or not at all. */
const SERVICE_MS = 5_000;
const UPSTREAM_MS = 30_000;

const log = createLog({ level: 'silent', secrets: [] });

/** `npm run jobs`: every research job of all workspaces, and how it stands with upstream's own list. Changes nothing. */
async function report(): Promise<string> {
  const config = loadConfig();
  const entries = await readEntries(config);
  const { list, note } = await readUpstream(config);
  return [formatJobsTable(entries, list, Date.now()), ...(note ? ['', note] : [])].join('\n');
}

/** From the database; the embedded one has one owner, which is asked while it runs. */
async function readEntries({ store, server }: Config): Promise<readonly JobEntry[]> {
  const { databaseUrl, dataDir } = store;
  if (databaseUrl !== null) return readStore(await openPostgres(databaseUrl, log));
  const told = await askFootnote(server, '/research', SERVICE_MS);
  // A Footnote of the same version wrote it.
  if (told !== null) return JSON.parse(told) as readonly JobEntry[];
  const address = `${server.host}:${server.port}`;
  if (!existsSync(join(dataDir, 'database'))) {
    throw unreachable(`nothing answers at ${address}, and there is no database in ${dataDir}`);
  }
  try {
    return await readStore(await openPglite(dataDir, log));
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'data-dir-locked') throw error;
    const what = `a Footnote uses ${dataDir}, but does not answer at ${address}`;
    throw unreachable(`${what}: give this command the HOST and PORT that it was started with`);
  }
}

function unreachable(remedy: string): Failure {
  return new Failure('unreachable', remedy, { remedy });
}

async function readStore(sql: Sql): Promise<readonly JobEntry[]> {
  try {
    const [table] = await sql.query<{ name: string | null }>(
      "select to_regclass('footnote.research')::text as name",
    );
    if (!table?.name) throw unreachable('no Footnote that knows research has used this database yet');
    return await listJobs(createResearchReader(sql));
  } finally {
    await sql.close();
  }
}

/** Upstream's list, where there is one; why not, where it could not be read. */
async function readUpstream({
  perplexity,
}: Config): Promise<{ list: readonly UpstreamJob[] | null; note: string | null }> {
  if (perplexity.api === 'agent') return { list: null, note: 'The Agent API has no list of its own.' };
  try {
    const { research } = createPerplexity({ ...perplexity, log });
    return { list: await research.list(AbortSignal.timeout(UPSTREAM_MS)), note: null };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { list: null, note: `Upstream's own list could not be read: ${error.remedy ?? error.message}.` };
  }
}

await runCommand(report);
