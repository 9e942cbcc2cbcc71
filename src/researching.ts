import type { Config } from './config.ts';
import type { Log } from './core/ports.ts';
import { createJobsDesk } from './core/research-desk.ts';
import type { JobsDesk, Researches } from './core/research-ports.ts';
import { RESEARCH_QUEUE, type ResearchDeps, type ResearchStep } from './core/research-run.ts';
import { reviveResearch, stepResearch } from './core/research-steps.ts';
import { entryOf, MOST_ENTRIES, type ResearchEntry } from './core/research-table.ts';
import type { Store } from './store/store.ts';

/** Steps are short: a look, a write. More than this at once only presses on the platforms. */
const SLOTS = 50;

/** What research needs besides the store and the settings. */
export type Researching = Omit<
  ResearchDeps,
  'settings' | 'researches' | 'jobs' | 'answers' | 'threads' | 'now' | 'random'
>;

/** Takes up the research jobs there are, and whatever comes. */
export async function workResearch(config: Config, store: Store, shared: Researching): Promise<void> {
  const { perPerson, perWorkspace, deadlineMs, looksPerMinute } = config.research;
  const deps: ResearchDeps = {
    ...store,
    ...shared,
    settings: {
      defaults: config.answers.options,
      contextChars: config.answers.contextChars,
      limits: { perPerson, perWorkspace },
      deadlineMs,
      looksPerMinute,
    },
    now: Date.now,
    random: Math.random,
  };
  await store.jobs.work<ResearchStep>(
    RESEARCH_QUEUE,
    SLOTS,
    (job) => stepResearch(deps, job),
    ({ data }) => reviveResearch(deps, data),
  );
}

/** The desk that answers for `/jobs` and `!jobs`. */
export function openDesk({ researches }: Store, isAdmin: ResearchDeps['isAdmin'], log: Log): JobsDesk {
  return createJobsDesk({ researches, isAdmin, log, now: Date.now });
}

/** The newest research jobs of all workspaces, for the operator. */
export async function listResearch(researches: Pick<Researches, 'list'>): Promise<readonly ResearchEntry[]> {
  return (await researches.list({}, MOST_ENTRIES)).map(entryOf);
}
