/** How research jobs go on by themselves, and what a look at one is shown. */
import type { Mutable, SavedJob } from './jobs.ts';

export type JobState = 'queued' | 'running' | 'done' | 'incomplete' | 'failed' | 'cancelled' | 'expired';

/** What one look at a job is shown. */
export interface Look {
  /** `strange`: a status that nobody has heard of. */
  readonly state: JobState | 'strange';
  readonly report: 'whole' | 'missing' | 'odd';
}

/** Where a job stands at this moment. */
export function stateOf(job: SavedJob): JobState {
  const now = Date.now();
  if (job.isExpired || now - job.createdAt > job.retentionMs) return 'expired';
  if (job.cancelledAt !== null) return 'cancelled';
  if (now < job.endsAt || job.course === 'job-stuck')
    return now < Math.min(job.startsAt, job.endsAt) ? 'queued' : 'running';
  return ENDS[job.course ?? ''] ?? 'done';
}

const ENDS: Readonly<Record<string, JobState>> = {
  'job-failed': 'failed',
  'job-cancelled': 'cancelled',
  'job-expired': 'expired',
  'job-incomplete': 'incomplete',
  'job-incomplete-empty': 'incomplete',
};

/** What the first looks at a flapping job see; from then on it behaves. */
const FLAPS: readonly Look[] = [
  { state: 'running', report: 'whole' },
  { state: 'queued', report: 'whole' },
  { state: 'done', report: 'missing' },
  { state: 'running', report: 'whole' },
  { state: 'strange', report: 'whole' },
  { state: 'done', report: 'missing' },
];

/** Looks once, which may change what the next look sees. */
export function lookAt(job: Mutable): Look {
  const flap = job.course === 'job-flapping' ? FLAPS[job.looks.length] : undefined;
  job.looks.push(Date.now());
  if (flap) return flap;
  const state = job.state();
  if (state === 'incomplete') {
    return { state, report: job.course === 'job-incomplete-empty' ? 'missing' : 'whole' };
  }
  const isSpoilt = job.course === 'job-null' || job.course === 'job-odd';
  if (state !== 'done' || !isSpoilt || job.oversLeft === 0) return { state, report: 'whole' };
  if (job.oversLeft !== null) job.oversLeft--;
  return { state, report: job.course === 'job-odd' ? 'odd' : 'missing' };
}
