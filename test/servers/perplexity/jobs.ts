/**
 * The research jobs of both APIs: made, looked at, ended. How long a job takes upstream is a length of time divided by a
 * speed, both the server's unless the question says otherwise: `takes:40m` (ms, s, m, h), `speed:600`.
 */
import { randomUUID } from 'node:crypto';
import type { ResearchApi } from '../../../src/core/research/ports.ts';
import { type JobState, type Look, lookAt, stateOf } from './job-course.ts';
import { type CourseFault, courseIn } from './job-faults.ts';
import type { Topic } from './topics.ts';

export interface JobPace {
  /** How long a job takes upstream, waiting included. */
  readonly takesMs: number;
  /** How much faster than upstream the jobs are here. */
  readonly speed: number;
  /** How long a job is known after it was made; not made faster. */
  readonly retentionMs: number;
}

/** Four minutes in two seconds; upstream keeps jobs for seven days. */
const DEFAULT_PACE: JobPace = { takesMs: 240_000, speed: 120, retentionMs: 7 * 86_400_000 };

/** One job, as tests may look at it. Times are milliseconds since the epoch. */
export interface RecordedJob {
  readonly id: string;
  readonly api: ResearchApi;
  /** `idempotency_key` of a chat completion, the metadata `footnote_job` of an Agent run; null without one. */
  readonly key: string | null;
  readonly question: string;
  /** What was asked of the model: `request` of a chat completion, the whole body of an Agent run. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly createdAt: number;
  readonly looks: readonly number[];
  readonly cancelledAt: number | null;
  state(): JobState;
}

/** One attempt to hand in a job. */
export interface Submission {
  readonly api: ResearchApi;
  readonly key: string | null;
  readonly at: number;
  /** `repeated`: the job of the same key was returned. `refused`: no job was made. */
  readonly outcome: 'created' | 'repeated' | 'refused';
  readonly job: string | null;
}

export interface Job extends RecordedJob {
  readonly report: Topic;
  readonly isStored: boolean;
  readonly course: CourseFault | null;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly retentionMs: number;
}

/** A job as plain JSON. */
export interface SavedJob extends Omit<Job, 'state'> {
  readonly isExpired: boolean;
  /** How many more looks find a spoilt report; null for all. */
  readonly oversLeft: number | null;
}

interface NewJob {
  readonly api: ResearchApi;
  readonly key: string | null;
  readonly question: string;
  readonly request: Readonly<Record<string, unknown>>;
  readonly report: Topic;
  readonly isStored: boolean;
}

export interface Jobs {
  readonly all: readonly Job[];
  readonly submissions: readonly Submission[];
  /** Makes a job, or returns the one of the same key where the API knows keys. */
  submit(job: NewJob): Job;
  refused(api: ResearchApi, key: string | null): void;
  /** The job, unless it is unknown, was not stored, or has expired. */
  find(api: ResearchApi, id: string): Job | null;
  /** Looks at a job once. */
  look(job: Job): Look;
  /** False when the job is over. */
  cancel(job: Job): boolean;
  /** Those that wait run from now on: one job, or all. */
  start(id?: string): void;
  /** Those that are under way end now: one job, or all. A stuck one goes on. */
  finish(id?: string): void;
  /** Forgotten from now on: one job, or all. */
  expire(id?: string): void;
  /** For the jobs to come. */
  setPace(pace: Partial<JobPace>): void;
  pace(): JobPace;
  /** The next job takes this course, whatever its question says. */
  spoilNext(course: CourseFault): void;
  /** Calls the listener after every change of a job. */
  onChange(listener: () => void): void;
  /** All jobs; `createJobs` goes on from them, at the time it is then. */
  snapshot(): readonly SavedJob[];
}

/** As the stand-in itself changes it. */
export type Mutable = { -readonly [Field in keyof SavedJob]: SavedJob[Field] } & Pick<Job, 'state'> & {
    looks: number[];
  };

export function createJobs(given: Partial<JobPace>, saved: readonly SavedJob[] = []): Jobs {
  let pace: JobPace = { ...DEFAULT_PACE, ...given };
  const all: Mutable[] = saved.map(alive);
  const submissions: Submission[] = [];
  const spoilt: CourseFault[] = [];
  const listeners: (() => void)[] = [];
  const changed = (): void => {
    for (const listener of listeners) listener();
  };

  const note = (job: NewJob, outcome: Submission['outcome'], id: string | null): void => {
    submissions.push({ api: job.api, key: job.key, at: Date.now(), outcome, job: id });
  };
  const make = (job: NewJob): Mutable => {
    const createdAt = Date.now();
    const takesMs = lengthIn(job.question, pace);
    const next = spoilt.shift();
    const asked = next ? { fault: next, times: undefined } : courseIn(job.question);
    const made = alive({
      ...job,
      id: job.api === 'chat' ? randomUUID() : `resp_${randomUUID()}`,
      course: asked?.fault ?? null,
      createdAt,
      startsAt: createdAt + takesMs / 10,
      endsAt: createdAt + takesMs,
      retentionMs: pace.retentionMs,
      looks: [],
      cancelledAt: null,
      isExpired: false,
      oversLeft: asked?.times ?? null,
    });
    all.push(made);
    return made;
  };
  const chosen = (id: string | undefined): Mutable[] =>
    all.filter((job) => id === undefined || job.id === id);
  // Every job that is handed out was made here.
  const mutable = (job: Job): Mutable => job as Mutable;

  return {
    all,
    submissions,
    submit(job) {
      const known = job.api === 'chat' && job.key !== null && all.find(({ key }) => key === job.key);
      const made = known || make(job);
      note(job, known ? 'repeated' : 'created', made.id);
      changed();
      return made;
    },
    refused: (api, key) => void submissions.push({ api, key, at: Date.now(), outcome: 'refused', job: null }),
    find(api, id) {
      const job = all.find((one) => one.id === id && one.api === api);
      return job?.isStored && job.state() !== 'expired' ? job : null;
    },
    look(job) {
      const seen = lookAt(mutable(job));
      changed();
      return seen;
    },
    cancel(job) {
      if (job.state() !== 'queued' && job.state() !== 'running') return false;
      mutable(job).cancelledAt = Date.now();
      changed();
      return true;
    },
    start(id) {
      for (const job of chosen(id)) job.startsAt = Math.min(job.startsAt, Date.now());
      changed();
    },
    finish(id) {
      for (const job of chosen(id)) job.endsAt = Math.min(job.endsAt, Date.now());
      changed();
    },
    expire(id) {
      for (const job of chosen(id)) job.isExpired = true;
      changed();
    },
    setPace: (next) => void (pace = { ...pace, ...next }),
    pace: () => pace,
    spoilNext: (course) => void spoilt.push(course),
    onChange: (listener) => void listeners.push(listener),
    snapshot: () => structuredClone(all.map(({ state: _state, ...job }) => job)),
  };
}

function alive(job: SavedJob): Mutable {
  const made: Mutable = { ...job, looks: [...job.looks], state: () => stateOf(made) };
  return made;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

function lengthIn(question: string, { takesMs, speed }: JobPace): number {
  const takes = /\btakes:(\d+)(ms|s|m|h)\b/.exec(question);
  const own = /\bspeed:(\d+)\b/.exec(question);
  const length = takes ? Number(takes[1]) * (UNITS[takes[2] ?? ''] ?? 1) : takesMs;
  return length / Number(own?.[1] ?? speed);
}
