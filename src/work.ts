/** What the queues do: the part of the wiring between the store's jobs and the core. */
import type { Config } from './config.ts';
import { answerQuestion, giveUp } from './core/answering/answer.ts';
import { ANSWER_QUEUE, type AnsweringDeps, type AnswerJob } from './core/answering/deps.ts';
import { type WaitJob, waitBehind } from './core/answering/join-thread.ts';
import { onDemand } from './core/concurrency.ts';
import { NOTIFICATION_QUEUE, type NotificationJob, sendNotification } from './core/notifications.ts';
import type { ResearchCommands } from './core/ports.ts';
import { createResearchCommands } from './core/research/commands.ts';
import { type JobEntry, MAX_JOB_ENTRIES, toJobEntry } from './core/research/jobs-table.ts';
import type { Researches } from './core/research/ports.ts';
import { type RememberJob, rememberReport } from './core/research/remember.ts';
import { reviveResearchStep, runResearchStep } from './core/research/run-step.ts';
import { RESEARCH_QUEUE, type ResearchDeps, type ResearchStep } from './core/research/step.ts';
import type { Perplexity } from './perplexity/perplexity.ts';
import type { Store } from './store/store.ts';

/** Steps of research are short: a look, a write. More than this at once only presses on the platforms. */
const RESEARCH_SLOTS = 50;
const WORD_SLOTS = 10;

/** What answering and research need, but for the model, which is loaded when it is first needed. */
export type WorkDeps = Omit<AnsweringDeps, 'model'> & Pick<ResearchDeps, 'researchMessages'>;

/** Takes up the work there is, and whatever comes; returns the desk that answers for `/jobs`. */
export async function takeUpWork(
  config: Config,
  store: Store,
  outfit: WorkDeps,
  perplexity: () => Promise<Perplexity>,
): Promise<ResearchCommands> {
  const { platforms, isAdmin, log } = outfit;
  const desk = createResearchCommands({ researches: store.researches, isAdmin, log, now: Date.now });
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
    store.jobs.work<NotificationJob>(NOTIFICATION_QUEUE, WORD_SLOTS, (job) =>
      sendNotification({ platforms, researchCommands: desk, log }, job.data),
    ),
  ]);
  return desk;
}

/** The newest research jobs of all workspaces, for the operator. */
export async function listResearch(researches: Pick<Researches, 'list'>): Promise<readonly JobEntry[]> {
  return (await researches.list({}, MAX_JOB_ENTRIES)).map(toJobEntry);
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
    async (job) => runResearchStep(await researching(), job),
    async ({ data }) => reviveResearchStep(await researching(), data),
  );
}

function researchSettings({ answers, research }: Config): ResearchDeps['settings'] {
  const { perPerson, perWorkspace, deadlineMs, firstPollMs, pollsPerMinute, submissionsPerMinute } = research;
  return {
    defaults: answers.options,
    contextChars: answers.contextChars,
    limits: { perPerson, perWorkspace },
    deadlineMs,
    firstPollMs,
    pollsPerMinute,
    submissionsPerMinute,
  };
}
