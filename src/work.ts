/** What the queues do: the part of the wiring between the store's jobs and the core. */
import type { Config } from './config.ts';
import { answerQuestion, giveUp } from './core/answering.ts';
import { onDemand } from './core/on-demand.ts';
import { type RememberJob, rememberReport } from './core/remembering.ts';
import { createJobsDesk } from './core/research/desk.ts';
import type { JobsDesk, Researches } from './core/research/ports.ts';
import { RESEARCH_QUEUE, type ResearchDeps, type ResearchStep } from './core/research/run.ts';
import { reviveResearch, stepResearch } from './core/research/steps.ts';
import { entryOf, MOST_ENTRIES, type ResearchEntry } from './core/research/table.ts';
import { ANSWER_QUEUE, type AnsweringDeps, type AnswerJob } from './core/run.ts';
import { type WaitJob, waitBehind } from './core/waiting.ts';
import { sayWord, WORD_QUEUE, type WordJob } from './core/words.ts';
import type { Perplexity } from './perplexity/perplexity.ts';
import type { Store } from './store/store.ts';

/** Steps of research are short: a look, a write. More than this at once only presses on the platforms. */
const RESEARCH_SLOTS = 50;
const WORD_SLOTS = 10;

/** What answering and research need, but for the model, which is loaded when it is first needed. */
export type Outfit = Omit<AnsweringDeps, 'model'> & Pick<ResearchDeps, 'boards'>;

/** Takes up the work there is, and whatever comes; returns the desk that answers for `/jobs`. */
export async function takeUpWork(
  config: Config,
  store: Store,
  outfit: Outfit,
  perplexity: () => Promise<Perplexity>,
): Promise<JobsDesk> {
  const { platforms, isAdmin, log } = outfit;
  const desk = createJobsDesk({ researches: store.researches, isAdmin, log, now: Date.now });
  const answering = onDemand(async () => ({ ...outfit, model: (await perplexity()).model }));
  const researching = onDemand(async () => ({
    ...outfit,
    researches: store.researches,
    model: (await perplexity()).research,
    settings: researchSettings(config),
    now: Date.now,
    random: Math.random,
  }));
  await Promise.all([
    workAnswers(config, store, answering),
    workResearch(store, researching),
    store.jobs.work<WordJob>(WORD_QUEUE, WORD_SLOTS, (job) => sayWord({ platforms, desk, log }, job.data)),
  ]);
  return desk;
}

/** The newest research jobs of all workspaces, for the operator. */
export async function listResearch(researches: Pick<Researches, 'list'>): Promise<readonly ResearchEntry[]> {
  return (await researches.list({}, MOST_ENTRIES)).map(entryOf);
}

function workAnswers(
  { answers }: Config,
  store: Store,
  answering: () => Promise<AnsweringDeps>,
): Promise<void> {
  return store.jobs.work<AnswerJob | WaitJob | RememberJob>(
    ANSWER_QUEUE,
    answers.concurrent,
    async ({ data, ...job }) => {
      if ('behind' in data) return waitBehind(store.answers, { ...job, data });
      if ('remember' in data) return rememberReport({ ...store, ...(await answering()) }, { ...job, data });
      return answerQuestion(await answering(), { ...job, data });
    },
    async ({ data }) => ('question' in data ? giveUp(await answering(), data) : undefined),
  );
}

function workResearch({ jobs }: Store, researching: () => Promise<ResearchDeps>): Promise<void> {
  return jobs.work<ResearchStep>(
    RESEARCH_QUEUE,
    RESEARCH_SLOTS,
    async (job) => stepResearch(await researching(), job),
    async ({ data }) => reviveResearch(await researching(), data),
  );
}

function researchSettings({ answers, research }: Config): ResearchDeps['settings'] {
  const { perPerson, perWorkspace, deadlineMs, firstLookMs, looksPerMinute, submissionsPerMinute } = research;
  return {
    defaults: answers.options,
    contextChars: answers.contextChars,
    limits: { perPerson, perWorkspace },
    deadlineMs,
    firstLookMs,
    looksPerMinute,
    submissionsPerMinute,
  };
}
