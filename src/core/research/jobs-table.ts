import { formatElapsed } from '../answering/messages.ts';
import type { Researches, ResearchRecord, UpstreamJob } from './ports.ts';

/** One research job as the operator sees it: everything that identifies it, nothing that a person wrote. */
export type JobEntry = Readonly<ReturnType<typeof toJobEntry>>;

/** The list's length. */
const MAX_JOB_ENTRIES = 200;

/** Lists the newest research jobs of all workspaces, for the operator. */
export async function listJobs(researches: Pick<Researches, 'list'>): Promise<readonly JobEntry[]> {
  return (await researches.list({}, MAX_JOB_ENTRIES)).map(toJobEntry);
}

/** Maps a record to its entry. */
export function toJobEntry(record: ResearchRecord) {
  const { name, state, ending, question, api, upstream, begunAt, endedAt, notice, isDelivered } = record;
  const fault = ending?.outcome === 'failed' ? ending.fault : null;
  const { platform, workspace } = question;
  return { name, state, fault, platform, workspace, api, upstream, begunAt, endedAt, notice, isDelivered };
}

/**
 * Formats all jobs as a table. With upstream's own list (chat completions only) it marks differences: `LOST` runs here and is
 * unknown upstream; `ORPHAN` is known upstream only. Orphans belong to other users of the same key, or to a replaced store.
 */
export function formatJobsTable(
  entries: readonly JobEntry[],
  upstream: readonly UpstreamJob[] | null,
  now: number,
): string {
  if (entries.length === 0 && (upstream ?? []).length === 0) return 'No research jobs.';
  const there = upstream && new Map(upstream.map((job) => [job.upstream, job]));
  const rows = entries.map((entry) => rowOf(entry, there, now));
  const known = new Set(entries.map((entry) => entry.upstream));
  // A full list does not show older jobs, so an older upstream job is not known to be an orphan.
  const oldest = entries.length < MAX_JOB_ENTRIES ? 0 : Math.min(...entries.map(({ begunAt }) => begunAt));
  const orphans = (upstream ?? []).filter(
    (job) => !known.has(job.upstream) && (job.createdAt ?? oldest) >= oldest,
  );
  return alignColumns([HEADER, ...rows, ...orphans.map((job) => orphanRow(job, now))]);
}

const HEADER = ['JOB', 'STATE', 'PLATFORM', 'WORKSPACE', 'AGE', 'API', 'UPSTREAM ID', 'UPSTREAM', 'DELIVERY'];

function rowOf(entry: JobEntry, there: ReadonlyMap<string, UpstreamJob> | null, now: number): string[] {
  const { name, state, fault, platform, workspace, begunAt, api, upstream } = entry;
  return [
    name,
    fault ? `${state}: ${fault}` : state,
    platform,
    workspace,
    formatElapsed(now - begunAt),
    api ?? '-',
    upstream ?? '-',
    formatUpstream(entry, there),
    formatDelivery(entry),
  ];
}

function formatUpstream(
  { state, api, upstream }: JobEntry,
  there: ReadonlyMap<string, UpstreamJob> | null,
): string {
  if (!there || api !== 'chat' || upstream === null) return '-';
  const job = there.get(upstream);
  if (job) return job.state;
  return state === 'running' ? 'LOST' : 'gone';
}

function formatDelivery({ state, notice, isDelivered }: JobEntry): string {
  if (state === 'begun' || state === 'submitting' || state === 'running') return '-';
  if (state === 'stopped') return isDelivered ? 'none due' : 'under way';
  return isDelivered ? notice : `under way (${notice})`;
}

function orphanRow({ upstream, state, createdAt }: UpstreamJob, now: number): string[] {
  const age = createdAt === null ? '-' : formatElapsed(now - createdAt);
  return ['ORPHAN', '-', '-', '-', age, 'chat', upstream, state, '-'];
}

function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths = HEADER.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
