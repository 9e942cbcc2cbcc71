import './node-version.js';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, ConfigError, loadConfig } from './config.ts';
import { Failure } from './core/failures.ts';
import type { Log } from './core/ports.ts';
import { formatJobsTable, type JobEntry, listJobs } from './core/research/jobs-table.ts';
import type { UpstreamJob } from './core/research/ports.ts';
import { opsUrl } from './ops/server.ts';
import { createPerplexity } from './perplexity/perplexity.ts';
import { openPglite } from './store/pglite.ts';
import { openPostgres } from './store/postgres.ts';
import { createResearchReader } from './store/researches.ts';
import type { Sql } from './store/sql.ts';
import { StoreError } from './store/store-error.ts';

/** The running service is on this machine: it answers at once or not at all. */
const SERVICE_MS = 5_000;
const UPSTREAM_MS = 30_000;

/** `npm run jobs`: every research job of all workspaces, and how it stands with upstream's own list. Changes nothing. */
async function report(config: Config): Promise<string> {
  const entries = await readEntries(config);
  const { list, note } = await readUpstream(config);
  return [formatJobsTable(entries, list, Date.now()), ...(note ? ['', note] : [])].join('\n');
}

/** From the database; the embedded one has one owner, which is asked while it runs. */
async function readEntries(config: Config): Promise<readonly JobEntry[]> {
  const { databaseUrl, dataDir } = config.store;
  if (databaseUrl !== null) return readStore(await openPostgres(databaseUrl, SILENT));
  const told = await askService(config);
  if (told) return told;
  if (!existsSync(join(dataDir, 'database'))) {
    throw new Unreachable(`nothing answers at ${addressOf(config)}, and there is no database in ${dataDir}`);
  }
  try {
    return await readStore(await openPglite(dataDir, SILENT));
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'data-dir-locked') throw error;
    const what = `a Footnote uses ${dataDir}, but does not answer at ${addressOf(config)}`;
    throw new Unreachable(`${what}: give this command the HOST and PORT that it was started with`);
  }
}

class Unreachable extends Error {}

function addressOf({ server }: Config): string {
  return `${opsUrl(server)}/research`;
}

/** What the running service says; null when none answers there. */
async function askService(config: Config): Promise<readonly JobEntry[] | null> {
  try {
    const answer = await fetch(addressOf(config), { signal: AbortSignal.timeout(SERVICE_MS) });
    const body: unknown = answer.ok ? await answer.json() : null;
    // Our own service of the same version wrote it.
    return Array.isArray(body) ? (body as readonly JobEntry[]) : null;
  } catch {
    return null;
  }
}

async function readStore(sql: Sql): Promise<readonly JobEntry[]> {
  try {
    const [table] = await sql.query<{ name: string | null }>(
      "select to_regclass('footnote.research')::text as name",
    );
    if (!table?.name) throw new Unreachable('no Footnote that knows research has used this database yet');
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
    const { research } = createPerplexity({ ...perplexity, log: SILENT });
    return { list: await research.list('chat', AbortSignal.timeout(UPSTREAM_MS)), note: null };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { list: null, note: `Upstream's own list could not be read: ${error.remedy ?? error.message}.` };
  }
}

const quiet = (): void => {};
const SILENT: Log = {
  trace: quiet,
  debug: quiet,
  info: quiet,
  warn: quiet,
  error: quiet,
  child: () => SILENT,
};

function explainFailure(error: unknown): { readonly line: string; readonly exitCode: number } {
  if (error instanceof ConfigError) return { line: error.message, exitCode: 78 };
  if (error instanceof Unreachable) return { line: error.message, exitCode: 69 };
  if (error instanceof StoreError) return { line: error.message, exitCode: 69 };
  return { line: error instanceof Error ? error.message : String(error), exitCode: 70 };
}

try {
  process.stdout.write(`${await report(loadConfig())}\n`);
} catch (error) {
  const { line, exitCode } = explainFailure(error);
  process.stderr.write(`footnote: ${line}\n`);
  process.exitCode = exitCode;
}
